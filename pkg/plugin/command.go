// Package plugin is the command line of kubectl doik: the root command with its subcommands.
package plugin

import (
	"bytes"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"
	"k8s.io/kubectl/pkg/util/term"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/check"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dns"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/endpoint"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/mysqlquery"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/mysqlreads"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/mysqltopology"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/nodes"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/scope"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/stsstatus"
)

var rootLong = templates.LongDesc(`
	kubectl doik checks databases on Kubernetes: what runs, what is missing, and why.

	It only reads the cluster; the one thing it makes is the short-lived pod in which dns and endpoint ask, and which they remove.
	Exit codes: 0 done, whatever the health; 1 it could not be done; 3 with --fail-on and a finding that severe.`)

// NewCommand makes the root command with all subcommands.
func NewCommand(streams genericiooptions.IOStreams) *cobra.Command {
	root := &cobra.Command{
		Use:           "kubectl-doik",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl doik"},
		Short:         "Check databases on Kubernetes",
		Long:          rootLong,
		SilenceErrors: true,
		SilenceUsage:  true,
		Run:           func(cmd *cobra.Command, _ []string) { _ = cmd.Help() },
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.ErrOut)
	root.CompletionOptions.DisableDefaultCmd = true

	connection := kube.NewConnection()
	connection.AddFlags(root.PersistentFlags())
	addLogging(root, streams.ErrOut)

	groups := templates.CommandGroups{{
		Message: "StatefulSets:",
		Commands: []*cobra.Command{
			withNames(check.NewCommand(scope.NewFlags(connection, streams)), connection, statefulSetNames),
			withNames(stsstatus.NewCommand(scope.NewFlags(connection, streams)), connection, statefulSetNames),
			withDNSNames(dns.NewCommand(scope.NewFlags(connection, streams)), connection),
		},
	}, {
		Message: "The cluster:",
		Commands: []*cobra.Command{
			withNames(nodes.NewCommand(scope.NewFlags(connection, streams)), connection, nodeNames),
			endpoint.NewCommand(scope.NewFlags(connection, streams)),
		},
	}, {
		Message: "MySQL and MariaDB:",
		Commands: []*cobra.Command{
			withNames(mysqltopology.NewCommand(scope.NewFlags(connection, streams)), connection, statefulSetNames),
			withNames(mysqlreads.NewCommand(scope.NewFlags(connection, streams)), connection, serviceNames),
			withNames(mysqlquery.NewCommand(scope.NewFlags(connection, streams)), connection, statefulSetNames),
		},
	}, {
		Message:  "About this plugin:",
		Commands: []*cobra.Command{newVersionCommand(connection, streams), newCompletionCommand(streams)},
	}}
	groups.Add(root)
	root.AddCommand(newOptionsCommand())
	templates.ActsAsRootCommand(root, []string{"options", "help"}, groups...)
	root.SetUsageFunc(usageAsPlugin(root.UsageFunc()))
	completeConnection(root, connection)
	return root
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
