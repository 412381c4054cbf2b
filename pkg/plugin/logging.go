package plugin

import (
	"flag"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
)

// addLogging adds kubectl's -v. Without it the client libraries' own log goes nowhere: it repeats what errors say already, and
// tells of connections that end as they should.
func addLogging(root *cobra.Command, errOut io.Writer) {
	setLogging(io.Discard, 0)
	verbosity := root.PersistentFlags().IntP("v", "v", 0, "Number for the log level verbosity, as kubectl has it: 6 shows requests, 9 their contents.")
	root.PersistentPreRun = func(*cobra.Command, []string) {
		if *verbosity > 0 {
			setLogging(errOut, *verbosity)
		}
	}
}

func setLogging(to io.Writer, verbosity int) {
	flags := flag.NewFlagSet("klog", flag.PanicOnError)
	klog.InitFlags(flags)
	settings := map[string]string{"logtostderr": "false", "alsologtostderr": "false", "stderrthreshold": "FATAL", "one_output": "true", "v": strconv.Itoa(verbosity)}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		_ = flags.Set(name, settings[name]) // constants, and a number
	}
	klog.SetOutput(to)
}
