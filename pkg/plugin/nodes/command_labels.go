package nodes

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
)

// The flags of LabelFlags: they mean the same for a saved snapshot.
const (
	flagSpotLabel     = "spot-label"
	flagOnDemandLabel = "on-demand-label"
)

// LabelFlags are the flags that tell what a cluster's own labels mean. They are check's too.
type LabelFlags struct{ spot, onDemand []string }

// LabelFlagNames are the names of the flags.
func LabelFlagNames() []string { return []string{flagSpotLabel, flagOnDemandLabel} }

// AddFlags adds them to a command.
func (f *LabelFlags) AddFlags(cmd *cobra.Command) {
	const more = "in this cluster. It takes precedence over all other labels; can be repeated."
	cmd.Flags().StringArrayVar(&f.spot, flagSpotLabel, nil, "A label, KEY=VALUE, that marks spot nodes "+more)
	cmd.Flags().StringArrayVar(&f.onDemand, flagOnDemandLabel, nil, "A label, KEY=VALUE, that marks on-demand nodes "+more)
	for _, name := range LabelFlagNames() {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}

// ToLabels checks the flags.
func (f *LabelFlags) ToLabels() ([]capacity.OwnLabel, error) {
	spot, err := capacity.ParseOwnLabels(v1alpha1.CapacitySpot, f.spot)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flagSpotLabel, err)
	}
	onDemand, err := capacity.ParseOwnLabels(v1alpha1.CapacityOnDemand, f.onDemand)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flagOnDemandLabel, err)
	}
	for _, l := range onDemand {
		if slices.ContainsFunc(spot, func(s capacity.OwnLabel) bool { return s.Key == l.Key && s.Value == l.Value }) {
			return nil, fmt.Errorf("--%s and --%s are the same label: %s=%s", flagSpotLabel, flagOnDemandLabel, l.Key, l.Value)
		}
	}
	return append(spot, onDemand...), nil
}
