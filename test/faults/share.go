package faults

import (
	"crypto/sha256"
	"encoding/binary"
	"os"
	"strconv"
	"time"
)

// shareEnv names the commit that is tested. With it, only a share of the rows is tried: those that are always tried, and of the rest one in
// rest, others with each commit. Without it, every row is. untilEnv is when a run is to be done with the rows that are not always tried, as
// a number of seconds since 1970: on a slow or cold machine none of them is begun later.
const (
	shareEnv = "DOIK_FAULTS_OF"
	untilEnv = "DOIK_FAULTS_UNTIL"
	rest     = 12
)

// chosen reports whether a row is tried in a run of a commit; with an empty one every row is.
func (b Bed) chosen(f Fault, commit string) bool {
	if commit == "" || f.Always {
		return true
	}
	sum := sha256.Sum256([]byte(commit + "/" + b.Name + "/" + f.Name))
	return binary.BigEndian.Uint64(sum[:])%rest == 0
}

// late reports whether a row is not begun any more.
func (f Fault) late() bool {
	until, err := strconv.ParseInt(os.Getenv(untilEnv), 10, 64)
	return err == nil && !f.Always && time.Now().Unix() > until
}

// LeftOut are the rows, as bed/fault, that a run of a commit does not try.
func LeftOut(commit string) (list []string, of int) {
	for _, bed := range Beds() {
		for _, f := range bed.Faults {
			of++
			if !bed.chosen(f, commit) {
				list = append(list, bed.Name+"/"+f.Name)
			}
		}
	}
	return list, of
}

// thisCommit is the commit whose share is tried here; empty for every row.
func thisCommit() string { return os.Getenv(shareEnv) }
