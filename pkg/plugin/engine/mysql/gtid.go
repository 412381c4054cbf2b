package mysql

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// interval is a closed interval of transaction numbers.
type interval struct{ low, high int64 }

// uuidLength is that of a server's UUID with its hyphens, as every server prints it.
const uuidLength = 36

// GTIDSet is a set of MySQL's transaction identifiers: by "uuid" or "uuid:tag" (MySQL 8.3 and later) ascending intervals that
// neither overlap nor touch.
type GTIDSet map[string][]interval

// ParseGTIDSet reads a set as servers print it, such as @@gtid_executed: with line breaks, with tags, in any case. An empty
// text is the empty set.
func ParseGTIDSet(text string) (GTIDSet, error) {
	text = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n", r) {
			return -1
		}
		return r
	}, strings.ToLower(text))
	set := GTIDSet{}
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		if err := set.add(part); err != nil {
			return nil, fmt.Errorf("GTID set: %w", err)
		}
	}
	for source, list := range set {
		set[source] = merged(list)
	}
	return set, nil
}

// add reads uuid:1-6:tag:10-12; a tag holds for the intervals after it.
func (s GTIDSet) add(part string) error {
	uuid, rest, _ := strings.Cut(part, ":")
	if !isUUID(uuid) {
		return fmt.Errorf("%q is not a UUID", uuid)
	}
	source, intervals := uuid, 0
	for field := range strings.SplitSeq(rest, ":") {
		if isTag(field) {
			source = uuid + ":" + field
			continue
		}
		i, err := parseInterval(field)
		if err != nil {
			return err
		}
		s[source] = append(s[source], i)
		intervals++
	}
	if intervals == 0 {
		return fmt.Errorf("%q has no intervals", part)
	}
	return nil
}

func isUUID(text string) bool {
	if len(text) != uuidLength {
		return false
	}
	for i, c := range []byte(text) {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (c == '-') || !hyphen && !strings.ContainsRune("0123456789abcdef", rune(c)) {
			return false
		}
	}
	return true
}

// isTag tells a tag from an interval: a letter or an underscore, then at most 31 of these and digits.
func isTag(text string) bool {
	const longest = 32
	if text == "" || len(text) > longest || text[0] >= '0' && text[0] <= '9' {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

func parseInterval(text string) (interval, error) {
	low, high, ranged := strings.Cut(text, "-")
	if !ranged {
		high = low
	}
	a, errA := strconv.ParseUint(low, 10, 63)
	b, errB := strconv.ParseUint(high, 10, 63)
	if errA != nil || errB != nil || a < 1 || b < a {
		return interval{}, fmt.Errorf("%q is not an interval", text)
	}
	return interval{int64(a), int64(b)}, nil
}

// merged sorts intervals and joins those that overlap or touch.
func merged(list []interval) []interval {
	slices.SortFunc(list, func(a, b interval) int { return cmp.Compare(a.low, b.low) })
	var out []interval
	for _, i := range list {
		if n := len(out); n > 0 && i.low-1 <= out[n-1].high {
			out[n-1].high = max(out[n-1].high, i.high)
		} else {
			out = append(out, i)
		}
	}
	return out
}

// Subtract is what is in the set and not in the other: the server's GTID_SUBTRACT.
func (s GTIDSet) Subtract(other GTIDSet) GTIDSet {
	out := GTIDSet{}
	for source, list := range s {
		if rest := subtract(list, other[source]); len(rest) > 0 {
			out[source] = rest
		}
	}
	return out
}

func subtract(from, what []interval) []interval {
	var out []interval
	for _, i := range from {
		gone := false
		for _, w := range what {
			if w.high < i.low {
				continue
			}
			if w.low > i.high {
				break
			}
			if w.low > i.low {
				out = append(out, interval{i.low, w.low - 1})
			}
			if gone = w.high >= i.high; gone {
				break
			}
			i.low = w.high + 1
		}
		if !gone {
			out = append(out, i)
		}
	}
	return out
}

// Union is what is in either set.
func (s GTIDSet) Union(other GTIDSet) GTIDSet {
	out := GTIDSet{}
	for _, set := range []GTIDSet{s, other} {
		for source, list := range set {
			out[source] = append(out[source], list...)
		}
	}
	for source, list := range out {
		out[source] = merged(list)
	}
	return out
}

// Count is the number of transactions.
func (s GTIDSet) Count() int64 {
	var n int64
	for _, list := range s {
		for _, i := range list {
			n += i.high - i.low + 1
		}
	}
	return n
}

// UUIDs are those of the servers, or groups, on which the transactions were committed, in alphabetical order.
func (s GTIDSet) UUIDs() []string {
	var list []string
	for source := range s {
		uuid, _, _ := strings.Cut(source, ":")
		list = append(list, uuid)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// String is the set as a server prints it, without line breaks.
func (s GTIDSet) String() string {
	var b strings.Builder
	last := ""
	for _, source := range slices.Sorted(maps.Keys(s)) {
		uuid, tag, tagged := strings.Cut(source, ":")
		switch {
		case uuid != last && last != "":
			b.WriteString("," + uuid)
		case uuid != last:
			b.WriteString(uuid)
		}
		last = uuid
		if tagged {
			b.WriteString(":" + tag)
		}
		for _, i := range s[source] {
			fmt.Fprintf(&b, ":%d", i.low)
			if i.high > i.low {
				fmt.Fprintf(&b, "-%d", i.high)
			}
		}
	}
	return b.String()
}
