// Package resolve asks DNS questions from inside a cluster: in a container, with whatever tool its image has, or of a DNS server
// through a connection. It knows nothing of Services and pods.
package resolve

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Type is a type of DNS record.
type Type string

// The types that can be asked for. TypeCNAME is only found on the way to an address.
const (
	TypeA     Type = "A"
	TypeAAAA  Type = "AAAA"
	TypeSRV   Type = "SRV"
	TypePTR   Type = "PTR"
	TypeCNAME Type = "CNAME"
)

// Question is one lookup.
type Question struct {
	// Name ends with a dot, unless Search is true.
	Name string `json:"name"`
	Type Type   `json:"type"`
	// TCP asks over TCP. Without it UDP is used, and TCP after a truncated answer.
	TCP bool `json:"tcp,omitempty"`
	// Search asks for a name as a program would, through the search path of resolv.conf.
	Search bool `json:"search,omitempty"`
	// Server is the address to ask; empty for those of resolv.conf.
	Server string `json:"server,omitempty"`
}

// Status is how a lookup ended: a response code of DNS, or why there is none.
type Status string

const (
	// StatusNoError means that the name exists. It need not have a record of the type.
	StatusNoError Status = "NOERROR"
	// StatusNXDomain means that the name does not exist.
	StatusNXDomain Status = "NXDOMAIN"
	// StatusServFail means that the server failed.
	StatusServFail Status = "SERVFAIL"
	// StatusRefused means that the server refused to answer.
	StatusRefused Status = "REFUSED"
	// StatusTimeout means that no answer came in time.
	StatusTimeout Status = "TIMEOUT"
	// StatusUnreachable means that the server could not be reached: connection refused, no route.
	StatusUnreachable Status = "UNREACHABLE"
	// StatusNotFound is what getent reports every failure.
	StatusNotFound Status = "NOTFOUND"
	// StatusUnsupported means that the image's tool can't ask this.
	StatusUnsupported Status = "UNSUPPORTED"
	// StatusInvalid means that the answer could not be understood.
	StatusInvalid Status = "INVALID"
	// StatusNotAsked means that it was not asked: no answer came before, or time ran out.
	StatusNotAsked Status = "NOTASKED"
)

// TimeRanOut is the detail of what was not asked, or not waited for, because there was no time left.
const TimeRanOut = "time ran out"

// Negative reports whether an answer says that there is no such record.
func (a *Answer) Negative() bool {
	return len(a.Records) == 0 && (a.Status == StatusNoError || a.Status == StatusNXDomain || a.Status == StatusNotFound)
}

// Unanswered reports whether no server said anything.
func (a *Answer) Unanswered() bool {
	return a.Status == StatusTimeout || a.Status == StatusUnreachable
}

// Answer is what became of a question.
type Answer struct {
	Question Question `json:"question"`
	Status   Status   `json:"status"`
	// FullName is the name that was found: the question's, or with a domain of the search path. It ends with a dot.
	FullName string   `json:"fullName,omitempty"`
	Records  []Record `json:"records,omitempty"`
	// NegativeTTL is for how many seconds more a negative answer is kept by caches, where the tool tells.
	NegativeTTL *int64 `json:"negativeTTL,omitempty"`
	// Server is the address that answered, where the tool tells.
	Server string `json:"server,omitempty"`
	// OverTCP means that the answer came over TCP; Truncated that it did not fit into UDP.
	OverTCP   bool `json:"overTCP,omitempty"`
	Truncated bool `json:"truncated,omitempty"`
	// Microseconds is the time that it took, where the tool tells.
	Microseconds *int64 `json:"microseconds,omitempty"`
	// Detail is the tool's or the network's own word on a failure.
	Detail string `json:"detail,omitempty"`
}

// Record is one record of an answer.
type Record struct {
	Type Type `json:"type"`
	// Data is an address, a name with a dot at its end, or priority, weight, port and target of SRV.
	Data string `json:"data"`
	// TTL in seconds, where the tool tells.
	TTL *int64 `json:"ttl,omitempty"`
}

