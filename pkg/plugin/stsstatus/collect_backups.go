package stsstatus

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/sets"
)

// backupsEvery is how often a follower asks for backups again: there are a few a day.
const (
	backupsEvery = time.Minute
	// backupsPatience is how long it waits for them: everything else is shown then.
	backupsPatience = 10 * time.Second
)

// collectBackups reads the backups of what an operator runs of the sets; nothing is asked where there is none.
func collectBackups(ctx context.Context, cluster *kube.Cluster, q Query, s *Snapshot) (sets.Backups, sets.Problems) {
	of := s.backedUp()
	if len(of) == 0 {
		return sets.Backups{}, nil
	}
	namespace := q.Namespace
	if !slices.ContainsFunc(of, func(r sets.Ref) bool { return r.Namespace != of[0].Namespace }) {
		namespace = of[0].Namespace
	}
	return sets.CollectBackups(ctx, cluster, kube.Query{Namespace: namespace, ChunkSize: q.ChunkSize}, of)
}

// backedUp is what the sets hold the data of, of what operators can back up.
func (s *Snapshot) backedUp() []sets.Ref {
	var list []sets.Ref
	add := func(ref sets.Ref, known bool) {
		if known && !slices.Contains(list, ref) {
			list = append(list, ref)
		}
	}
	for i := range s.StatefulSets {
		add(sets.BackedUp("", "", &s.StatefulSets[i].ObjectMeta))
	}
	for i := range s.Sets {
		add(sets.BackedUp(s.Sets[i].APIVersion, s.Sets[i].Kind, &s.Sets[i].ObjectMeta))
	}
	return list
}

// addBackups adds backups of the clusters that there are, and what could not be read.
func (s *Snapshot) addBackups(backups sets.Backups, problems sets.Problems) {
	for _, ref := range s.backedUp() {
		of := backups.Of(ref)
		s.Backups.Runs, s.Backups.Schedules = append(s.Backups.Runs, of.Runs...), append(s.Backups.Schedules, of.Schedules...)
	}
	s.Read = append(s.Read, subjectBackups)
	maps.Copy(s.Problems, problems)
}

// collectBackups reads backups when they have not been read for a while, or other clusters are there.
func (f *Follower) collectBackups(ctx context.Context, s *Snapshot, now time.Time) {
	of := s.backedUp()
	if len(of) == 0 {
		return
	}
	if now.Sub(f.backupsAskedAt) >= backupsEvery || !slices.Equal(of, f.backupsAsked) {
		asking, end := context.WithTimeout(ctx, backupsPatience)
		f.backups, f.backupProblems = collectBackups(asking, f.cluster, f.query, s)
		end()
		f.backupsAsked, f.backupsAskedAt = of, now
	}
	s.addBackups(f.backups, f.backupProblems)
}
