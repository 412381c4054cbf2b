package resolve

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/kubectl-doik/kubectl-doik/test/nameserver"
)

// TestAskOverUDP asks servers that answer, fail, cut off, lie and say nothing.
func TestAskOverUDP(t *testing.T) {
	zone := nameserver.Zone{
		"v4.example.": {"3.34.1.2", "10.0.1.5"}, "dual.example.": {"3.34.1.2", "2406:da12::1"},
		"alias.example.": {"other.example."}, "other.example.": {"10.0.1.5"}, "empty.example.": {},
	}
	serve := func(answer nameserver.Answer) string { return nameserver.Serve(t, "127.0.0.1:0", answer) }
	plain := serve(zone.Answer)
	truncated := serve(func(q *dnsmessage.Message, overTCP bool) [][]byte {
		m := zone.Message(q)
		if overTCP {
			return [][]byte{nameserver.Pack(m)}
		}
		m.Truncated = true
		reply := nameserver.Pack(m)
		return [][]byte{reply[:len(reply)-3]} // in the middle of a record
	})
	liar := serve(func(q *dnsmessage.Message, _ bool) [][]byte {
		m := zone.Message(q)
		wrong, other := *m, *m
		wrong.ID++
		other.Questions = []dnsmessage.Question{{Name: dnsmessage.MustNewName("bank.example."), Type: q.Questions[0].Type, Class: dnsmessage.ClassINET}}
		return [][]byte{[]byte("garbage"), nameserver.Pack(&wrong), nameserver.Pack(&other), nameserver.Pack(m)}
	})
	var asked atomic.Int64
	lossy := serve(func(q *dnsmessage.Message, _ bool) [][]byte {
		if asked.Add(1) <= 2 { // one question for each type of record
			return nil
		}
		return [][]byte{nameserver.Pack(zone.Message(q))}
	})
	for _, test := range []struct {
		name, server, host string
		want               [2]string // for A and AAAA: status, data of the records, detail
	}{
		{"two addresses", plain, "v4.example.", [2]string{"NOERROR 3.34.1.2 10.0.1.5", "NOERROR"}},
		{"both families", plain, "dual.example.", [2]string{"NOERROR 3.34.1.2", "NOERROR 2406:da12::1"}},
		{"an alias", plain, "alias.example.", [2]string{"NOERROR 10.0.1.5 other.example.", "NOERROR other.example."}},
		{"a name without addresses", plain, "empty.example.", [2]string{"NOERROR", "NOERROR"}},
		{"no such name", plain, "nosuch.example.", [2]string{"NXDOMAIN", "NXDOMAIN"}},
		{"SERVFAIL", serve(nameserver.Refusal(dnsmessage.RCodeServerFailure)), "v4.example.", [2]string{"SERVFAIL", "SERVFAIL"}},
		{"REFUSED", serve(nameserver.Refusal(dnsmessage.RCodeRefused)), "v4.example.", [2]string{"REFUSED", "REFUSED"}},
		{"cut off, and whole over TCP", truncated, "v4.example.", [2]string{"NOERROR 3.34.1.2 10.0.1.5", "NOERROR"}},
		{"answers to other questions", liar, "dual.example.", [2]string{"NOERROR 3.34.1.2", "NOERROR 2406:da12::1"}},
		{"asked again", lossy, "v4.example.", [2]string{"NOERROR 3.34.1.2 10.0.1.5", "NOERROR"}},
		{"silence", serve(nameserver.Silence), "v4.example.", [2]string{"TIMEOUT", "TIMEOUT"}},
		{"nothing there", "127.0.0.1:1", "v4.example.", [2]string{"UNREACHABLE connection refused", "UNREACHABLE connection refused"}},
		{"a name that is none", plain, "a..b.", [2]string{"INVALID not a name that can be looked up", "INVALID not a name that can be looked up"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer cancel()
			answers := AskOverUDP(ctx, test.server, []Question{{Name: test.host, Type: TypeA}, {Name: test.host, Type: TypeAAAA}})
			for i, a := range answers {
				words := []string{string(a.Status)}
				for _, r := range a.Records {
					words = append(words, r.Data)
				}
				if a.Detail != "" {
					words = append(words, a.Detail)
				}
				if got := strings.Join(words, " "); got != test.want[i] || a.Microseconds == nil || *a.Microseconds > 3e6 || a.Server != test.server {
					t.Errorf("got %s, want %s: %+v", got, test.want[i], a)
				}
			}
		})
	}
}
