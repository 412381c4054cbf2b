package faults

import (
	"strings"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// frozenServers makes the study's MySQL with probes that a server which has stopped passes: its kernel still accepts connections.
func frozenServers(s *Set) {
	s.Helper()
	s.StatefulSet, s.Container, s.Client = "mysql", "mysql", "mysql"
	manifest := s.Manifest("mysql.yaml")
	before, rest, _ := strings.Cut(manifest, "        livenessProbe:")
	_, after, found := strings.Cut(rest, "      - name: replicate")
	if !found {
		s.Fatal("mysql.yaml has no probes before the container replicate")
	}
	probe := "        readinessProbe: {tcpSocket: {port: 3306}, periodSeconds: 1}\n      - name: replicate"
	// Signals reach a server that is not the first process of its namespace.
	after = strings.Replace(after, "      volumes:", "      shareProcessNamespace: true\n      volumes:", 1)
	s.Apply(before + probe + after)
	s.Kubectl("rollout", "status", "sts/mysql", "--timeout=600s")
	s.Answering(3)
}

// frozen has servers that accept connections and say nothing.
var frozen = Bed{
	Name: "frozen", Machine: Node,
	New:     frozenServers,
	Healthy: func(s *Set) { s.Answering(3) },
	Faults: []Fault{{
		Name: "a replica hangs and its pod is Ready", Always: true, Check: "MYSQL006",
		Inject: func(s *Set) { s.Signal("STOP", 1) },
		Args:   impatient,
		Want: []Expect{{
			Code: v1alpha1.CodeServerSilent, Severity: bad, Object: "service/mysql-read",
			Words: "mysql-1 (the pod is Ready) does not answer: no answer within 3s; the Services mysql, mysql-read send clients to it",
		}},
		Then: []Step{{ // who reads learns which server it is
			Do: func(s *Set) {
				r := s.Doik("mysql-reads", "mysql-read", "--server-timeout=3s", "-c", "20", "--fail-on=error")
				if words := "mysql-1 is a ready endpoint but does not answer (no answer within 3s)"; r.Code != 3 || !strings.Contains(r.Out, words) {
					s.Errorf("mysql-reads: exit code %d, want %q:\n%s%s", r.Code, words, r.Out, r.Err)
				}
				if r := s.Doik("mysql-topology", "sts/mysql", "--server-timeout=3s", "--fail-on=critical"); r.Code != 4 || !strings.Contains(r.Err, "servers (1 of 3: no answer within 3s)") {
					s.Errorf("mysql-topology --fail-on=critical: exit code %d: %s", r.Code, r.Err)
				}
			},
			Args: impatient, Check: "MYSQL006",
		}},
		Repair: func(s *Set) { s.Signal("CONT", 1) },
	}, {
		Name: "the source hangs and its pod is Ready", Check: "MYSQL006",
		Inject: func(s *Set) { s.Signal("STOP", 0) },
		Args:   impatient,
		Want: []Expect{{
			Code: v1alpha1.CodeServerSilent, Severity: critical, Object: "pod/mysql-0",
			Words: "mysql-0 (the pod is Ready) does not answer: no answer within 3s; mysql-1, mysql-2 replicate from it", Evidence: "Replica_IO_Running=Yes",
		}},
		Then: []Step{{ // the replicas notice a minute later
			Args:  impatient,
			Want:  []Expect{{Code: v1alpha1.CodeSourceUnreachable, Severity: critical, Object: "pod/mysql-0", Words: "it does not answer: no answer within 3s, and no replica receives from it"}},
			Check: "MYSQL001[MYSQL070] MYSQL073",
		}},
		Repair: func(s *Set) { s.Signal("CONT", 0) },
	}},
}
