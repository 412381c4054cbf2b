// Package fleet makes up the lab's nodes: an EKS cluster of two managed node groups, on-demand and spot, in three zones.
package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const region = "ap-northeast-2"

var zones = [...]string{"a", "b", "c"}

// instance is a type of machine: what it has, and what is left of it for pods.
type instance struct {
	kind                                string
	cpu, memory, pods                   string
	allocatableCPU, allocatableMemory   string
	capacityType, nodeGroup, templateID string
}

var (
	onDemand = instance{
		kind: "m5.large", cpu: "2", memory: "7928764Ki", pods: "29", allocatableCPU: "1930m", allocatableMemory: "7238588Ki",
		capacityType: "ON_DEMAND", nodeGroup: "on-demand", templateID: "lt-0a1c5d2be83f96047",
	}
	spot = instance{
		kind: "t3.medium", cpu: "2", memory: "3926652Ki", pods: "17", allocatableCPU: "1930m", allocatableMemory: "3371644Ki",
		capacityType: "SPOT", nodeGroup: "spot", templateID: "lt-06fe4b97c0d2a5831",
	}
)

// Nodes returns the first n nodes of the fleet. The zones take turns and every third node is a spot instance, in another
// zone each time; names and addresses are the same on every run. kubeletVersion is that of the control plane.
func Nodes(n int, kubeletVersion string) []*corev1.Node {
	nodes := make([]*corev1.Node, n)
	for i := range nodes {
		nodes[i] = node(i, kubeletVersion)
	}
	return nodes
}

func node(i int, kubeletVersion string) *corev1.Node {
	machine := onDemand
	if i%3 == 2 {
		machine = spot
	}
	// A round of three has one node in each zone; the spot instance is in another one each round.
	zone := (i + len(zones) - i/3%len(zones)) % len(zones)
	zoneName := region + zones[zone]
	first, second, third := addressIn(zone, i/3)
	name := fmt.Sprintf("ip-10-%d-%d-%d.%s.compute.internal", first, second, third, region)
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			corev1.LabelHostname:                            name,
			corev1.LabelArchStable:                          "amd64",
			corev1.LabelOSStable:                            "linux",
			corev1.LabelInstanceTypeStable:                  machine.kind,
			corev1.LabelTopologyRegion:                      region,
			corev1.LabelTopologyZone:                        zoneName,
			"beta.kubernetes.io/arch":                       "amd64",
			"beta.kubernetes.io/os":                         "linux",
			"beta.kubernetes.io/instance-type":              machine.kind,
			"failure-domain.beta.kubernetes.io/region":      region,
			"failure-domain.beta.kubernetes.io/zone":        zoneName,
			"eks.amazonaws.com/capacityType":                machine.capacityType,
			"eks.amazonaws.com/nodegroup":                   machine.nodeGroup,
			"eks.amazonaws.com/nodegroup-image":             "ami-0" + id(machine.nodeGroup)[:16],
			"eks.amazonaws.com/sourceLaunchTemplateId":      machine.templateID,
			"eks.amazonaws.com/sourceLaunchTemplateVersion": "1",
			"alpha.eksctl.io/cluster-name":                  "lab",
			"alpha.eksctl.io/nodegroup-name":                machine.nodeGroup,
		}},
		Spec: corev1.NodeSpec{ProviderID: fmt.Sprintf("aws:///%s/i-0%s", zoneName, id(name)[:16])},
	}
	n.Status = Status(n, fmt.Sprintf("10.%d.%d.%d", first, second, third), kubeletVersion)
	n.Status.Conditions = nil // they come with the node's first heartbeat
	n.Status.Capacity = resources(machine.cpu, machine.memory, machine.pods, "83873772Ki")
	n.Status.Allocatable = resources(machine.allocatableCPU, machine.allocatableMemory, machine.pods, "76224326324")
	return n
}

// addressIn is the address of the nth node in a zone: 10.ZONE.x.y, outside the networks of pods and Services.
func addressIn(zone, n int) (first, second, third int) { return zone, n / 240, 10 + n%240 }

func resources(cpu, memory, pods, storage string) corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse(cpu),
		corev1.ResourceMemory:           resource.MustParse(memory),
		corev1.ResourcePods:             resource.MustParse(pods),
		corev1.ResourceEphemeralStorage: resource.MustParse(storage),
	}
}

// id makes up the hexadecimal part of an identifier.
func id(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}
