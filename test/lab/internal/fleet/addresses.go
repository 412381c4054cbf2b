package fleet

import (
	"net/netip"
	"sync"
)

// Addresses gives addresses to nodes that were created elsewhere without one: to the API server a kubelet is its
// node's address, so each node needs its own.
type Addresses struct {
	taken func(address string) bool

	mu    sync.Mutex
	last  netip.Addr
	given map[string]string
}

// NewAddresses returns an empty book of addresses. Taken reports whether a node has an address already.
func NewAddresses(taken func(address string) bool) *Addresses {
	// 10.32.0.0/11 lies between the fleet's own addresses and those of pods.
	return &Addresses{taken: taken, last: netip.MustParseAddr("10.32.0.0"), given: map[string]string{}}
}

// Of returns the address of a node, the same one every time.
func (a *Addresses) Of(node string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	address, ok := a.given[node]
	for !ok {
		a.last = a.last.Next()
		address = a.last.String()
		ok = !a.taken(address)
	}
	a.given[node] = address
	return address
}
