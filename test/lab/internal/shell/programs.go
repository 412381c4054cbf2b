package shell

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

func hostname(_ context.Context, c Container, args []string, s Streams) int {
	switch strings.Join(args, " ") {
	case "":
		fmt.Fprintln(s.Out, c.Hostname)
	case "-s", "--short":
		short, _, _ := strings.Cut(c.Hostname, ".")
		fmt.Fprintln(s.Out, short)
	case "-f", "--fqdn", "--long":
		fmt.Fprintln(s.Out, c.FQDN)
	case "-i", "-I", "--ip-address":
		fmt.Fprintln(s.Out, c.IP)
	default:
		fmt.Fprintln(s.Err, "hostname: you must be root to change the host name")
		return exitFailure
	}
	return exitOK
}

func cat(_ context.Context, c Container, args []string, s Streams) int {
	if len(args) == 0 {
		args = []string{"-"}
	}
	code := exitOK
	for _, path := range args {
		if path == "-" {
			if _, err := io.Copy(s.Out, s.In); err != nil {
				fmt.Fprintf(s.Err, "cat: -: %v\n", err)
				code = exitFailure
			}
			continue
		}
		content, ok := c.Files[path]
		if !ok {
			fmt.Fprintf(s.Err, "cat: %s: No such file or directory\n", path)
			code = exitFailure
			continue
		}
		io.WriteString(s.Out, content)
	}
	return code
}

func echo(_ context.Context, _ Container, args []string, s Streams) int {
	end := "\n"
	if len(args) > 0 && args[0] == "-n" {
		args, end = args[1:], ""
	}
	fmt.Fprint(s.Out, strings.Join(args, " "), end)
	return exitOK
}

// env prints all variables, or the values of those it is asked for (printenv NAME).
func env(_ context.Context, c Container, args []string, s Streams) int {
	if len(args) == 0 {
		for _, variable := range c.Env {
			fmt.Fprintln(s.Out, variable)
		}
		return exitOK
	}
	code := exitOK
	for _, name := range args {
		value, ok := c.lookup(name)
		if !ok {
			code = exitFailure
			continue
		}
		fmt.Fprintln(s.Out, value)
	}
	return code
}

// lookup finds a variable; as in a shell, the last of several of one name counts.
func (c Container) lookup(name string) (value string, ok bool) {
	for _, variable := range c.Env {
		if v, found := strings.CutPrefix(variable, name+"="); found {
			value, ok = v, true
		}
	}
	return value, ok
}

func sleep(ctx context.Context, _ Container, args []string, s Streams) int {
	if len(args) != 1 {
		fmt.Fprintln(s.Err, "sleep: missing operand")
		return exitFailure
	}
	if args[0] == "infinity" {
		<-ctx.Done()
		return exitFailure
	}
	seconds, err := strconv.ParseFloat(strings.TrimSuffix(args[0], "s"), 64)
	if err != nil || !(seconds >= 0 && seconds < 1e9) {
		fmt.Fprintf(s.Err, "sleep: invalid time interval '%s'\n", args[0])
		return exitFailure
	}
	select {
	case <-time.After(time.Duration(seconds * float64(time.Second))):
		return exitOK
	case <-ctx.Done():
		return exitFailure
	}
}