// add adds a record in its canonical form, once. It reports whether the data is what the type asks for.
func (a *Answer) add(kind Type, data string, ttl *int64) bool {
	data, ok := canonical(kind, data)
	if !ok {
		return false
	}
	if !slices.ContainsFunc(a.Records, func(r Record) bool { return r.Type == kind && r.Data == data }) {
		a.Records = append(a.Records, Record{Type: kind, Data: data, TTL: ttl})
	}
	return true
}

// finish sorts the records, which servers give in changing order.
func (a *Answer) finish() {
	slices.SortFunc(a.Records, func(a, b Record) int { return cmp.Or(cmp.Compare(a.Type, b.Type), CompareData(a.Data, b.Data)) })
}

// CompareData orders addresses by number and everything else by its text.
func CompareData(a, b string) int {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	if errX == nil && errY == nil {
		return x.Compare(y)
	}
	return cmp.Compare(a, b)
}

// canonical is data in the one form in which it can be compared.
func canonical(kind Type, data string) (string, bool) {
	switch kind {
	case TypeA, TypeAAAA:
		address, err := netip.ParseAddr(data)
		if err != nil || address.Zone() != "" || address.Is4() != (kind == TypeA) {
			return "", false
		}
		return address.String(), true
	case TypeSRV:
		fields := strings.Fields(data)
		if len(fields) != 4 {
			return "", false
		}
		for _, number := range fields[:3] {
			if _, err := strconv.ParseUint(number, 10, 16); err != nil {
				return "", false
			}
		}
		fields[3] = absolute(fields[3])
		return strings.Join(fields, " "), true
	case TypePTR, TypeCNAME:
		if data == "" || strings.ContainsAny(data, " \t") {
			return "", false
		}
		return absolute(data), true
	}
	return "", false
}

// absolute is a name in lower case with a dot at its end.
func absolute(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, ".")) + "."
}

// ReverseName is the name under which PTR records of an address are, and AddressOf is the way back.
func ReverseName(address netip.Addr) string {
	if address.Is4() {
		b := address.As4()
		return fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa.", b[3], b[2], b[1], b[0])
	}
	const digits = "0123456789abcdef"
	b := address.As16()
	var name strings.Builder
	for i := len(b) - 1; i >= 0; i-- {
		name.Write([]byte{digits[b[i]&0xf], '.', digits[b[i]>>4], '.'})
	}
	return name.String() + "ip6.arpa."
}

// AddressOf is the address that a name of a PTR record is about, if it is one.
func AddressOf(name string) (netip.Addr, bool) {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	switch {
	case len(labels) == 6 && labels[4] == "in-addr" && labels[5] == "arpa":
		slices.Reverse(labels[:4])
		address, err := netip.ParseAddr(strings.Join(labels[:4], "."))
		return address, err == nil
	case len(labels) == 34 && labels[32] == "ip6" && labels[33] == "arpa":
		slices.Reverse(labels[:32])
		var text strings.Builder
		for i, digit := range labels[:32] {
			if i > 0 && i%4 == 0 {
				text.WriteByte(':')
			}
			text.WriteString(digit)
		}
		address, err := netip.ParseAddr(text.String())
		return address, err == nil
	}
	return netip.Addr{}, false
}

// valid reports whether a question can be passed to a shell and to the tools as it is: names of Kubernetes are never otherwise.
func (q *Question) valid() bool {
	if q.Server != "" {
		if address, err := netip.ParseAddr(q.Server); err != nil || address.Zone() != "" {
			return false
		}
	}
	switch q.Type {
	case TypeA, TypeAAAA, TypeSRV, TypePTR:
	default:
		return false
	}
	return ValidName(q.Name) && (q.Search || strings.HasSuffix(q.Name, "."))
}

// ValidName reports whether a name consists of labels of letters, digits, - and _ only, and is no longer than DNS allows.
func ValidName(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
		}) {
			return false
		}
	}
	return true
}
