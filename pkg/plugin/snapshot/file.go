// Package snapshot is a file that holds what a command read of a cluster: --save-snapshot writes it, --snapshot analyzes it in place of a
// cluster. The package is pure; reading and writing the file itself belongs to package scope.
package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// Kind is the file's kind; its apiVersion is that of reports.
const Kind = "Snapshot"

// Format is the newest format of the file that is known, and the one that is written. A change that renames or removes a field of a command's
// snapshot, or gives it another meaning, adds one and an entry to upgrades. A field that is added needs neither: older files lack it.
const Format = 1

// upgrades turn the data of a file of a format into that of the next; the first is of format 1.
var upgrades = [Format - 1]func(of string, data map[string]any){}

// Header is what a file says of itself, above its data.
type Header struct {
	metav1.TypeMeta `json:",inline"`
	// Format is the version of the file's structure.
	Format int `json:"format"`
	// Of is the kind of the report that is made from the data.
	Of string `json:"of"`
	// Metadata says when what was read was judged, by which version of the plugin, and of which cluster.
	Metadata v1alpha1.ReportMeta `json:"metadata"`
	// Scope is what was looked at.
	Scope Scope `json:"scope"`
}

// Scope is what the command that saved the file was asked to look at.
type Scope struct {
	// Namespace is empty if all namespaces were looked at; then AllNamespaces is true.
	Namespace     string   `json:"namespace,omitempty"`
	AllNamespaces bool     `json:"allNamespaces,omitempty"`
	Names         []string `json:"names,omitempty"`
	Selector      string   `json:"selector,omitempty"`
}

// File is a file that has been read.
type File struct {
	Header
	// data is the command's snapshot in JSON, in the newest format.
	data json.RawMessage
}

// Encode writes a command's snapshot, without what may be secret (see Clean), as YAML: first the header, so that a person who opens the file
// sees what it is.
func Encode(h Header, data any) ([]byte, error) {
	h.APIVersion, h.Kind, h.Format = v1alpha1.APIVersion, Kind, Format
	head, err := yaml.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encoding the snapshot: %w", err)
	}
	body, err := yaml.Marshal(map[string]any{"data": Clean(data)})
	if err != nil {
		return nil, fmt.Errorf("encoding the snapshot: %w", err)
	}
	return append(append([]byte("# What kubectl doik read of a cluster: kubectl doik COMMAND --snapshot THIS-FILE analyzes it.\n"), head...), body...), nil
}

// Decode reads a file of this format or an older one.
func Decode(text []byte) (*File, error) {
	var f struct {
		Header `json:",inline"`
		Data   json.RawMessage `json:"data"`
	}
	if err := yaml.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("it is not YAML as --save-snapshot writes it: %w", firstLine(err))
	}
	switch group, _, _ := strings.Cut(v1alpha1.APIVersion, "/"); {
	case f.Kind != Kind || !strings.HasPrefix(f.APIVersion, group+"/"):
		return nil, errors.New("it is not a file that --save-snapshot wrote")
	case f.Format > Format || f.APIVersion != v1alpha1.APIVersion:
		return nil, fmt.Errorf("it was saved by a newer version of the plugin (%s, format %d; this one reads formats up to %d): update the plugin, for example with kubectl krew upgrade doik",
			f.Metadata.Version, f.Format, Format)
	case f.Format < 1 || f.Of == "" || len(f.Data) == 0:
		return nil, errors.New("it is incomplete: format, of or data is missing")
	}
	file := &File{Header: f.Header, data: f.Data}
	return file, file.upgrade()
}

// upgrade brings the data to the newest format.
func (f *File) upgrade() error {
	if f.Format == Format {
		return nil
	}
	var data map[string]any
	if err := json.Unmarshal(f.data, &data); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	for _, up := range upgrades[f.Format-1:] {
		up(f.Of, data)
	}
	var err error
	f.data, err = json.Marshal(data)
	return err
}

// Into decodes the data into a command's snapshot. of is the kind of the command's report; within is the field of check's snapshot that holds
// the same, empty if none does.
func (f *File) Into(of, within string, into any) error {
	data := f.data
	if f.Of != of {
		if f.Of != checkKind || within == "" {
			return fmt.Errorf("it holds what %s shows: use that command", commandOf(f.Of))
		}
		var parts map[string]json.RawMessage
		if err := json.Unmarshal(data, &parts); err != nil {
			return fmt.Errorf("data: %w", err)
		}
		if data = parts[within]; len(data) == 0 {
			return fmt.Errorf("the check that saved it did not read what this command shows")
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		if strings.Contains(err.Error(), "unknown field") {
			return fmt.Errorf("it was saved by another version of the plugin (%s), which writes what this one does not know (%w): update the plugin", f.Metadata.Version, err)
		}
		return fmt.Errorf("data: %w", err)
	}
	return nil
}

// checkKind is the kind of check's report, whose snapshot holds those of other commands.
const checkKind = "HealthCheck"

// commandOf names the command that makes a report of a kind.
func commandOf(kind string) string {
	commands := map[string]string{
		checkKind: "check", "SetStatus": "sts-status", "HeadlessDNS": "dns", "DatabaseTopology": "topology", "DatabaseReads": "reads",
		"NodeCapacity": "nodes", "ClusterEndpoint": "endpoint",
	}
	if command, ok := commands[kind]; ok {
		return "kubectl doik " + command
	}
	return "a command that this version of the plugin does not have (" + kind + ")"
}

// firstLine keeps an error to one line.
func firstLine(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}
