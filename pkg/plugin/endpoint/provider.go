package endpoint

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
)

// The providers that something tells.
const (
	providerEKS      = "EKS"
	providerGKE      = "GKE"
	providerAKS      = "AKS"
	providerK3s      = "k3s"
	providerRKE2     = "RKE2"
	providerKind     = "kind"
	providerMinikube = "minikube"
)

// domains are those in which providers name API servers. The label before the domain is the region.
//
// EKS: https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html (the first for IPv4, *.api.aws for dual-stack
// clusters, the last three in China). AKS: https://learn.microsoft.com/azure/aks/private-clusters (the second for Azure Government, the
// third in China). GKE: its DNS-based endpoint.
var domains = []struct{ suffix, provider string }{
	{".eks.amazonaws.com", providerEKS},
	{".api.aws", providerEKS},
	{".eks.amazonaws.com.cn", providerEKS},
	{".api.amazonwebservices.com.cn", providerEKS},
	{".amazonwebservices.com.cn", providerEKS},
	{".azmk8s.io", providerAKS},
	{".cx.aks.containerservice.azure.us", providerAKS},
	{".cx.prod.service.azk8s.cn", providerAKS},
	{".gke.goog", providerGKE},
}

// builds are what providers write into the version of their servers.
var builds = []struct{ mark, provider string }{
	{"-eks-", providerEKS}, {"-gke.", providerGKE}, {"+k3s", providerK3s}, {"+rke2", providerRKE2},
}

var (
	awsRegion = regexp.MustCompile(`^[a-z]{2,3}(-[a-z]+)+-\d+$`)
	anyRegion = regexp.MustCompile(`^[a-z][a-z0-9-]*[a-z0-9]$`)
	// aws eks update-kubeconfig and eksctl name clusters so.
	clusterARN    = regexp.MustCompile(`^arn:aws[a-z-]*:eks:([a-z0-9-]+):\d+:cluster/([0-9A-Za-z][0-9A-Za-z_-]*)$`)
	eksctlCluster = regexp.MustCompile(`^(?:.*@)?([0-9A-Za-z][0-9A-Za-z_-]*)\.([a-z0-9-]+)\.eksctl\.io$`)
	// What a cluster of EKS may be called. It comes to stand in a command that people copy.
	eksName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]*$`)
)

// Labels of nodes that tell who runs the cluster.
const (
	labelEKSCTLCluster = "alpha.eksctl.io/cluster-name"
	labelMinikube      = "minikube.k8s.io/name"
)

// provider concludes who runs the cluster, each fact from the source that knows it best, with the evidence.
func provider(s *Snapshot) (v1alpha1.ClusterProvider, []v1alpha1.EndpointEvidence) {
	var p v1alpha1.ClusterProvider
	var evidence []v1alpha1.EndpointEvidence
	found := func(name, source, message string) {
		if p.Name == "" {
			p.Name = name
		}
		if p.Name == name { // of a tunnel's two names, or of a wrapper's version, the first counts
			evidence = append(evidence, v1alpha1.EndpointEvidence{Source: source, Message: message})
		}
	}
	if name, region, domain := providerOfHost(s.Name); name != "" {
		found(name, "server name", "API servers in *"+domain+" are those of "+name)
		p.Region = region
	}
	if s.Version != nil {
		for _, b := range builds {
			if strings.Contains(s.Version.Version, b.mark) {
				found(b.provider, "server version", s.Version.Version+" is built for "+b.provider)
			}
		}
	}
	if l := s.Login; l != nil {
		if l.EKS {
			found(providerEKS, "kubeconfig", "it logs in with "+l.Program+", as to a cluster of EKS")
			p.ClusterName, p.Region = l.Cluster, cmp.Or(p.Region, l.Region)
		}
	}
	for i := range s.Nodes {
		if platform := platformOf(&s.Nodes[i]); platform != "" {
			found(platform, "nodes", "their labels and provider IDs are those of "+platform)
			break // they are all alike
		}
	}
	if p.Name == providerMinikube {
		p.ClusterName = s.Nodes[0].Labels[labelMinikube]
	}
	if p.Name == providerEKS {
		nameEKSCluster(s, &p)
	}
	return p, evidence
}

// platforms are those of nodes that bring the control plane with them: not EKS, whose servers say so themselves, nor clouds that
// only have the machines.
var platforms = []string{
	providerAKS, providerGKE, providerKind, "ACK", "Civo", "CoreWeave", "DOKS", "OKE", "OpenShift", "Scaleway", "Yandex", "kOps",
}

// platformOf is who runs a node, where that is also who runs the API server: servers of EKS say so themselves.
func platformOf(node *corev1.Node) string {
	if node.Labels[labelMinikube] != "" {
		return providerMinikube
	}
	if platform := capacity.Classify(node).Platform; slices.Contains(platforms, platform) {
		return platform
	}
	return ""
}

// nameEKSCluster fills in what the names in the kubeconfig and the nodes' labels report a cluster of EKS.
func nameEKSCluster(s *Snapshot, p *v1alpha1.ClusterProvider) {
	for _, name := range []string{s.Server.Cluster, s.Server.Context} {
		if m := clusterARN.FindStringSubmatch(name); m != nil {
			p.Region, p.ClusterName = cmp.Or(p.Region, m[1]), cmp.Or(p.ClusterName, m[2])
		}
		if m := eksctlCluster.FindStringSubmatch(name); m != nil && awsRegion.MatchString(m[2]) {
			p.Region, p.ClusterName = cmp.Or(p.Region, m[2]), cmp.Or(p.ClusterName, m[1])
		}
	}
	for i := range s.Nodes {
		p.Region = cmp.Or(p.Region, s.Nodes[i].Labels[corev1.LabelTopologyRegion])
		p.ClusterName = cmp.Or(p.ClusterName, s.Nodes[i].Labels[labelEKSCTLCluster])
	}
}

// providerOfHost tells whose API servers have names like this one, and the region if the name has it.
func providerOfHost(host string) (name, region, domain string) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, d := range domains {
		rest, ok := strings.CutSuffix(host, d.suffix)
		if !ok || rest == "" {
			continue
		}
		last := rest[strings.LastIndexByte(rest, '.')+1:]
		isRegion := anyRegion
		if d.provider == providerEKS {
			isRegion = awsRegion
		}
		if last != rest && isRegion.MatchString(last) {
			region = last
		}
		if region == "" && d.provider == providerEKS && d.suffix != ".eks.amazonaws.com" {
			continue // these domains have other services' names too
		}
		return d.provider, region, d.suffix
	}
	return "", "", ""
}

// isPrivateName reports whether a name is of a private DNS zone, which only the networks that the zone is linked to resolve: those of Azure
// Private Link are in a zone privatelink.*, those of AKS' API Server VNet Integration in private.*. A cluster with such a name has no public
// access.
func isPrivateName(host string) bool {
	provider, _, _ := providerOfHost(host)
	labels := strings.Split(strings.ToLower(host), ".")
	return slices.Contains(labels, "privatelink") || provider == providerAKS && slices.Contains(labels, "private")
}

// baseName is the last part of a path.
func baseName(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}
