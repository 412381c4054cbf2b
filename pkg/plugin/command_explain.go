package plugin

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

func newExplainCommand(streams genericiooptions.IOStreams) *cobra.Command {
	return &cobra.Command{
		Use:                   "explain [CODE | FAMILY]",
		DisableFlagsInUseLine: true,
		Short:                 "What a finding means, why it matters, and what to do",
		Long: templates.LongDesc(`
			Explain a finding code: what it means, why it matters, what it is based on, and what to do. A family of codes
			(STS, VOL, DNS, NODE, ENDP, MYSQL, PG, CHECK) is listed; without an argument, all of them are. It needs no cluster and no network.`),
		Example: templates.Examples(`
			# What does STS010 mean?
			kubectl doik explain STS010

			# All DNS findings
			kubectl doik explain DNS

			# All findings
			kubectl doik explain`),
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return explain(streams.Out, strings.ToUpper(strings.Join(args, "")))
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var codes, families []string
			for _, kind := range finding.Catalogue() {
				codes = append(codes, string(kind.Code)+"\t"+kind.Title)
				if family := finding.Family(kind.Code) + "\tall codes of the family"; !slices.Contains(families, family) {
					families = append(families, family)
				}
			}
			return append(families, codes...), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		},
	}
}

// explain writes about a code, the codes of a family, or all.
func explain(out io.Writer, name string) error {
	all := finding.Catalogue()
	if i := slices.IndexFunc(all, func(k finding.Kind) bool { return string(k.Code) == name }); i >= 0 {
		kind := all[i]
		_, err := fmt.Fprintf(out, "%s (%s): %s\n", kind.Code, kind.Severity, kind.Title)
		if section := finding.Section(kind.Code); err == nil && section != "" {
			_, err = fmt.Fprintf(out, "\n%s\n", section)
		}
		return err
	}
	listed := slices.DeleteFunc(slices.Clone(all), func(k finding.Kind) bool { return name != "" && finding.Family(k.Code) != name })
	if len(listed) == 0 {
		return unknownCode(all, name)
	}
	for _, kind := range listed {
		if _, err := fmt.Fprintf(out, "%-9s %-24s %s\n", kind.Code, kind.Severity, kind.Title); err != nil {
			return err
		}
	}
	return nil
}

// unknownCode says what is no code and no family, and what may have been meant.
func unknownCode(all []finding.Kind, name string) error {
	var names []string
	for _, kind := range all {
		if names = append(names, string(kind.Code)); !slices.Contains(names, finding.Family(kind.Code)) {
			names = append(names, finding.Family(kind.Code))
		}
	}
	if near := finding.Nearest(name, names); len(near) > 0 {
		return fmt.Errorf("%q is not a finding code: did you mean %s?", name, strings.Join(near, " or "))
	}
	return fmt.Errorf("%q is not a finding code: kubectl doik explain lists them", name)
}
