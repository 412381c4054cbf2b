package resolve

import (
	"context"
	"net"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/kubectl-doik/kubectl-doik/test/nameserver"
)

// TestAskServerTwice takes the second reply to a question for no reply to the next one.
func TestAskServerTwice(t *testing.T) {
	zone := nameserver.Zone{"a.example.": {"192.0.2.1"}, "b.example.": {"192.0.2.2"}}
	address := nameserver.Serve(t, "127.0.0.1:0", func(q *dnsmessage.Message, _ bool) [][]byte {
		reply := nameserver.Pack(zone.Message(q))
		return [][]byte{reply, reply}
	})
	var questions []Question
	for range 3 * connections {
		questions = append(questions, Question{Name: "a.example.", Type: TypeA}, Question{Name: "b.example.", Type: TypeA}, Question{Name: "c.example.", Type: TypeA})
	}
	answers := AskServer(t.Context(), func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", address) }, "192.0.2.53", questions)
	for i, a := range answers {
		got := string(a.Status)
		if len(a.Records) == 1 {
			got = a.Records[0].Data
		}
		if want := [...]string{"192.0.2.1", "192.0.2.2", "NXDOMAIN"}[i%3]; got != want {
			t.Errorf("%s: %s (%s), want %s", a.Question.Name, got, a.Detail, want)
		}
	}
}
