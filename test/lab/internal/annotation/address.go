package annotation

import (
	"fmt"
	"net/netip"
	"strconv"
)

func parsePort(s string) (int32, error) {
	port, err := strconv.ParseUint(s, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("%s: %q is not a port", Forward, s)
	}
	return int32(port), nil
}

func checkLoopback(address string) error {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s: %w", Forward, err)
	}
	if !parsed.Addr().Unmap().IsLoopback() {
		return fmt.Errorf("%s: %s is not a loopback address", Forward, address)
	}
	return nil
}
