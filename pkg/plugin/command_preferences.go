package plugin

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
)

// addPreferences gives flags that are not on the command line the values that the user's kuberc has for the command, as kubectl does for its
// own commands.
func addPreferences(root *cobra.Command, connection *kube.Connection, warnings io.Writer) {
	beforeRun(root, func(cmd *cobra.Command) error {
		preferences, err := kube.ReadPreferences(connection, warnings)
		if err != nil {
			return err
		}
		values := preferences.Defaults[cmd.Name()]
		for _, name := range slices.Sorted(maps.Keys(values)) {
			flag := cmd.Flags().Lookup(name)
			if flag == nil {
				return fmt.Errorf("the kuberc sets a default for --%s of doik %s, which has no such flag", name, cmd.Name())
			}
			if flag.Changed {
				continue
			}
			if err := cmd.Flags().Set(name, values[name]); err != nil {
				return fmt.Errorf("the kuberc's default for doik %s: %w", cmd.Name(), err)
			}
			if err := cmd.Flags().SetAnnotation(name, scope.PreferenceAnnotation, []string{"true"}); err != nil {
				return err
			}
		}
		return nil
	})
}
