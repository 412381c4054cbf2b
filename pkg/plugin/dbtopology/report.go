package dbtopology

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbstate"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/objects"
)

// flavourOf names where a server comes from: the operator or chart, else the image.
func flavourOf(s *server) string {
	for _, c := range s.Pod.Spec.Containers {
		if c.Name == s.Container && s.Flavour.Name == "image" {
			return "image " + c.Image
		}
	}
	return s.Flavour.Name
}

// describe is a server's report.
func (x *index) describe(e *Engine, s dbstate.Placed) v1alpha1.DatabaseServer {
	r := v1alpha1.DatabaseServer{
		Pod: s.Pod.Name, Container: s.Container, Depth: s.Depth, Ready: objects.PodReady(s.Pod),
		Node: s.Pod.Spec.NodeName, IP: s.Pod.Status.PodIP, CreationTimestamp: s.Pod.CreationTimestamp,
		Via: v1alpha1.Via(s.Said.Via), User: s.Said.User, Role: s.Role(),
	}
	if node := x.nodeOf(s.Server); node != nil {
		class := x.classOf(node)
		r.Zone, r.CapacityType = class.Zone, class.CapacityType
	}
	if primary := s.LabelledPrimary(); primary != nil {
		r.LabelledRole = v1alpha1.LabelledReplica
		if *primary {
			r.LabelledRole = v1alpha1.LabelledPrimary
		}
	}
	if r.Unreachable = s.Unreachable(); r.Unreachable != "" {
		return r
	}
	r.Answers = s.Said.Answers
	e.Describe(s.Server, &r)
	for _, c := range s.Links {
		r.Channels = append(r.Channels, e.describeChannel(s.Server, c))
	}
	return r
}

// describeChannel is the report of a server's channel.
func (e *Engine) describeChannel(s *server, c *channel) v1alpha1.DatabaseChannel {
	r := v1alpha1.DatabaseChannel{
		Name: c.Name, Source: sourceOf(s, c),
		Receiver: c.Receiver, ReceiverError: c.ReceiverError, Applier: c.Applier, ApplierError: c.ApplierError,
		DelaySeconds: c.DelaySeconds, LagMilliseconds: c.LagMilliseconds, LagFrom: c.LagFrom, LagUnknown: c.LagUnknown,
	}
	e.DescribeChannel(s, c, &r)
	return r
}

// sourceOf is a channel's source, by what the replica says of it and by the pod that it is.
func sourceOf(s *server, c *channel) v1alpha1.DatabaseSource {
	r := v1alpha1.DatabaseSource{Host: c.Ref.Host, Port: c.Ref.Port, UUID: c.Ref.UUID, ServerID: c.Ref.ServerID, FoundBy: c.FoundBy}
	source := c.Source
	if source == nil {
		return r
	}
	r.Pod = source.Pod.Name
	if source.Pod.Namespace != s.Pod.Namespace {
		r.Pod = source.Name()
	}
	if source.Set != s.Set {
		r.Set = source.Set.Name()
	}
	return r
}

func (x *index) nodeOf(s *server) *corev1.Node {
	for i := range x.Nodes {
		if x.Nodes[i].Name == s.Pod.Spec.NodeName {
			return &x.Nodes[i]
		}
	}
	return nil
}
