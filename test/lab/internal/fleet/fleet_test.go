package fleet

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestNodes(t *testing.T) {
	names, addresses := map[string]bool{}, map[string]bool{}
	zones, capacity := map[string]int{}, map[string]int{}
	spotZones := map[string]bool{}
	nodes := Nodes(3000, "v1.36.3-eks-1")
	for i, node := range nodes {
		zone, kind := node.Labels[corev1.LabelTopologyZone], node.Labels["eks.amazonaws.com/capacityType"]
		names[node.Name], addresses[node.Status.Addresses[0].Address] = true, true
		zones[zone]++
		capacity[kind]++
		if kind == "SPOT" {
			spotZones[zone] = true
		}
		if i == 2 && (len(zones) != 3 || capacity["SPOT"] != 1 || capacity["ON_DEMAND"] != 2) {
			t.Errorf("the first three: zones %v, capacity types %v", zones, capacity)
		}
	}
	if len(names) != 3000 || len(addresses) != 3000 || len(zones) != 3 || len(spotZones) != 3 || capacity["SPOT"] != 1000 {
		t.Errorf("%d names, %d addresses, zones %v, of spot instances %v, capacity types %v", len(names), len(addresses), zones, spotZones, capacity)
	}
	if got := nodes[0].Status.NodeInfo.KubeletVersion; got != "v1.36.3-eks-1" {
		t.Errorf("version %s", got)
	}
}

func TestAddresses(t *testing.T) {
	addresses := NewAddresses(func(address string) bool { return address == "10.32.0.2" })
	for _, test := range []struct{ node, want string }{
		{"a", "10.32.0.1"}, {"b", "10.32.0.3"}, {"a", "10.32.0.1"}, {"c", "10.32.0.4"},
	} {
		if got := addresses.Of(test.node); got != test.want {
			t.Errorf("%s: got %s, want %s", test.node, got, test.want)
		}
	}
}
