package plugin

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dns"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// completionTimeout keeps a shell from hanging on a cluster that does not answer.
const completionTimeout = 3 * time.Second

// pluginCompletion is the program that kubectl calls to complete the words after kubectl doik. Its name is
// kubectl_complete-doik.
const pluginCompletion = `#!/usr/bin/env sh
# Completes kubectl doik …: put this on PATH as kubectl_complete-doik, executable.
exec kubectl-doik __complete "$@"
`

func newCompletionCommand(streams genericiooptions.IOStreams) *cobra.Command {
	shells := map[string]func(*cobra.Command, io.Writer) error{
		"kubectl":    func(_ *cobra.Command, w io.Writer) error { _, err := io.WriteString(w, pluginCompletion); return err },
		"bash":       func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"zsh":        func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletion(w) },
		"fish":       func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
		"powershell": func(root *cobra.Command, w io.Writer) error { return root.GenPowerShellCompletionWithDesc(w) },
	}
	names := slices.Sorted(maps.Keys(shells))
	return &cobra.Command{
		Use:                   "completion [" + strings.Join(names, "|") + "]",
		DisableFlagsInUseLine: true,
		Short:                 "Generate shell completion for names, namespaces, contexts and flags",
		Long: templates.LongDesc(`
			Print a script for shell completion.

			To complete "kubectl doik", kubectl runs a program named kubectl_complete-doik from PATH, in every shell with kubectl's own
			completion: the argument "kubectl" prints that program. The other scripts complete the command kubectl-doik itself.`),
		Example: templates.Examples(`
			# Complete kubectl doik: install the program into a directory on PATH
			kubectl doik completion kubectl > ~/.local/bin/kubectl_complete-doik && chmod +x ~/.local/bin/kubectl_complete-doik

			# Complete kubectl-doik in this bash
			source <(kubectl doik completion bash)

			# Complete kubectl-doik in fish
			kubectl doik completion fish > ~/.config/fish/completions/kubectl-doik.fish`),
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			return shells[args[0]](cmd.Root(), streams.Out)
		},
	}
}

// names lists the names of one kind of object.
type names func(ctx context.Context, c *kube.Cluster, add func(name string)) error

func statefulSetNames(ctx context.Context, c *kube.Cluster, add func(string)) error {
	return c.EachStatefulSet(ctx, kube.Query{Namespace: c.Namespace}, func(set *appsv1.StatefulSet) { add(set.Name) })
}

func claimNames(ctx context.Context, c *kube.Cluster, add func(string)) error {
	return c.EachClaim(ctx, kube.Query{Namespace: c.Namespace}, func(claim *corev1.PersistentVolumeClaim) { add(claim.Name) })
}

func serviceNames(ctx context.Context, c *kube.Cluster, add func(string)) error {
	return c.EachService(ctx, kube.Query{Namespace: c.Namespace}, func(service *corev1.Service) { add(service.Name) })
}

func nodeNames(ctx context.Context, c *kube.Cluster, add func(string)) error {
	return c.EachNode(ctx, kube.Query{}, func(node *corev1.Node) { add(node.Name) })
}

// withNames completes the arguments of a command with names, also after kind/.
func withNames(cmd *cobra.Command, connection *kube.Connection, list names) *cobra.Command {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		prefix := ""
		if kind, _, ok := strings.Cut(typed, "/"); ok {
			prefix = kind + "/"
		}
		return complete(cmd.Context(), connection, typed, args, func(ctx context.Context, c *kube.Cluster, add func(string)) error {
			return list(ctx, c, func(name string) { add(prefix + name) })
		})
	}
	return cmd
}

