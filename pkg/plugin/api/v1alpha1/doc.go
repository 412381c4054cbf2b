// Package v1alpha1 holds the reports that kubectl doik prints with -o json and -o yaml: what scripts may rely on.
//
// Every report but that of kubectl doik version is a list (apiVersion doik.dev/v1alpha1, kind ending in List) with metadata, items and
// problems. Items carry the findings about them. What could not be read is a Problem and a field left out, never a zero that looks measured.
//
// The package has types and the registry of finding codes, and no behaviour.
package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// APIVersion is the apiVersion of every report.
const APIVersion = "doik.dev/v1alpha1"

// ReportMeta is where and when a report was made.
type ReportMeta struct {
	// Time is when what was read was judged.
	Time metav1.Time `json:"time"`
	// Version is the plugin's: v1.2.3.
	Version string `json:"version"`
	// Context and Cluster are names in the kubeconfig; both are empty in a pod.
	Context string `json:"context,omitempty"`
	Cluster string `json:"cluster,omitempty"`
	// Snapshot is set if a saved snapshot was analyzed (--snapshot) and not the cluster: Time, Context and Cluster are then the snapshot's.
	Snapshot *SnapshotOrigin `json:"snapshot,omitempty"`
}

// SnapshotOrigin is where a saved snapshot came from.
type SnapshotOrigin struct {
	// Version is that of the plugin that saved it: v1.2.3.
	Version string `json:"version"`
}
