package dbtopology

import (
	"slices"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
	"github.com/kubectl-doik/kubectl-doik/pkg/printers"
)

// entry is a server in the tree of a table, with those of its channels that belong there.
type entry struct {
	server   int // its place in the report
	channels []*v1alpha1.DatabaseChannel
	depth    int
}

// entriesOf are the servers of a set as a table has them: a server with several sources of the set stands below each of them, with the channels
// that lead there. What replicates from it stands below its first place alone.
func entriesOf(set *v1alpha1.DatabaseTopology) []entry {
	list := make([]entry, 0, len(set.Servers))
	type further struct {
		entry
		source int
	}
	var elsewhere []further
	for i := range set.Servers {
		s := &set.Servers[i]
		e := entry{server: i, depth: int(s.Depth)}
		above := aboveOf(set, i)
		for k := range s.Channels {
			c := &s.Channels[k]
			source := slices.IndexFunc(set.Servers, func(o v1alpha1.DatabaseServer) bool { return c.Source.Set == "" && o.Pod == c.Source.Pod })
			if above < 0 || source < 0 || source == above || source == i {
				e.channels = append(e.channels, c)
				continue
			}
			elsewhere = append(elsewhere, further{entry{server: i, channels: []*v1alpha1.DatabaseChannel{c}}, source})
		}
		list = append(list, e)
	}
	for _, e := range elsewhere {
		at := slices.IndexFunc(list, func(o entry) bool { return o.server == e.source })
		e.depth = list[at].depth + 1
		for at++; at < len(list) && list[at].depth >= e.depth; at++ { // behind all that stands below its source
		}
		list = slices.Insert(list, at, e.entry)
	}
	return list
}

// aboveOf is the place of the server below which another one stands; negative for a root.
func aboveOf(set *v1alpha1.DatabaseTopology, i int) int {
	for j := i - 1; j >= 0; j-- {
		if set.Servers[j].Depth < set.Servers[i].Depth {
			return j
		}
	}
	return -1
}

// branchesOf are the branches in front of entries, of the tree of those that are shown.
func branchesOf(entries []entry, show printers.Show, fine []bool) []string {
	var depths, at []int
	for i, e := range entries {
		if show != printers.ShowProblems || !fine[e.server] {
			depths, at = append(depths, e.depth), append(at, i)
		}
	}
	branches := make([]string, len(entries))
	for i, branch := range printers.Branches(depths) {
		branches[at[i]] = branch
	}
	return branches
}
