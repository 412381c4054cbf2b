package resolve

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// resendAfter is how long a reply over UDP is waited for before the question is sent again.
const resendAfter = time.Second

// AskOverUDP asks a DNS server questions, all at the same time, and returns an answer for each in their order: over UDP, again and
// again until the context ends, and over TCP what does not fit. Server is host:port.
func AskOverUDP(ctx context.Context, server string, questions []Question) []Answer {
	answers := make([]Answer, len(questions))
	var group sync.WaitGroup
	for i, q := range questions {
		group.Go(func() {
			started := time.Now() //nolint:forbidigo // the time that an answer takes
			answers[i] = askOverUDP(ctx, server, q)
			answers[i].Microseconds = new(time.Since(started).Microseconds()) //nolint:forbidigo // as above
			answers[i].finish()
		})
	}
	group.Wait()
	return answers
}

func askOverUDP(ctx context.Context, server string, q Question) Answer {
	a := Answer{Question: q, Server: server}
	id := uint16(rand.Uint32()) //nolint:gosec // the socket takes replies of that server only
	query, err := pack(id, &q)
	if err != nil {
		a.Status, a.Detail = StatusInvalid, err.Error()
		return a
	}
	truncated := false
	err = exchangeOverUDP(ctx, server, query, func(reply []byte) bool {
		var p dnsmessage.Parser
		header, err := p.Start(reply)
		if err == nil && header.ID == id && header.Response && header.Truncated {
			truncated = true
			return true
		}
		tried := Answer{Question: q, Server: server}
		if unpack(reply, id, &tried) != nil { // another query's, or noise: the right one may still come
			return false
		}
		a = tried
		return true
	})
	switch {
	case truncated:
		dial := func(ctx context.Context) (net.Conn, error) { return (&net.Dialer{}).DialContext(ctx, "tcp", server) }
		a = AskServer(ctx, dial, server, []Question{q})[0]
		if a.Truncated = true; a.Status == StatusNotAsked { // the time is that of one question here
			a.Status, a.Detail = StatusTimeout, ""
		}
	case ctx.Err() != nil:
		a.Status = StatusTimeout
	case err != nil:
		a.Status, a.Detail = StatusUnreachable, rootCause(err).Error()
	}
	return a
}

// exchangeOverUDP sends a query until a reply is taken.
func exchangeOverUDP(ctx context.Context, server string, query []byte, take func(reply []byte) bool) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", server)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	buffer := make([]byte, 1<<16)
	for {
		if _, err := conn.Write(query); err != nil {
			return err
		}
		if err := conn.SetReadDeadline(time.Now().Add(resendAfter)); err != nil { //nolint:forbidigo // sockets have deadlines
			return err
		}
		for {
			n, err := conn.Read(buffer)
			var network net.Error
			switch {
			case errors.As(err, &network) && network.Timeout():
			case err != nil:
				return err
			case take(buffer[:n]):
				return nil
			default:
				continue
			}
			break // ask again
		}
	}
}

// rootCause is an error without the sockets' addresses around it.
func rootCause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
