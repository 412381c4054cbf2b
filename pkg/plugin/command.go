// Package plugin is the command line of kubectl doik: the root command with its subcommands.
package plugin

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"
	"k8s.io/kubectl/pkg/util/term"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/check"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbquery"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbreads"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbtopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dns"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/endpoint"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engines"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/nodes"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/stsstatus"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/volumes"
)

// readingOnly is what --print-rbac is given without a value.
const readingOnly = "reading"

// NewCommand makes the root command with all subcommands.
func NewCommand(streams genericiooptions.IOStreams) *cobra.Command {
	root, _ := newCommand(streams)
	return root
}

func newCommand(streams genericiooptions.IOStreams) (*cobra.Command, *kube.Connection) {
	root := &cobra.Command{
		Use:           "kubectl-doik",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl doik"},
		Short:         "Check databases on Kubernetes",
		Args:          noSuchCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	printRBAC := root.Flags().StringSlice("print-rbac", nil, "Print an RBAC role for everything that only reads; with =PART,… also for: "+partList()+". With -n, limited to that namespace as far as possible.")
	root.Flags().Lookup("print-rbac").NoOptDefVal = readingOnly
	_ = root.RegisterFlagCompletionFunc("print-rbac", scope.CompleteList(rbacPartNames()))
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	root.CompletionOptions.DisableDefaultCmd = true

	connection := kube.NewConnection()
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		if !cmd.Flags().Changed("print-rbac") {
			return cmd.Help()
		}
		parts := slices.DeleteFunc(slices.Clone(*printRBAC), func(part string) bool { return part == readingOnly })
		text, err := roles(parts, connection.Overrides.Context.Namespace)
		if err != nil {
			return err
		}
		_, err = io.WriteString(streams.Out, text)
		return err
	}
	connection.AddFlags(root.PersistentFlags())
	addLogging(root, streams.ErrOut)
	addPreferences(root, connection, streams.ErrOut)

	version := clientVersion().Version
	newScope := func() *scope.Flags { return scope.NewFlags(connection, streams, version) }
	alone := []answer{}
	for _, e := range engines.All() {
		topology := withNames(dbtopology.NewCommand(newScope(), e.Name+"-topology", e.Kinds, "Replication between "+e.Servers().Servers, e.Topology), connection, statefulSetNames)
		if e.Short != "" {
			topology.Aliases = []string{e.Short + "-topology"}
		}
		alone = append(alone, answer{topology, "kubectl doik " + e.Name + "-topology -o wide"})
		if e.IsRead() {
			alone = append(alone, answer{withNames(dbreads.NewCommand(newScope(), e.Name+"-reads", e.States()), connection, serviceNames), ""})
		}
		if e.IsQueried() {
			alone = append(alone, answer{withNames(dbquery.NewCommand(newScope(), e.Name+"-query", e.Name+"-topology", e.Servers()), connection, statefulSetNames), ""})
		}
	}
	questions := []question{{"Is anything wrong, and why?", []answer{
		{withSetNames(check.NewCommand(newScope()), connection), "kubectl doik check -A"},
	}}, {"What runs, what is missing, how full are the volumes?", []answer{
		{withSetNames(stsstatus.NewCommand(newScope()), connection), "kubectl doik sts-status mysql --watch"},
		{withNames(volumes.NewCommand(newScope()), connection, claimNames), "kubectl doik volumes -A --min-use=80"},
	}}, {"Do pods find each other by name?", []answer{
		{withDNSNames(dns.NewCommand(newScope()), connection), "kubectl doik dns sts/mysql"},
	}}, {"Which server replicates from which, how far behind, and which ones answer reads?", []answer{
		{withNames(dbtopology.NewCommand(newScope(), "topology", engines.Kinds(), "Replication between database servers", engines.Topologies()...), connection, statefulSetNames), "kubectl doik topology -o wide"},
		{withNames(dbreads.NewCommand(newScope(), "reads", engines.States()...), connection, serviceNames), "kubectl doik reads mysql-read"},
		{withNames(dbquery.NewCommand(newScope(), "query", "topology", engines.Queried()...), connection, statefulSetNames), "kubectl doik query sts/mysql 'SELECT @@server_id'"},
	}}, {"The same for one kind of database only?", alone}, {"What is lost if a node goes?", []answer{
		{withNames(nodes.NewCommand(newScope()), connection, nodeNames), "kubectl doik nodes --capacity-type=spot --pods"},
	}}, {"How is the API server reached?", []answer{
		{endpoint.NewCommand(newScope()), "kubectl doik endpoint --local-only"},
	}}, {"What does a finding mean?", []answer{
		{newExplainCommand(streams), "kubectl doik explain STS010"},
	}}, {"About this plugin", []answer{
		{newVersionCommand(connection, streams), "kubectl doik version"},
		{newCompletionCommand(streams), ""},
	}}}
	for _, q := range questions {
		for _, a := range q.commands {
			root.AddCommand(a.Command)
		}
	}
	root.AddCommand(newOptionsCommand())
	templates.ActsAsRootCommand(root, []string{"options", "help"}, templates.CommandGroups{}...)
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if cmd == root {
			writeOverview(cmd.OutOrStdout(), questions)
			return
		}
		help(cmd, args)
	})
	root.SetUsageFunc(usageAsPlugin(root.UsageFunc()))
	completeConnection(root, connection)
	return root, connection
}

// noSuchCommand refuses words that are no subcommand, and names those that may have been meant.
func noSuchCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() {
			names = append(names, cmd.Name())
			names = append(names, cmd.Aliases...)
		}
	}
	near := finding.Nearest(strings.ToLower(args[0]), names)
	for _, cmd := range root.Commands() {
		// What is asked for is often the end of a name, or a word of it: topology, reads, status.
		if words := strings.Split(cmd.Name(), "-"); len(near) == 0 && len(words) > 1 && len(finding.Nearest(strings.ToLower(args[0]), words)) > 0 {
			near = append(near, cmd.Name())
		}
	}
	if len(near) == 0 {
		return fmt.Errorf("unknown command %q for %q: kubectl doik --help lists all commands", args[0], root.CommandPath())
	}
	return fmt.Errorf("unknown command %q for %q: did you mean %s?", args[0], root.CommandPath(), strings.Join(near, " or "))
}

// usageAsPlugin calls the program what kubectl's users call it: kubectl's template knows only names of one word.
func usageAsPlugin(usage func(*cobra.Command) error) func(*cobra.Command) error {
	return func(cmd *cobra.Command) error {
		out := cmd.OutOrStderr()
		var text bytes.Buffer
		cmd.SetOut(&text)
		err := usage(cmd)
		cmd.SetOut(out)
		if err != nil {
			return err
		}
		_, err = io.WriteString(term.NewResponsiveWriter(out), strings.ReplaceAll(text.String(), "kubectl-doik <", "kubectl doik <"))
		return err
	}
}

// newOptionsCommand lists the flags that all subcommands have, which their own help leaves out, as kubectl options does.
func newOptionsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "options", Hidden: true, Run: func(cmd *cobra.Command, _ []string) { _ = cmd.Usage() }}
	templates.UseOptionsTemplates(cmd)
	return cmd
}
