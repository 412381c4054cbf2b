package faults

import (
	"fmt"
	"hash/fnv"
	"os"
)

// shareEnv names the commit that is tested. With it, only a share of the rows is tried: those that are always tried, and of the rest one in
// rest, others with each commit. Without it, every row is.
const (
	shareEnv = "DOIK_FAULTS_OF"
	rest     = 4
)

// chosen reports whether a row is tried in a run of a commit; with an empty one every row is.
func (b Bed) chosen(f Fault, commit string) bool {
	if commit == "" || f.Always {
		return true
	}
	sum := fnv.New32a()
	_, _ = fmt.Fprintf(sum, "%s/%s/%s", commit, b.Name, f.Name) // never fails
	return sum.Sum32()%rest == 0
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
