package objects

import (
	"cmp"
	"strconv"
	"strings"
)

// CompareNames orders names that end with a number by it: web-2 before web-10. It is for slices.SortFunc: negative if a comes first.
func CompareNames(a, b string) int {
	prefixA, numberA := cutNumber(a)
	prefixB, numberB := cutNumber(b)
	return cmp.Or(cmp.Compare(prefixA, prefixB), cmp.Compare(numberA, numberB), cmp.Compare(a, b))
}

// cutNumber takes the number off the end of a name; it is -1 where there is none.
func cutNumber(name string) (prefix string, number int) {
	i := strings.LastIndexByte(name, '-')
	n, err := strconv.Atoi(name[i+1:])
	if i < 0 || err != nil || n < 0 {
		return name, -1
	}
	return name[:i], n
}
