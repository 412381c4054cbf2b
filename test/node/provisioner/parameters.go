//go:build linux

package main

import (
	"fmt"
	"strconv"
)

// parameters are what a storage class may ask for.
type parameters struct {
	reservedBlocksPercent int64 // of the file system, kept for root; df's percentage leaves them out
	inodes                int64 // 0: as many as mkfs.ext4 thinks fit
}

func parseParameters(given map[string]string) (parameters, error) {
	var p parameters
	for name, text := range given {
		value, err := strconv.ParseInt(text, 10, 64)
		switch {
		case name != "reservedBlocksPercent" && name != "inodes":
			return p, fmt.Errorf("unknown parameter %q in the storage class: there are reservedBlocksPercent and inodes", name)
		case err != nil:
			return p, fmt.Errorf("parameter %s: %q is not a whole number", name, text)
		case name == "reservedBlocksPercent" && (value < 0 || value > 50):
			return p, fmt.Errorf("parameter reservedBlocksPercent: %d is not between 0 and 50", value)
		case name == "inodes" && value < 1:
			return p, fmt.Errorf("parameter inodes: %d is less than 1", value)
		case name == "inodes":
			p.inodes = value
		default:
			p.reservedBlocksPercent = value
		}
	}
	return p, nil
}

// mkfs is the command that makes the file system.
func (p parameters) mkfs(file string) []string {
	command := []string{"mkfs.ext4", "-q", "-F", "-m", strconv.FormatInt(p.reservedBlocksPercent, 10)}
	if p.inodes > 0 {
		command = append(command, "-N", strconv.FormatInt(p.inodes, 10))
	}
	return append(command, file)
}
