package postgres

import (
	"fmt"
	"strconv"
	"strings"
)

// LSN is a position in the write-ahead log, in bytes since its beginning; 0 is none.
type LSN uint64

// ParseLSN reads a position as servers print it: 16/B374D848. Ok is false for anything else.
func ParseLSN(text string) (lsn LSN, ok bool) {
	high, low, cut := strings.Cut(text, "/")
	h, errHigh := strconv.ParseUint(high, 16, 32)
	l, errLow := strconv.ParseUint(low, 16, 32)
	if !cut || errHigh != nil || errLow != nil {
		return 0, false
	}
	return LSN(h<<32 | l), true
}

// String is the position as servers print it.
func (l LSN) String() string { return fmt.Sprintf("%X/%X", uint64(l)>>32, uint64(l)&0xFFFFFFFF) }

// Since is the number of bytes from another position to this one; negative if that is further.
func (l LSN) Since(other LSN) int64 { return int64(l - other) }
