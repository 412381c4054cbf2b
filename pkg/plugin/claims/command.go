package claims

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const (
	defaultUsageTimeout = 5 * time.Second
	// defaultUsageInterval is how often kubelets measure volumes.
	defaultUsageInterval = time.Minute
)

// UsageFlags are the flags about disk usage.
type UsageFlags struct {
	none    bool
	from    string
	timeout time.Duration
	every   time.Duration
}

// NewUsageFlags have their defaults.
func NewUsageFlags() *UsageFlags {
	return &UsageFlags{from: string(UsageAuto), timeout: defaultUsageTimeout, every: defaultUsageInterval}
}

// AddFlags gives them to a command.
func (f *UsageFlags) AddFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.from, "usage-from", f.from, "Where disk usage comes from. One of: (auto, kubelet, exec, none). kubelet requires permission to get nodes/proxy; exec runs df in the containers, which requires pods/exec; auto runs df where a kubelet does not report usage.")
	cmd.Flags().BoolVar(&f.none, "no-usage", false, "Don't read disk usage; the same as --usage-from=none.")
	cmd.Flags().DurationVar(&f.timeout, "usage-timeout", f.timeout, "Timeout for reading disk usage from each kubelet and each df.")
	cmd.Flags().DurationVar(&f.every, "usage-interval", f.every, "How often --watch reads disk usage again.")
	cmd.MarkFlagsMutuallyExclusive("usage-from", "no-usage")
	_ = cmd.RegisterFlagCompletionFunc("usage-from", cobra.FixedCompletions(usageSources(), cobra.ShellCompDirectiveNoFileComp))
}

// ToQuery is what they mean.
func (f *UsageFlags) ToQuery() UsageQuery {
	q := UsageQuery{From: UsageSource(f.from), Timeout: f.timeout, Interval: f.every}
	if f.none {
		q.From = UsageNone
	}
	return q
}

// Validate checks a query that was made of flags.
func (q *UsageQuery) Validate() error {
	switch {
	case !slices.Contains(usageSources(), string(q.From)):
		return fmt.Errorf("invalid --usage-from %q: must be one of %s", q.From, strings.Join(usageSources(), ", "))
	case q.From != UsageNone && q.Timeout <= 0:
		return fmt.Errorf("invalid --usage-timeout %q: must be positive; --no-usage skips disk usage", q.Timeout)
	case q.Interval < time.Second:
		return fmt.Errorf("invalid --usage-interval %q: must be at least 1s", q.Interval)
	}
	return nil
}
