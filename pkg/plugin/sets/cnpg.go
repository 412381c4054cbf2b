package sets

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"
)

// cloudNativePG is the Cluster of CloudNativePG, as its releases 1.20 to 1.30 have it (api/v1/cluster_types.go there; status fields as seen on 1.30).
var cloudNativePG = Kind{
	Group: "postgresql.cnpg.io", Resource: "clusters", Name: "Cluster", Title: "CloudNativePG cluster", versions: []string{"v1"}, decode: decodeCNPG,
}

// Annotations of a Cluster with which people tell its operator what to do.
const (
	cnpgFenced      = "cnpg.io/fencedInstances"
	cnpgHibernation = "cnpg.io/hibernation"
	cnpgLoop        = "cnpg.io/reconciliationLoop"
)

// TargetPending is in the place of the primary that is to be while CloudNativePG looks for one.
const TargetPending = "pending"

func decodeCNPG(object map[string]any, s *Set) error {
	var c struct {
		Metadata struct {
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
		Spec struct {
			Instances   int32        `json:"instances"`
			Storage     cnpgStorage  `json:"storage"`
			WALStorage  *cnpgStorage `json:"walStorage"`
			Tablespaces []struct {
				Name    string      `json:"name"`
				Storage cnpgStorage `json:"storage"`
			} `json:"tablespaces"`
		} `json:"spec"`
		Status struct {
			Instances      int32              `json:"instances"`
			ReadyInstances int32              `json:"readyInstances"`
			InstanceNames  []string           `json:"instanceNames"`
			Phase          string             `json:"phase"`
			PhaseReason    string             `json:"phaseReason"`
			CurrentPrimary string             `json:"currentPrimary"`
			TargetPrimary  string             `json:"targetPrimary"`
			Conditions     []metav1.Condition `json:"conditions"`
			DanglingPVC    []string           `json:"danglingPVC"`
			UnusablePVC    []string           `json:"unusablePVC"`
			ResizingPVC    []string           `json:"resizingPVC"`
		} `json:"status"`
	}
	if err := into(object, &c); err != nil {
		return err
	}
	wanted := c.Spec.Instances
	s.State = State{
		Phase: c.Status.Phase, Reason: c.Status.PhaseReason, Primary: c.Status.CurrentPrimary, Target: c.Status.TargetPrimary,
		Dangling: c.Status.DanglingPVC, Unusable: c.Status.UnusablePVC, Resizing: c.Status.ResizingPVC,
		Conditions: conditionsOf(c.Status.Conditions, "Ready", "ContinuousArchiving", ConditionLastBackup, "ConsistentSystemID", cnpgHibernation),
		Fenced:     fencedBy(c.Metadata.Annotations[cnpgFenced]), Hibernated: c.Metadata.Annotations[cnpgHibernation] == "on",
	}
	if s.State.Hibernated {
		wanted = 0
	}
	if c.Metadata.Annotations[cnpgLoop] == "disabled" {
		s.State.Paused = "the annotation " + cnpgLoop + ": disabled"
	}
	s.Wanted, s.Replicas = &wanted, Replicas{Existing: c.Status.Instances, Ready: c.Status.ReadyInstances, Updated: c.Status.ReadyInstances}
	for _, name := range c.Status.InstanceNames {
		m := Member{Name: name}
		m.add(name, c.Spec.Storage.Size)
		if c.Spec.WALStorage != nil {
			m.add(name+"-wal", c.Spec.WALStorage.Size)
		}
		for _, tablespace := range c.Spec.Tablespaces {
			m.add(name+"-tbs-"+tablespaceInName(tablespace.Name), tablespace.Storage.Size)
		}
		if s.State.Hibernated {
			s.Offline = append(s.Offline, name)
		}
		s.Members = append(s.Members, m)
	}
	return nil
}

// cnpgStorage is what a Cluster asks for claims of.
type cnpgStorage struct {
	Size string `json:"size"`
}

// fencedBy reads the annotation: a list of names as JSON. What can't be read fences nothing, as the operator takes it.
func fencedBy(annotation string) []string {
	var names []string
	if json.Unmarshal([]byte(annotation), &names) != nil {
		return nil
	}
	return names
}

// tablespaceInName is how a tablespace is called in names of claims: PostgreSQL's names may have _ and $, those of objects may not, and have to
// begin with a letter or a digit.
func tablespaceInName(name string) string {
	if strings.HasPrefix(name, "_") {
		name = "1" + name[1:]
	}
	return strings.NewReplacer("_", "-", "$", "-").Replace(name)
}
