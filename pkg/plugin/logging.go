package plugin

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

// addLogging adds kubectl's -v. Without it the client libraries' own log goes nowhere: it repeats what errors say already, and
// reports connections that end as they should.
func addLogging(root *cobra.Command, errOut io.Writer) {
	setLogging(io.Discard, 0)
	verbosity := root.PersistentFlags().IntP("v", "v", 0, "Number for the log level verbosity, as for kubectl: 6 shows requests, 8 and above also their contents, without Secrets, values of environment variables, commands and tokens.")
	beforeRun(root, func(*cobra.Command) error {
		if *verbosity > 0 {
			setLogging(errOut, *verbosity)
		}
		return nil
	})
}

// beforeRun adds a step that every command begins with.
func beforeRun(root *cobra.Command, step func(*cobra.Command) error) {
	earlier := root.PersistentPreRunE
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		if earlier != nil {
			if err := earlier(cmd, args); err != nil {
				return err
			}
		}
		return step(cmd)
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
	config := textlogger.NewConfig(textlogger.Verbosity(verbosity), textlogger.Output(to))
	klog.SetLoggerWithOptions(logr.New(maskingSink{textlogger.NewLogger(config).GetSink()}), klog.ContextualLogger(true))
}

// maskingSink lets nothing secret into the log: see kube.MaskText. Bodies as client-go logs them are left out, since a part of one does
// not show what in it is secret; kube logs them masked.
type maskingSink struct{ next logr.LogSink }

// clientGoBody is the key under which client-go logs a body.
const clientGoBody = "body"

func (s maskingSink) Init(info logr.RuntimeInfo) {
	info.CallDepth++ // this one
	s.next.Init(info)
}

func (s maskingSink) Enabled(level int) bool { return s.next.Enabled(level) }

func (s maskingSink) Info(level int, message string, pairs ...any) {
	if pairs, show := maskPairs(pairs); show {
		s.next.Info(level, kube.MaskText(message), pairs...)
	}
}

func (s maskingSink) Error(err error, message string, pairs ...any) {
	pairs, _ = maskPairs(pairs)
	s.next.Error(maskError(err), kube.MaskText(message), pairs...)
}

func (s maskingSink) WithName(name string) logr.LogSink { return maskingSink{s.next.WithName(name)} }

func (s maskingSink) WithValues(pairs ...any) logr.LogSink {
	pairs, _ = maskPairs(pairs)
	return maskingSink{s.next.WithValues(pairs...)}
}

func (s maskingSink) WithCallDepth(depth int) logr.LogSink {
	if next, ok := s.next.(logr.CallDepthLogSink); ok {
		return maskingSink{next.WithCallDepth(depth)}
	}
	return s
}

// maskPairs masks the values of keys and values; show is false if there is a body among them.
func maskPairs(pairs []any) (maskedPairs []any, show bool) {
	show = true
	maskedPairs = slices.Clone(pairs)
	for i := 1; i < len(pairs); i += 2 {
		if pairs[i-1] == clientGoBody {
			maskedPairs[i], show = "", false
			continue
		}
		switch v := pairs[i].(type) {
		case string:
			maskedPairs[i] = kube.MaskText(v)
		case []byte: // what goes through a tunnel
			maskedPairs[i] = fmt.Sprintf("[%d bytes]", len(v))
		case error:
			maskedPairs[i] = maskError(v)
		case fmt.Stringer:
			maskedPairs[i] = kube.MaskText(v.String())
		}
	}
	return maskedPairs, show
}

func maskError(err error) error {
	if err == nil {
		return nil
	}
	if text := kube.MaskText(err.Error()); text != err.Error() {
		return errors.New(text)
	}
	return err
}
