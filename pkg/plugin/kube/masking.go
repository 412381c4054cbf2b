package kube

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
)

const (
	// masked stands in place of what a log does not show.
	masked = "<masked>"
	// lastApplied is the annotation in which kubectl apply keeps a whole manifest, environment and Secrets' data included.
	lastApplied = "kubectl.kubernetes.io/last-applied-configuration"
)

// secretsInText are what a log may carry outside of bodies: the command of an exec in its URL, and tokens.
var secretsInText = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`([?&]command=)[^&\s'"]*`), "${1}" + masked},
	{regexp.MustCompile(`(?i)(bearer |basic |negotiate )[-A-Za-z0-9._~+/=]+`), "${1}" + masked},
	{regexp.MustCompile(`(?i)(base64url\.bearer\.authorization\.k8s\.io\.)[-A-Za-z0-9._~+/=]+`), "${1}" + masked},
	{regexp.MustCompile(`(?i)((?:set-)?cookie: )[^"'\n]*`), "${1}" + masked},
}

// MaskText is a text of a log without the commands that are run in containers and without tokens.
func MaskText(text string) string {
	for _, s := range secretsInText {
		text = s.pattern.ReplaceAllString(text, s.with)
	}
	return text
}

// maskBody is what a log shows of the body of a request or of an answer: JSON without values of environment variables, without
// containers' commands and without the annotation of kubectl apply. Of a Secret, and of what is no object of Kubernetes, it is only the
// size.
func maskBody(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	var value any
	if json.Unmarshal(body, &value) != nil {
		// Protobuf, as built-in kinds come in.
		object, kind, err := codecs.UniversalDeserializer().Decode(body, nil, nil)
		if err != nil {
			return fmt.Sprintf("[%d bytes, not a Kubernetes object: not shown]", len(body))
		}
		if isSecret(kind.Kind) {
			return fmt.Sprintf("[%s of %d bytes: not shown]", kind.Kind, len(body))
		}
		if value, err = runtime.DefaultUnstructuredConverter.ToUnstructured(object); err != nil {
			return fmt.Sprintf("[%s of %d bytes: not shown]", kind.Kind, len(body))
		}
	}
	text, err := json.Marshal(maskValue(value))
	if err != nil {
		return fmt.Sprintf("[%d bytes: not shown]", len(body))
	}
	return string(text)
}

func isSecret(kind string) bool {
	return strings.HasPrefix(kind, "Secret") || strings.HasPrefix(kind, "Token")
}

// maskValue is a part of an object without what may be secret; it may write into the value.
func maskValue(value any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = maskValue(v[i])
		}
	case map[string]any:
		if kind, _ := v["kind"].(string); isSecret(kind) {
			return map[string]any{"kind": kind, "content": masked}
		}
		for key, field := range v {
			switch key {
			case lastApplied, "token", "data", "stringData", "binaryData":
				v[key] = masked
			case "env", "httpHeaders":
				v[key] = maskValues(field)
			case "command", "args":
				if _, isList := field.([]any); isList {
					v[key] = masked
				}
			default:
				v[key] = maskValue(field)
			}
		}
	}
	return value
}

// maskValues masks the values of a list of {name, value}, and leaves the names.
func maskValues(list any) any {
	entries, ok := list.([]any)
	if !ok {
		return masked
	}
	for _, entry := range entries {
		if pair, ok := entry.(map[string]any); ok && pair["value"] != nil {
			pair["value"] = masked
		}
	}
	return entries
}
