package plugin

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// releaseVersion is set by the release's linker flags; builds from a checkout or by go install tell their module's version.
var releaseVersion string

const versionTimeout = 10 * time.Second

func newVersionCommand(connection *kube.Connection, streams genericiooptions.IOStreams) *cobra.Command {
	flags := printers.NewFlags()
	clientOnly := false
	cmd := &cobra.Command{
		Use:                   "version",
		DisableFlagsInUseLine: true,
		Short:                 "Versions of this plugin and of the API server, and whether they are compatible",
		Example: templates.Examples(`
			# Both versions and their skew
			kubectl doik version

			# Without a cluster
			kubectl doik version --client

			# For a script
			kubectl doik version -o jsonpath='{.client.version}'`),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			printer, err := flags.ToPrinter(streams.Out)
			if err != nil {
				return err
			}
			report := &v1alpha1.Version{
				TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.APIVersion, Kind: v1alpha1.KindVersion},
				Client:   clientVersion(),
			}
			var failed error
			if !clientOnly {
				failed = addServerVersion(cmd.Context(), report, connection, streams)
			}
			err = printer.Print(streams.Out, printers.Document{Report: report, Table: func() printers.Table { return versionTable(report) }})
			if err != nil {
				return err
			}
			return failed
		},
	}
	flags.AddFlags(cmd)
	cmd.Flags().BoolVar(&clientOnly, "client", false, "Don't ask the API server.")
	return cmd
}

func clientVersion() v1alpha1.ClientVersion {
	c := v1alpha1.ClientVersion{
		Version: releaseVersion, Kubernetes: kube.LibraryVersion(), GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return c
	}
	if c.Version == "" {
		c.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			c.Commit = setting.Value
		}
	}
	return c
}

func addServerVersion(ctx context.Context, report *v1alpha1.Version, connection *kube.Connection, streams genericiooptions.IOStreams) error {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	cluster, err := kube.Connect(connection, streams.ErrOut)
	if err != nil {
		return err
	}
	info, err := cluster.ServerVersion(ctx)
	if err != nil {
		return kube.Explain(err)
	}
	report.Server = &v1alpha1.ServerVersion{Version: info.GitVersion, Platform: info.Platform}
	report.Skew = kube.ClientSkew(report.Client.Kubernetes, info.GitVersion)
	return nil
}

func versionTable(v *v1alpha1.Version) printers.Table {
	row := func(what, value string) []printers.Cell {
		return []printers.Cell{printers.Text(what), printers.Text(value)}
	}
	client := v.Client.Version + " " + v.Client.Platform + " " + v.Client.GoVersion
	if v.Client.Commit != "" {
		client += " " + v.Client.Commit
	}
	rows := [][]printers.Cell{row("client", client), row("client-libraries", "Kubernetes "+v.Client.Kubernetes)}
	if v.Server != nil {
		rows = append(rows, row("server", v.Server.Version+" "+v.Server.Platform))
	}
	if v.Skew != nil {
		rows = append(rows, skewRow(v.Skew))
	}
	return printers.Table{Columns: []printers.ColumnHead{{Title: "COMPONENT"}, {Title: "VERSION"}}, Blocks: []printers.Block{{Rows: rows}}}
}

func skewRow(s *v1alpha1.VersionSkew) []printers.Cell {
	cell := printers.Text("none")
	switch {
	case s.Minor == 1 || s.Minor == -1:
		cell.Text = "1 minor version: supported"
	case !s.Supported:
		cell = printers.Cell{Text: fmt.Sprintf("%d minor versions: not supported, at most %d is", max(s.Minor, -s.Minor), kube.SupportedClientSkew), Level: printers.Warn}
	}
	return []printers.Cell{printers.Text("skew"), cell}
}
