package kube

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/plugin/pkg/client/auth/exec"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/kubectl/pkg/config"
	"k8s.io/kubectl/pkg/config/scheme"
)

// Preferences are what of kubectl's own preferences (kuberc) holds for a plugin. Their types and what they are decoded with are kubectl's;
// its package that applies them is left out, since with it come kustomize and discovery.
type Preferences struct {
	// Defaults are values of flags, by the subcommand: the file names it as "doik check".
	Defaults map[string]map[string]string

	policy clientcmdapi.PluginPolicy
}

const (
	// kubercVariable names the file, or is kubercOff.
	kubercVariable, kubercOff = "KUBERC", "off"
	// kubercFile is in the folder of the kubeconfig, and need not exist.
	kubercFile = "kuberc"
	// pluginCommand is what the names of this plugin's commands begin with in a kuberc.
	pluginCommand = "doik "
)

// ReadPreferences reads the kuberc as kubectl does: the file of --kuberc, else of KUBERC ("off" for none), else ~/.kube/kuberc. If the last
// can't be read, that is a warning.
func ReadPreferences(flags *Connection, warnings io.Writer) (Preferences, error) {
	p := Preferences{}
	file, named := flags.kuberc, true
	switch variable := os.Getenv(kubercVariable); {
	case variable == kubercOff && file != "":
		return p, errors.New("--kuberc can't be combined with KUBERC=off")
	case variable == kubercOff:
		return p, nil
	case file == "" && variable != "":
		file = variable
	case file == "":
		file, named = filepath.Join(clientcmd.RecommendedConfigDir, kubercFile), false
	}
	text, err := os.ReadFile(file) //nolint:gosec // the user names their own preferences
	if errors.Is(err, fs.ErrNotExist) && !named {
		return p, nil
	}
	var found *config.Preference
	if err == nil {
		found, err = decodePreferences(text)
	}
	switch {
	case err != nil && named:
		return p, fmt.Errorf("reading the kuberc: %w", err)
	case err != nil:
		fmt.Fprintf(warnings, "warning: ignoring preferences in %s: %s\n", file, oneLine(err))
		return p, nil
	case found == nil:
		return p, nil
	}
	p.policy = policyOf(found)
	if err := exec.ValidatePluginPolicy(p.policy); err != nil {
		return p, fmt.Errorf("reading the kuberc: %w", err)
	}
	p.Defaults = defaultsOf(found)
	return p, nil
}

// decodePreferences takes the first document that is of a version that is known; nil if there is none in an empty file. Fields that are
// not known are let pass, as kubectl does with a warning of its own.
func decodePreferences(text []byte) (*config.Preference, error) {
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	var failed error
	for {
		document, err := documents.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil, failed
		case err != nil:
			return nil, err
		case len(bytes.TrimSpace(document)) == 0:
			continue
		}
		object, kind, err := scheme.LenientCodecs.UniversalDecoder().Decode(document, nil, nil)
		if err != nil {
			failed = err
			continue
		}
		if found, ok := object.(*config.Preference); ok {
			return found, nil
		}
		failed = fmt.Errorf("%s is not a kind of preferences", kind)
	}
}

// policyOf is which login programs may be run.
func policyOf(found *config.Preference) clientcmdapi.PluginPolicy {
	policy := clientcmdapi.PluginPolicy{PolicyType: clientcmdapi.PolicyType(found.CredentialPluginPolicy)}
	if found.CredentialPluginAllowlist != nil {
		policy.Allowlist = []clientcmdapi.AllowlistEntry{}
	}
	for _, entry := range found.CredentialPluginAllowlist {
		policy.Allowlist = append(policy.Allowlist, clientcmdapi.AllowlistEntry(entry))
	}
	return policy
}

// defaultsOf are the values of flags of this plugin's commands.
func defaultsOf(found *config.Preference) map[string]map[string]string {
	defaults := map[string]map[string]string{}
	for _, of := range found.Defaults {
		command, ours := strings.CutPrefix(strings.Join(strings.Fields(of.Command), " "), pluginCommand)
		if !ours {
			continue
		}
		if defaults[command] == nil {
			defaults[command] = map[string]string{}
		}
		for _, option := range of.Options {
			defaults[command][option.Name] = option.Default
		}
	}
	return defaults
}
