package mysqltopology

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/capacity"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/engine/mysql/replication"
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
func (x *index) describe(s replication.Placed) v1alpha1.MySQLServer {
	r := v1alpha1.MySQLServer{
		Pod: s.Pod.Name, Container: s.Container, Depth: s.Depth, Ready: objects.PodReady(s.Pod),
		Node: s.Pod.Spec.NodeName, IP: s.Pod.Status.PodIP, CreationTimestamp: s.Pod.CreationTimestamp,
		Via: s.Said.Via, User: s.Said.User, Role: s.Role(),
	}
	if node := x.nodeOf(s.Server); node != nil {
		class := capacity.Classify(node)
		r.Zone, r.CapacityType = class.Zone, class.CapacityType
	}
	if primary := s.LabelledPrimary(); primary != nil {
		r.LabelledRole = "replica"
		if *primary {
			r.LabelledRole = "primary"
		}
	}
	if r.Unreachable = unreachable(s.Server); r.Unreachable != "" {
		return r
	}
	r.Answers = s.Said.Answers
	r.Product, r.Distribution = string(s.Version.Product), s.Version.Distribution
	r.Version = s.Version.String()
	if s.ID != 0 {
		r.ServerID = &s.ID
	}
	r.ServerUUID = s.UUID
	r.ReadOnly, r.SuperReadOnly = replication.OnOff(s.Variables, "read_only"), replication.OnOff(s.Variables, "super_read_only")
	r.GTIDMode = s.Variables.Text("gtid_mode")
	if s.Version.Product == mysql.MariaDB {
		r.GTIDMode = "GTID"
	}
	if s.Again.Known {
		r.GTIDExecuted = cmp.Or(s.Again.Executed.String(), s.Again.Current.String(), s.Again.BinlogPos.String())
	}
	r.Group, r.Galera = s.GroupMember(), s.GaleraNode()
	for _, c := range s.Links {
		r.Channels = append(r.Channels, describeChannel(s.Server, c))
	}
	return r
}

// unreachable is why nothing is known of a server; empty if it answered.
func unreachable(s *server) string {
	switch {
	case s.Answered:
		return ""
	case s.Said.Failure != nil:
		return s.Said.Failure.Message
	}
	return "it was not asked"
}

// describeChannel is the report of a server's channel.
func describeChannel(s *server, c *channel) v1alpha1.MySQLChannel {
	r := v1alpha1.MySQLChannel{
		Name: c.Name, Source: sourceOf(s, c),
		Receiver: c.Receiver, ReceiverError: c.ReceiverError, Applier: c.Applier, ApplierError: c.ApplierError,
		DelaySeconds: c.DelaySeconds, LagMilliseconds: c.LagMilliseconds, LagFrom: c.LagFrom, LagUnknown: c.LagUnknown, AutoPosition: c.AutoPosition,
	}
	r.BehindTransactions, r.BehindBytes = s.Behind(c)
	if s.Comparable(c) {
		r.ErrantGTIDs = s.Errant()
	}
	return r
}

// sourceOf is a channel's source, by what the replica says of it and by the pod that it is.
func sourceOf(s *server, c *channel) v1alpha1.MySQLSource {
	r := v1alpha1.MySQLSource{Host: c.SourceRef.Host, Port: c.SourceRef.Port, UUID: c.SourceRef.UUID, ServerID: c.SourceRef.ServerID, FoundBy: c.FoundBy}
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
