package endpoint

import (
	"fmt"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// paths are the ways that connections take, as the verdict has them.
func paths(e *v1alpha1.ClusterEndpoint) []v1alpha1.EndpointPath {
	eks := e.Provider.Name == providerEKS
	return []v1alpha1.EndpointPath{
		{From: v1alpha1.EndControlPlane, To: v1alpha1.EndKubelet, Way: controlPlaneToKubelet(eks)},
		{From: v1alpha1.EndNode, To: v1alpha1.EndAPIServer, Way: nodeToAPIServer(e.Access.Mode, eks)},
		{From: v1alpha1.EndUser, To: v1alpha1.EndAPIServer, Way: userToAPIServer(e, eks)},
	}
}

func controlPlaneToKubelet(eks bool) string {
	if eks {
		return "through network interfaces that EKS owns in the cluster's subnets, whatever the access mode (logs, exec, port-forward)"
	}
	return "to the nodes' addresses, port 10250, or through a konnectivity tunnel (logs, exec, port-forward)"
}

func nodeToAPIServer(mode v1alpha1.AccessMode, eks bool) string {
	switch {
	case !eks:
		return "to the server in the kubelets' own kubeconfig, which may differ from yours; pods use the Service kubernetes"
	case mode == v1alpha1.AccessPublic:
		return "to the public addresses: out of the VPC (through a NAT or internet gateway), but within Amazon's network"
	case mode == v1alpha1.AccessPublicAndPrivate, mode == v1alpha1.AccessPrivate, mode == v1alpha1.AccessPrivateAtLeast:
		return "to the private addresses: within the VPC, through network interfaces that EKS owns in the cluster's subnets"
	}
	return "to the private addresses within the VPC if private access is on, else out of the VPC to the public ones"
}

func userToAPIServer(e *v1alpha1.ClusterEndpoint, eks bool) string {
	if e.Server.Proxy != nil {
		return fmt.Sprintf("through the proxy %s, which looks the name up itself", e.Server.Proxy.URL)
	}
	switch e.Access.Mode {
	case v1alpha1.AccessPublic, v1alpha1.AccessPublicAndPrivate, v1alpha1.AccessPublicAtLeast:
		way := "over the internet to the public addresses"
		if eks {
			way += ", from the ranges in publicAccessCidrs"
		}
		if e.Access.Mode == v1alpha1.AccessPublicAndPrivate {
			way += "; in the cluster's network, and on its VPN, to the private ones"
		}
		return way
	case v1alpha1.AccessPrivate:
		return "to the private addresses: from the cluster's network, or one connected to it (VPN, Direct Connect, peering)"
	case v1alpha1.AccessPrivateAtLeast:
		return "from here to the private addresses: this machine is in the cluster's network, or in one connected to it"
	case v1alpha1.AccessLocal:
		return "to this machine, and on from there if it is a tunnel"
	}
	return "not known"
}
