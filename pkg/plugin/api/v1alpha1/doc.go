// Package v1alpha1 holds the reports that kubectl doik prints with -o json and -o yaml: what scripts may rely on.
//
// Every report is a list (apiVersion doik.dev/v1alpha1, kind ending in List) with items and problems. Items carry the
// findings about them. What could not be read is a Problem and a field left out, never a zero that looks measured.
//
// The package has types and the registry of finding codes, and no behaviour.
package v1alpha1

// APIVersion is the apiVersion of every report.
const APIVersion = "doik.dev/v1alpha1"
