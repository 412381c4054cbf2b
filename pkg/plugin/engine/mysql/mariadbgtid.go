package mysql

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MariaDBGTID is the identifier of one transaction: 0-100-17 is the 17th of domain 0, committed on the server of id 100.
type MariaDBGTID struct {
	Domain, ServerID uint32
	Sequence         uint64
}

func (g MariaDBGTID) String() string {
	return fmt.Sprintf("%d-%d-%d", g.Domain, g.ServerID, g.Sequence)
}

// MariaDBPosition is a list of identifiers, by domain and server: one of each domain in @@gtid_slave_pos, one of each domain and
// server in @@gtid_binlog_state.
type MariaDBPosition []MariaDBGTID

// ParseMariaDBPosition reads a list as servers print it. An empty text is the empty list.
func ParseMariaDBPosition(text string) (MariaDBPosition, error) {
	var list MariaDBPosition
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		fields := strings.Split(part, "-")
		if len(fields) != 3 {
			return nil, fmt.Errorf("MariaDB GTID: %q is not DOMAIN-SERVER-SEQUENCE", part)
		}
		domain, errD := strconv.ParseUint(fields[0], 10, 32)
		server, errS := strconv.ParseUint(fields[1], 10, 32)
		sequence, errN := strconv.ParseUint(fields[2], 10, 64)
		if err := cmp.Or(errD, errS, errN); err != nil {
			return nil, fmt.Errorf("MariaDB GTID: %q is not DOMAIN-SERVER-SEQUENCE", part)
		}
		list = append(list, MariaDBGTID{uint32(domain), uint32(server), sequence})
	}
	slices.SortFunc(list, func(a, b MariaDBGTID) int {
		return cmp.Or(cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.ServerID, b.ServerID), cmp.Compare(a.Sequence, b.Sequence))
	})
	return slices.Compact(list), nil
}

func (p MariaDBPosition) String() string {
	parts := make([]string, len(p))
	for i, g := range p {
		parts[i] = g.String()
	}
	return strings.Join(parts, ",")
}

// Sequence is the highest sequence number of a domain, 0 if there is none.
func (p MariaDBPosition) Sequence(domain uint32) uint64 {
	var highest uint64
	for _, g := range p {
		if g.Domain == domain {
			highest = max(highest, g.Sequence)
		}
	}
	return highest
}

// Behind counts the transactions that p lacks of source: sequence numbers ascend without gaps in a domain.
func (p MariaDBPosition) Behind(source MariaDBPosition) int64 {
	var n int64
	domains := map[uint32]bool{}
	for _, g := range source {
		if domains[g.Domain] {
			continue
		}
		domains[g.Domain] = true
		if has, wants := p.Sequence(g.Domain), source.Sequence(g.Domain); wants > has {
			n += int64(wants - has)
		}
	}
	return n
}

// Without are the entries of p that source has not got as far: of the same domain and server, or of a position of the same
// domain that another server has gone past. Both are @@gtid_binlog_state; slavePos is the source's @@gtid_slave_pos, which knows
// what a source without a log of its own has applied.
func (p MariaDBPosition) Without(source, slavePos MariaDBPosition) MariaDBPosition {
	var list MariaDBPosition
	for _, g := range p {
		known := func(s MariaDBGTID) bool {
			return s.Domain == g.Domain && s.ServerID == g.ServerID && s.Sequence >= g.Sequence
		}
		if !slices.ContainsFunc(source, known) && !slices.ContainsFunc(slavePos, known) {
			list = append(list, g)
		}
	}
	return list
}
