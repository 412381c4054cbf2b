package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Kinds of the report of kubectl doik query.
const (
	KindDatabaseQuery     = "DatabaseQuery"
	KindDatabaseQueryList = "DatabaseQueryList"
)

// CodeRowsDiffer is the code of kubectl doik query: servers of a set answer the same statement differently.
const CodeRowsDiffer Code = "MYSQL080"

// DatabaseQueryList is the report of kubectl doik query, and mysql-query.
type DatabaseQueryList struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata is where and when the report was made.
	Metadata ReportMeta `json:"metadata"`
	// Conditions are Ready and Healthy, of all items together.
	Conditions []Condition `json:"conditions,omitempty"`
	// Checked lists what was looked at, of all items together.
	Checked []CheckedPart `json:"checked,omitempty"`
	// Items are the sets of servers by namespace and name.
	Items []DatabaseQuery `json:"items"`
	// Problems are the servers that did not answer. An error that a server answered is none: it is in its row.
	Problems []Problem `json:"problems,omitempty"`
}

// DatabaseQuery is what the servers of a set answered to one statement.
type DatabaseQuery struct {
	metav1.TypeMeta `json:",inline"`
	// Metadata names the set.
	Metadata ObjectMeta `json:"metadata"`
	// Owner is what controls the pods; it is missing where labels hold the set together.
	Owner *ObjectReference `json:"owner,omitempty"`
	// Statement is what every server was sent.
	Statement string `json:"statement"`
	// Same is true if all servers that answered have the same rows, in whatever order, or the same error. It is missing where one has
	// more rows than are shown.
	Same *bool `json:"same,omitempty"`
	// Servers are by ordinal.
	Servers []DatabaseQueryAnswer `json:"servers"`
	// Findings are the worst first.
	Findings []Finding `json:"findings,omitempty"`
}

// DatabaseQueryAnswer is what one server answered.
type DatabaseQueryAnswer struct {
	// Pod is the server's pod.
	Pod string `json:"pod"`
	// Via is the way to the server; it is missing where there was none.
	Via Via `json:"via,omitempty"`
	// Columns are the names of the columns.
	Columns []string `json:"columns,omitempty"`
	// Rows are in the order in which the server gave them.
	Rows []DatabaseQueryRow `json:"rows,omitempty"`
	// Cut is true if there are more rows than --max-rows.
	Cut bool `json:"cut,omitempty"`
	// Answered is true if the server answered the statement, with rows or with an error.
	Answered bool `json:"answered"`
	// Error is why there are no rows: the server's own error if it answered, else why it did not.
	Error string `json:"error,omitempty"`
}

// DatabaseQueryRow is one row.
type DatabaseQueryRow struct {
	// Values are in the order of the columns; NULL is null.
	Values []*string `json:"values"`
	// Differs is true if not all servers that answered have this row, as often as this one.
	Differs bool `json:"differs,omitempty"`
}
