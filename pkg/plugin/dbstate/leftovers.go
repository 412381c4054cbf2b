package dbstate

import "slices"

// A leftover is a channel that a source has kept of the time when it was a replica: RESET REPLICA without ALL, which some operators promote by,
// forgets what was received and keeps where it came from. It replicates nothing, and makes no replica of its server. Two things tell it from a
// replica that is stopped before it has received anything: its server takes writes, or the server that it leads to follows this one.

// setAside takes channels that are leftovers from those by which the server replicates.
func (s *State) setAside(isLeftover func(*Channel) bool) {
	for _, c := range s.Channels {
		if isLeftover(c) {
			s.Leftovers = append(s.Leftovers, c)
		}
	}
	s.Channels = slices.DeleteFunc(s.Channels, isLeftover)
}

// turned sets aside the leftovers of servers that take no writes: an unused channel whose source has turned round, and replicates from its old
// replica by a channel that is in use. Nothing is tied yet.
func (g *Graph) turned() {
	follows := func(from, to *Server) bool {
		return slices.ContainsFunc(from.Channels, func(c *Channel) bool {
			if c.Unused {
				return false
			}
			source, _ := g.sourceOf(from, c)
			return source == to
		})
	}
	for _, s := range g.Servers {
		s.setAside(func(c *Channel) bool {
			if !c.Unused {
				return false
			}
			source, _ := g.sourceOf(s, c)
			return source != nil && follows(source, s)
		})
	}
}
