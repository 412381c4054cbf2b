package scope

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// CompleteList completes a list of values with commas between them; a value may have a description after a tab.
func CompleteList(values []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		given := strings.Split(before, ",")
		var list []string
		for _, value := range values {
			if name, _, _ := strings.Cut(value, "\t"); !slices.Contains(given, name) {
				list = append(list, before+value)
			}
		}
		return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveKeepOrder
	}
}

// CompleteColumns completes --sort-by of a command with the titles of its table's columns, after a - too. It comes after AddFlags.
func CompleteColumns(cmd *cobra.Command, table func() printers.Table) {
	_ = cmd.RegisterFlagCompletionFunc(printers.SortFlag, func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		descending := ""
		if strings.HasPrefix(typed, "-") {
			descending = "-"
		}
		var titles []string
		for _, column := range table().Columns {
			titles = append(titles, descending+column.Title)
		}
		return titles, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	})
}
