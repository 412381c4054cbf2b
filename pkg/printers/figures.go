package printers

import (
	"fmt"
	"math"
	"strings"
)

// Bytes prints a size in the units of Kubernetes' quantities, with one decimal below ten.
func Bytes(n int64) string {
	units := [...]string{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}
	value, unit := float64(n), 0
	for value >= 1023.5 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	if unit > 0 && value < 9.95 {
		return fmt.Sprintf("%.1f%s", value, units[unit])
	}
	return fmt.Sprintf("%.0f%s", math.Round(value), units[unit])
}

// barWidth is the length of a bar in characters.
const barWidth = 10

// Bar draws a percentage: ###....... for 30. It is of ASCII, for what draws better is two wide on some terminals. More than
// nothing is at least one mark, and less than all leaves one out.
func Bar(percent int32) string {
	marks := int(percent) * barWidth / 100
	switch {
	case percent <= 0:
		marks = 0
	case percent >= 100:
		marks = barWidth
	case marks == 0:
		marks = 1
	}
	return strings.Repeat("#", marks) + strings.Repeat(".", barWidth-marks)
}