// withSetNames completes the arguments of a command with StatefulSets, and with the sets of operators as kind/name.
func withSetNames(cmd *cobra.Command, connection *kube.Connection) *cobra.Command {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		prefix := ""
		if kind, _, ok := strings.Cut(typed, "/"); ok && sets.Called(kind) == objects.KindStatefulSet {
			prefix = kind + "/"
		}
		return complete(cmd.Context(), connection, typed, args, func(ctx context.Context, c *kube.Cluster, add func(string)) error {
			err := statefulSetNames(ctx, c, func(name string) { add(prefix + name) })
			others, _ := sets.Collect(ctx, c, kube.Query{Namespace: c.Namespace})
			for i := range others {
				add(others[i].Argument())
			}
			return err
		})
	}
	return cmd
}

// withDNSNames completes the arguments of kubectl doik dns with StatefulSets and Services, and --from with pods.
func withDNSNames(cmd *cobra.Command, connection *kube.Connection) *cobra.Command {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		return complete(cmd.Context(), connection, typed, args, func(ctx context.Context, c *kube.Cluster, add func(string)) error {
			q := kube.Query{Namespace: c.Namespace}
			both := func(kind, name string) {
				add(kind + "/" + name)
				if typed != "" {
					add(name)
				}
			}
			if err := c.EachStatefulSet(ctx, q, func(set *appsv1.StatefulSet) { both("sts", set.Name) }); err != nil {
				return err
			}
			return c.EachService(ctx, q, func(service *corev1.Service) { both("svc", service.Name) })
		})
	}
	_ = cmd.RegisterFlagCompletionFunc("from", func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		kind, _, ok := strings.Cut(typed, "/")
		if !ok {
			return dns.Forms(), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
		return complete(cmd.Context(), connection, typed, nil, func(ctx context.Context, c *kube.Cluster, add func(string)) error {
			return c.EachPod(ctx, kube.Query{Namespace: c.Namespace}, func(pod *corev1.Pod) { add(kind + "/" + pod.Name) })
		})
	})
	_ = cmd.RegisterFlagCompletionFunc("from-labels", func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return complete(cmd.Context(), connection, typed, nil, func(ctx context.Context, c *kube.Cluster, add func(string)) error {
			return c.EachStatefulSet(ctx, kube.Query{Namespace: c.Namespace}, func(set *appsv1.StatefulSet) { add("sts/" + set.Name) })
		})
	})
	return cmd
}

// completeConnection completes kubectl's connection flags: from the cluster what is there, from the kubeconfig the rest.
func completeConnection(root *cobra.Command, connection *kube.Connection) {
	type completion = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)
	namespaces := func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return complete(cmd.Context(), connection, typed, nil, func(ctx context.Context, c *kube.Cluster, add func(string)) error {
			return c.EachNamespace(ctx, kube.Query{}, func(ns *corev1.Namespace) { add(ns.Name) })
		})
	}
	fromKubeconfig := func(names func(kube.Kubeconfig) []string) completion {
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			config, err := kube.ReadKubeconfig(connection)
			if err != nil {
				return nil, cobra.ShellCompDirectiveError
			}
			return names(config), cobra.ShellCompDirectiveNoFileComp
		}
	}
	for flag, f := range map[string]completion{
		"namespace": namespaces,
		"context":   fromKubeconfig(func(c kube.Kubeconfig) []string { return c.Contexts }),
		"cluster":   fromKubeconfig(func(c kube.Kubeconfig) []string { return c.Clusters }),
		"user":      fromKubeconfig(func(c kube.Kubeconfig) []string { return c.Users }),
	} {
		if err := root.RegisterFlagCompletionFunc(flag, f); err != nil {
			panic(fmt.Sprintf("completion of --%s: %v", flag, err)) // a flag that ConfigFlags no longer has: found by any test
		}
	}
}

// complete asks the cluster for names; those that are arguments already are left out.
func complete(ctx context.Context, connection *kube.Connection, typed string, args []string, list names) ([]string, cobra.ShellCompDirective) {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionTimeout)
	defer cancel()
	cluster, err := kube.Connect(connection, io.Discard)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var found []string
	err = list(ctx, cluster, func(name string) {
		if strings.HasPrefix(name, typed) && !slices.Contains(args, name) {
			found = append(found, name)
		}
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}
