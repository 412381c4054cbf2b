// Lab runs a Kubernetes control plane with simulated nodes in one process, on 127.0.0.1, as any user. The scripts up,
// down and run beside this file build and start it; README.md says what can be set in it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are the program's flags.
type options struct {
	folder       string
	port         int
	nodes        int
	leaseSeconds uint
	components   string
}

func main() {
	var o options
	flags := flag.NewFlagSet("lab", flag.ExitOnError) // the packages that are linked have put flags of their own into the common one
	flags.StringVar(&o.folder, "dir", "", "folder for all of the cluster's files; created if it is missing")
	flags.IntVar(&o.port, "port", 0, "port of the API server (default any free one)")
	flags.IntVar(&o.nodes, "nodes", 3, "number of nodes to create if the cluster has none")
	flags.UintVar(&o.leaseSeconds, "node-lease-seconds", 40, "duration of the nodes' leases, renewed four times as often; 0 for none (default with more than 100 nodes)")
	flags.StringVar(&o.components, "components", strings.Join(optionalComponents, ","), "what runs beside etcd and the API server; nodes are kubelets, kwok and the provisioner of volumes, dns is CoreDNS in two of their pods")
	flags.Parse(os.Args[1:])
	if !isSet(flags, "node-lease-seconds") && o.nodes > 100 {
		o.leaseSeconds = 0
	}
	if err := o.validate(flags.NArg()); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, o)
	stop()
	if err != nil {
		progress("%v; see the logs in %s", err, o.folder)
		os.Exit(1)
	}
	progress("stopped")
}

func isSet(flags *flag.FlagSet, name string) bool {
	found := false
	flags.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

func (o *options) validate(arguments int) error {
	if arguments > 0 {
		return errors.New("there are no arguments, only flags")
	}
	if o.folder == "" {
		return errors.New("-dir is missing")
	}
	if o.nodes < 0 || o.nodes > 50_000 {
		return errors.New("-nodes must be between 0 and 50000")
	}
	for name := range strings.SplitSeq(o.components, ",") {
		if name != "" && !isOptionalComponent(name) {
			return fmt.Errorf("-components: %q is none of %s", name, strings.Join(optionalComponents, ", "))
		}
	}
	var err error
	o.folder, err = filepath.Abs(o.folder)
	return err
}

var started = time.Now()

// progress prints a line on stderr, with the time since the start.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%7.3fs  %s\n", time.Since(started).Seconds(), fmt.Sprintf(format, args...))
}
