// Package printers writes reports: as tables for people, as objects for programs. It knows nothing of clusters.
package printers
