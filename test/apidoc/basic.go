package main

// basicTypes are the types that are none of the package's, as the page and as the schemas have them.
var basicTypes = map[string]struct {
	text   string
	schema schema
}{
	"string":  {"string", schema{Type: "string"}},
	"bool":    {"boolean", schema{Type: "boolean"}},
	"int32":   {"integer", schema{Type: "integer"}},
	"int64":   {"integer", schema{Type: "integer"}},
	"float64": {"number", schema{Type: "number"}},

	"metav1.Time":            {"time (RFC 3339)", schema{Type: "string", Format: "date-time"}},
	"metav1.ConditionStatus": {"`True`, `False` or `Unknown`", schema{Type: "string", Enum: []string{"True", "False", "Unknown"}}},
	"resource.Quantity": {
		"[quantity](https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/)",
		schema{Type: "string", Pattern: `^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$`},
	},
}
