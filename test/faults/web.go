package faults

import (
	"fmt"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/test/cluster"
)

const (
	nginxService = `{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "nginx"}, "spec": {%s "selector": {"app": "nginx"}, "ports": [{"name": "web", "port": 80}]}}`
	backToImage  = "rollout undo sts/web"
)

var headlessNginx = fmt.Sprintf(nginxService, `"clusterIP": "None",`)

// web is the study's StatefulSet.
var web = Bed{
	Name: "web", Machine: Node,
	New: func(s *Set) {
		s.StatefulSet = "web"
		s.ApplyWeb()
	},
	Healthy: func(s *Set) { // the kubelet measures volumes once a minute
		cluster.Eventually(s, 2*time.Minute, func() error {
			unknown := ""
			for _, o := range s.Web().Ordinals {
				if len(o.Claims) == 0 {
					return fmt.Errorf("ordinal %d has no claim", o.Ordinal)
				}
				unknown += o.Claims[0].UsageUnknown
			}
			if unknown != "" {
				return fmt.Errorf("usage unknown: %s", unknown)
			}
			return nil
		})
	},
	Faults: []Fault{{
		Name: "the Service is gone", Always: true, Check: "DNS001[STS020]",
		Inject: kubectl("delete service nginx"),
		Want:   []Expect{{Code: v1alpha1.CodeServiceUnsound, Severity: bad, Object: "service/nginx"}},
		Repair: apply(headlessNginx),
	}, {
		Name: "the Service is not headless", Always: true, Check: "DNS002[STS020]",
		Inject: inTurn(kubectl("delete service nginx"), apply(fmt.Sprintf(nginxService, ""))),
		Want:   []Expect{{Code: v1alpha1.CodeServiceUnsound, Severity: bad, Object: "service/nginx"}},
		Repair: inTurn(kubectl("delete service nginx"), apply(headlessNginx)),
	}, {
		Name: "the Service selects nothing", Check: "DNS007[STS020]",
		Inject: kubectl(`patch service nginx -p {"spec":{"selector":{"app":"other"}}}`),
		Want:   []Expect{{Code: v1alpha1.CodeServiceUnsound, Severity: bad, Object: "service/nginx"}},
		Repair: kubectl(`patch service nginx -p {"spec":{"selector":{"app":"nginx"}}}`),
	}, {
		Name: "a volume fills up", Always: true, Check: "STS011",
		Inject: func(s *Set) {
			s.Kubectl("exec", "web-0", "--", "sh", "-c", "head -c 880M /dev/zero > /usr/share/nginx/html/fill && sync")
		},
		Want:   []Expect{{Code: v1alpha1.CodeVolumeFull, Severity: bad, Object: "persistentvolumeclaim/www-web-0"}},
		Repair: func(s *Set) { s.Kubectl("exec", "web-0", "--", "sh", "-c", "rm /usr/share/nginx/html/fill && sync") },
	}, {
		Name: "a new revision has no image", Always: true, Check: "STS003[DNS005] STS021",
		Inject: kubectl("set image sts/web nginx=registry.k8s.io/none:1"),
		Want:   []Expect{{Code: v1alpha1.CodeRolloutStuck, Severity: bad, Words: "it waits for web-1"}},
		Repair: inTurn(kubectl(backToImage), kubectl("delete pod web-1")),
	}, {
		Name: "a budget lets all pods go", Always: true, Check: "CHECK006",
		Inject: apply(budget("web", "nginx", `"100%"`)),
		Want:   []Expect{{Code: v1alpha1.CodeBudgetTooLoose, Severity: warning, Object: "poddisruptionbudget/web"}},
		Repair: kubectl("delete pdb web"),
	}, {
		Name: "no node is left for a pod", Check: "STS006[DNS005] STS021",
		Inject: kubectl(`patch sts web -p {"spec":{"template":{"spec":{"nodeSelector":{"nosuch":"node"}}}}}`),
		Want:   []Expect{{Code: v1alpha1.CodeUnschedulable, Severity: bad, Object: "pod/web-1"}},
		Repair: inTurn(kubectl(backToImage), kubectl("delete pod web-1")),
	}, {
		Name: "a claim is deleted under its pod", Check: "STS008", // and can't be taken back
		Inject: kubectl("delete pvc www-web-1 --wait=false"),
		Want:   []Expect{{Code: v1alpha1.CodeClaimTerminating, Severity: critical, Object: "persistentvolumeclaim/www-web-1"}},
	}},
}
