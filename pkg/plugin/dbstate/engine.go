package dbstate

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/dbserver"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/finding"
)

// Engine is a line of database servers whose answers are understood.
type Engine struct {
	*dbserver.Engine
	Decode Decoder
	// Relate is what a channel is with what its source says beside what the replica says: another channel in its place, or nil. It may be nil.
	Relate func(*Server, *Link) *Channel
	// Lacks reports whether a server lacks something that its sources have; nil where that is unknown.
	Lacks func(*Server) *bool
}

// Code is a general rule's code of this engine.
func (e *Engine) Code(rule finding.Rule) v1alpha1.Code { return rule.Code(e.Family) }

// Graph decodes what the engine's servers in pods said, by namespace/pod. Services are for channels that lead to one.
func (e *Engine) Graph(pods []corev1.Pod, said map[string]dbserver.Said, services []corev1.Service, now time.Time) *Graph {
	var servers []dbserver.Server
	for i := range pods {
		if server, ok := e.Detect(&pods[i]); ok && !server.IsNone(said[server.Name()]) {
			servers = append(servers, server)
		}
	}
	g := NewGraph(servers, said, services, e.Decode, now)
	if e.Relate == nil {
		return g
	}
	for _, s := range g.Servers {
		for _, l := range s.Links {
			if related := e.Relate(s, l); related != nil {
				l.Channel = related
			}
		}
	}
	return g
}

// Servers are engines as servers are found by them.
func Servers(engines []*Engine) dbserver.Engines {
	list := make(dbserver.Engines, len(engines))
	for i, e := range engines {
		list[i] = e.Engine
	}
	return list
}
