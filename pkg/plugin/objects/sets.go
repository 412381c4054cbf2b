package objects

import (
	"strconv"
	"strings"
)

// StatefulSetKinds are what a StatefulSet may be called in an argument kind/name.
func StatefulSetKinds() []string {
	return []string{"sts", "statefulset", "statefulsets", "statefulset.apps", "statefulsets.apps"}
}

// OrdinalOf reads the ordinal off the name of a pod of a set: of web, web-2 is 2. It is not ok for other names, such as web-02.
func OrdinalOf(pod, set string) (ordinal int32, ok bool) {
	digits, ok := strings.CutPrefix(pod, set+"-")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != digits {
		return 0, false
	}
	return int32(n), true
}

// Majority is how many of n members have to be left for them to go on where they decide by majority: 2 of 3, 3 of 4.
func Majority(n int) int { return n/2 + 1 }
