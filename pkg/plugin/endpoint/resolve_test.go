package endpoint

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// serveDNS answers every question with what answer makes of it, over UDP and TCP; nil is silence.
func serveDNS(t *testing.T, answer func(query *dnsmessage.Message, overTCP bool) [][]byte) string {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close(); tcp.Close() })
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			n, from, err := udp.ReadFrom(buffer)
			if err != nil {
				return
			}
			var query dnsmessage.Message
			if query.Unpack(buffer[:n]) == nil {
				for _, packed := range answer(&query, false) {
					_, _ = udp.WriteTo(packed, from)
				}
			}
		}
	}()
	go func() {
		for {
			conn, err := tcp.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var length [2]byte
				if _, err := io.ReadFull(conn, length[:]); err != nil {
					return
				}
				buffer := make([]byte, binary.BigEndian.Uint16(length[:]))
				var query dnsmessage.Message
				if _, err := io.ReadFull(conn, buffer); err != nil || query.Unpack(buffer) != nil {
					return
				}
				for _, packed := range answer(&query, true) {
					_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...))
				}
			}()
		}
	}()
	return tcp.Addr().String()
}

// zone is what the server of a test knows.
type zone map[string][]string // addresses, or -> alias

func (z zone) answer(t *testing.T, query *dnsmessage.Message) *dnsmessage.Message {
	reply := &dnsmessage.Message{Header: dnsmessage.Header{ID: query.ID, Response: true, RecursionAvailable: true}, Questions: query.Questions}
	name := query.Questions[0].Name
	for {
		values, known := z[name.String()]
		if !known {
			reply.RCode = dnsmessage.RCodeNameError
			return reply
		}
		header := dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 60}
		alias := false
		for _, value := range values {
			a, err := netip.ParseAddr(value)
			switch {
			case err != nil:
				alias, name = true, dnsmessage.MustNewName(value)
				reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.CNAMEResource{CNAME: name}})
			case a.Is4() && query.Questions[0].Type == dnsmessage.TypeA:
				reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: a.As4()}})
			case a.Is6() && query.Questions[0].Type == dnsmessage.TypeAAAA:
				reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
			}
		}
		if !alias {
			return reply
		}
	}
}

func pack(t *testing.T, m *dnsmessage.Message) []byte {
	t.Helper()
	packed, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	return packed
}

