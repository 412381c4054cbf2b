package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	// kubeletPatience is the time that a kubelet has to tell its configuration: the caller should not wait longer for it.
	kubeletPatience = 3 * time.Second
	// maxConfig bounds what is read of it: some 10 KiB.
	maxConfig = 1 << 20
)

// KubeletDNS is what a kubelet writes into the resolv.conf of pods with dnsPolicy ClusterFirst.
type KubeletDNS struct {
	// Domain is the cluster's, without a dot at its end; empty if the kubelet gives pods no search path of the cluster.
	Domain string
	// Nameservers are empty if the kubelet knows none: pods then have the node's.
	Nameservers []string
}

// KubeletDNS reads clusterDomain and clusterDNS of a kubelet's configuration (/configz) through the API server. It needs the right to
// get nodes/proxy.
func (c *Cluster) KubeletDNS(ctx context.Context, node string) (*KubeletDNS, error) {
	ctx, cancel := context.WithTimeout(ctx, kubeletPatience)
	defer cancel()
	body, err := c.core().Get().Resource("nodes").Name(node).SubResource("proxy").Suffix("configz").
		SetHeader("Accept", "application/json").Stream(ctx)
	if err != nil {
		return nil, deadline(ctx, err)
	}
	defer body.Close()
	var config struct {
		Kubelet *struct {
			ClusterDomain string   `json:"clusterDomain"`
			ClusterDNS    []string `json:"clusterDNS"`
		} `json:"kubeletconfig"`
	}
	if err := json.NewDecoder(io.LimitReader(body, maxConfig)).Decode(&config); err != nil {
		return nil, deadline(ctx, fmt.Errorf("its configuration can't be read: %w", err))
	}
	if config.Kubelet == nil {
		return nil, fmt.Errorf("the kubelet of node %s reports no configuration", node)
	}
	return &KubeletDNS{Domain: strings.TrimSuffix(config.Kubelet.ClusterDomain, "."), Nameservers: config.Kubelet.ClusterDNS}, nil
}
