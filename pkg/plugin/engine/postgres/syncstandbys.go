package postgres

import (
	"errors"
	"strconv"
	"strings"
)

// SyncStandbys is what synchronous_standby_names asks for: Count of those of these names; * is any.
type SyncStandbys struct {
	// Quorum is true if any of them will do, false if the first ones have to.
	Quorum bool
	Count  int
	Names  []string
}

// errSyncStandbys says that a setting is none that a server would take.
var errSyncStandbys = errors.New("synchronous_standby_names has another form than FIRST n (…), ANY n (…), n (…) or a list of names")

// ParseSyncStandbys reads synchronous_standby_names: FIRST 2 (a, b), ANY 1 ("pod-1", "pod-2"), 2 (a, b), a, b or *. Source: the manual of 10 to 18.
func ParseSyncStandbys(text string) (SyncStandbys, error) {
	s := SyncStandbys{Count: 1}
	text = strings.TrimSpace(text)
	if head, list, ok := strings.Cut(text, "("); ok {
		words := strings.Fields(strings.ToUpper(head))
		list, closed := strings.CutSuffix(strings.TrimSpace(list), ")")
		if len(words) == 0 || len(words) > 2 || !closed {
			return s, errSyncStandbys
		}
		n, err := strconv.Atoi(words[len(words)-1])
		if err != nil || n < 1 || len(words) == 2 && words[0] != "FIRST" && words[0] != "ANY" {
			return s, errSyncStandbys
		}
		s.Count, s.Quorum, text = n, words[0] == "ANY", list
	}
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if quoted, ok := strings.CutPrefix(name, `"`); ok {
			name = strings.ReplaceAll(strings.TrimSuffix(quoted, `"`), `""`, `"`)
		}
		if name == "" {
			return s, errSyncStandbys
		}
		s.Names = append(s.Names, name)
	}
	return s, nil
}