// TestAskResolver asks servers that answer, fail, cut off, lie and say nothing.
func TestAskResolver(t *testing.T) {
	z := zone{
		"v4.example.": {"3.34.1.2", "10.0.1.5"}, "dual.example.": {"3.34.1.2", "2406:da12::1"}, "v6.example.": {"2406:da12::1"},
		"alias.example.": {"other.example."}, "other.example.": {"10.0.1.5"}, "empty.example.": {}, "loop.example.": {"here.example."}, "here.example.": {},
	}
	plain := serveDNS(t, func(q *dnsmessage.Message, _ bool) [][]byte { return [][]byte{pack(t, z.answer(t, q))} })
	code := func(c dnsmessage.RCode) string {
		return serveDNS(t, func(q *dnsmessage.Message, _ bool) [][]byte {
			return [][]byte{pack(t, &dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, RCode: c}, Questions: q.Questions})}
		})
	}
	truncated := serveDNS(t, func(q *dnsmessage.Message, overTCP bool) [][]byte {
		m := z.answer(t, q)
		packed := pack(t, m)
		if !overTCP {
			m.Truncated = true
			packed = pack(t, m)
			packed = packed[:len(packed)-3] // in the middle of a record
		}
		return [][]byte{packed}
	})
	liar := serveDNS(t, func(q *dnsmessage.Message, _ bool) [][]byte {
		m := z.answer(t, q)
		wrong := *m
		wrong.ID++
		other := *m
		other.Questions = []dnsmessage.Question{{Name: dnsmessage.MustNewName("bank.example."), Type: q.Questions[0].Type, Class: dnsmessage.ClassINET}}
		return [][]byte{[]byte("garbage"), pack(t, &wrong), pack(t, &other), pack(t, m)}
	})
	asked := 0
	lossy := serveDNS(t, func(q *dnsmessage.Message, _ bool) [][]byte {
		if asked++; asked <= 2 { // one question for each type of record
			return nil
		}
		return [][]byte{pack(t, z.answer(t, q))}
	})
	silent := serveDNS(t, func(*dnsmessage.Message, bool) [][]byte { return nil })
	circular := serveDNS(t, func(q *dnsmessage.Message, _ bool) [][]byte {
		m := z.answer(t, q)
		header := dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Class: dnsmessage.ClassINET}
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.CNAMEResource{CNAME: q.Questions[0].Name}}}
		return [][]byte{pack(t, m)}
	})
	for _, test := range []struct {
		name, server, host string
		result             v1alpha1.ResolutionResult
		want               string // addresses or message
	}{
		{"two addresses", plain, "v4.example", v1alpha1.ResolutionAnswered, "3.34.1.2 (public), 10.0.1.5 (private)"},
		{"a name with a dot at its end", plain, "v4.example.", v1alpha1.ResolutionAnswered, "3.34.1.2 (public), 10.0.1.5 (private)"},
		{"both families", plain, "dual.example", v1alpha1.ResolutionAnswered, "3.34.1.2, 2406:da12::1 (public)"},
		{"IPv6 only", plain, "v6.example", v1alpha1.ResolutionAnswered, "2406:da12::1 (public)"},
		{"an alias", plain, "alias.example", v1alpha1.ResolutionAnswered, "10.0.1.5 (private)"},
		{"a name without addresses", plain, "empty.example", v1alpha1.ResolutionNotFound, ""},
		{"no such name", plain, "nosuch.example", v1alpha1.ResolutionNotFound, ""},
		{"SERVFAIL", code(dnsmessage.RCodeServerFailure), "v4.example", v1alpha1.ResolutionFailed, "SERVFAIL"},
		{"REFUSED", code(dnsmessage.RCodeRefused), "v4.example", v1alpha1.ResolutionFailed, "REFUSED"},
		{"NOTIMP", code(dnsmessage.RCodeNotImplemented), "v4.example", v1alpha1.ResolutionFailed, "NOTIMPLEMENTED"},
		{"cut off, and whole over TCP", truncated, "v4.example", v1alpha1.ResolutionAnswered, "3.34.1.2 (public), 10.0.1.5 (private)"},
		{"answers to other questions", liar, "dual.example", v1alpha1.ResolutionAnswered, "3.34.1.2, 2406:da12::1 (public)"},
		{"asked again", lossy, "v4.example", v1alpha1.ResolutionAnswered, "3.34.1.2 (public), 10.0.1.5 (private)"},
		{"an alias of itself", circular, "v4.example", v1alpha1.ResolutionNotFound, ""},
		{"silence", silent, "v4.example", v1alpha1.ResolutionTimeout, "nobody answered within 1.5s"},
		{"nobody there", "127.0.0.1:1", "v4.example", v1alpha1.ResolutionFailed, "connection refused"},
		{"a name that is none", plain, "a..b", v1alpha1.ResolutionFailed, "it is no name that DNS servers can be asked for"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := askResolver(t.Context(), test.server, test.host, 1500*time.Millisecond)
			got := addressWords(r.Addresses) + r.Message
			if r.Result != test.result || got != test.want || r.Milliseconds == nil || *r.Milliseconds > 2500 {
				t.Errorf("got %s %q after %d ms, want %s %q", r.Result, got, *r.Milliseconds, test.result, test.want)
			}
		})
	}
}

// TestLookUpEnds looks names up with a context that ends.
func TestLookUpEnds(t *testing.T) {
	silent := serveDNS(t, func(*dnsmessage.Message, bool) [][]byte { return nil })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	started := time.Now()
	r := askResolver(ctx, silent, "v4.example", time.Minute)
	if r.Result != v1alpha1.ResolutionTimeout || r.Message != "time ran out (--timeout)" || time.Since(started) > 5*time.Second {
		t.Errorf("%+v after %s", r, time.Since(started))
	}
	if r := resolveOnWorkstation(ctx, "api.invalid", time.Minute); r.Result != v1alpha1.ResolutionTimeout {
		t.Errorf("%+v", r)
	}
}

func TestResolveOnWorkstation(t *testing.T) {
	r := resolveOnWorkstation(t.Context(), "localhost", 5*time.Second)
	if r.Result != v1alpha1.ResolutionAnswered || r.Addresses[0].Scope != v1alpha1.ScopeLoopback || r.From != v1alpha1.FromWorkstation {
		t.Errorf("%+v", r)
	}
}

func FuzzAnswer(f *testing.F) {
	query := &dnsmessage.Message{Header: dnsmessage.Header{ID: 7}, Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("v4.example."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	good := &dnsmessage.Message{
		Header: dnsmessage.Header{ID: 7, Response: true}, Questions: query.Questions,
		Answers: []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: query.Questions[0].Name, Class: dnsmessage.ClassINET}, Body: &dnsmessage.AResource{A: [4]byte{1, 2, 3, 4}}}},
	}
	packed, err := good.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, packed []byte) {
		answer := answerTo(query, packed)
		if answer == nil {
			return
		}
		if answer.ID != 7 || !answer.Response {
			t.Errorf("%+v", answer.Header)
		}
		for _, a := range answeredAddresses(answer, query.Questions[0].Name) {
			if !a.IsValid() {
				t.Errorf("%v", a)
			}
		}
	})
}
