package dbtopology

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// TestPurposeOf knows Services by the names that the study, charts and operators give them, and takes no word in the name of a database for one.
func TestPurposeOf(t *testing.T) {
	for _, test := range []struct {
		service, set string
		want         v1alpha1.ServicePurpose
	}{
		{"mysql", "mysql", v1alpha1.ServiceForAny},
		{"mysql-read", "mysql", v1alpha1.ServiceForReading},
		{"read-mysql", "mysql", v1alpha1.ServiceForReading},
		{"shop-mysql-primary-headless", "shop-mysql-primary", v1alpha1.ServiceForAny}, // of a chart's set for the primary, which has one server
		{"mysql-primary-headless", "mysql", v1alpha1.ServiceForWriting},
		{"moco-shop-primary", "moco-shop", v1alpha1.ServiceForWriting},
		{"moco-shop-replica", "moco-shop", v1alpha1.ServiceForReading},
		{"shop-mysql-master", "shop-mysql", v1alpha1.ServiceForWriting},
		{"shop-mysql-replicas", "shop-mysql", v1alpha1.ServiceForReading},
		{"pg-rw", "pg", v1alpha1.ServiceForWriting},
		{"pg-ro", "pg", v1alpha1.ServiceForReading},
		{"pg-r", "pg", v1alpha1.ServiceForReading},
		{"mysql-read-only", "mysql", v1alpha1.ServiceForReading},
		{"mysql-read-write", "mysql", v1alpha1.ServiceForWriting},
		{"db-leader", "mysql", v1alpha1.ServiceForWriting},
		{"shop-internal", "shop", v1alpha1.ServiceForAny},
		// Names of databases.
		{"master-data", "mysql", v1alpha1.ServiceForAny},
		{"master-data", "master-data", v1alpha1.ServiceForAny},
		{"source-of-truth", "mysql", v1alpha1.ServiceForAny},
		{"read-models", "mysql", v1alpha1.ServiceForAny},
	} {
		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: test.service}}
		if got := purposeOf(service, test.set, nil); got != test.want {
			t.Errorf("%s of the set %s is for %s, want %s", test.service, test.set, got, test.want)
		}
	}
}
