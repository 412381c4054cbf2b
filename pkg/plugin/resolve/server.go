package resolve

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	// connections is how many connections to a server are used at the same time. Servers end one after some number of questions.
	connections       = 4
	questionsInStream = 100
	// answerPatience is how long a server has for one answer.
	answerPatience = 2 * time.Second
)

// Dial opens a connection to a DNS server that takes questions over TCP.
type Dial func(ctx context.Context) (net.Conn, error)

// AskServer asks a DNS server questions over TCP, and returns an answer for each in their order. Server is its address as the
// answers are to name it. A server that lets the first question of a connection wait is asked no more of its questions.
func AskServer(ctx context.Context, dial Dial, server string, questions []Question) []Answer {
	answers := make([]Answer, len(questions))
	var group sync.WaitGroup
	for lane := range min(connections, len(questions)) {
		group.Go(func() {
			c := &stream{dial: dial}
			defer c.close()
			silent := false
			for i := lane; i < len(questions); i += connections {
				a := Answer{Question: questions[i], Server: server, OverTCP: true}
				switch {
				case ctx.Err() != nil:
					a.Status, a.Detail = StatusNotAsked, TimeRanOut
				case silent:
					a.Status, a.Detail = StatusNotAsked, "the server had not answered before"
				default:
					started := time.Now() //nolint:forbidigo // the time that an answer takes
					c.ask(ctx, &a)
					a.Microseconds = new(time.Since(started).Microseconds()) //nolint:forbidigo // as above
					if a.Unanswered() && ctx.Err() != nil {                  // the server had less time than it is given
						a.Status, a.Detail = StatusNotAsked, TimeRanOut
					}
					silent = a.Unanswered()
				}
				a.finish()
				answers[i] = a
			}
		})
	}
	group.Wait()
	return answers
}

// stream is a connection that is opened when it is needed.
type stream struct {
	dial Dial
	conn net.Conn
	left int // questions that this connection is good for
	id   uint16
}

func (c *stream) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// ask asks one question and fills the answer in.
func (c *stream) ask(ctx context.Context, a *Answer) {
	c.id++
	query, err := pack(c.id, &a.Question)
	if err != nil {
		a.Status, a.Detail = StatusInvalid, err.Error()
		return
	}
	reply, err := c.exchange(ctx, query)
	if err != nil {
		c.close()
		var network net.Error
		switch {
		case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
			a.Status, a.Detail = StatusTimeout, fmt.Sprintf("no answer within %s", answerPatience)
		default:
			a.Status, a.Detail = StatusUnreachable, strings.Join(strings.Fields(err.Error()), " ")
		}
		return
	}
	if err := unpack(reply, c.id, a); err != nil {
		a.Status, a.Detail, a.Records = StatusInvalid, err.Error(), nil
		c.close() // what comes next can't be told apart
	}
}

// exchange sends a query and receives the reply, each with its length before it (RFC 1035, 4.2.2).
func (c *stream) exchange(ctx context.Context, query []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	if c.left == 0 {
		c.close()
	}
	if c.conn == nil {
		conn, err := c.dial(ctx)
		if err != nil {
			return nil, err
		}
		c.conn, c.left = conn, questionsInStream
	}
	c.left--
	if deadline, ok := ctx.Deadline(); ok {
		_ = c.conn.SetDeadline(deadline)
	}
	conn := c.conn
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	framed := binary.BigEndian.AppendUint16(nil, uint16(len(query)))
	if _, err := conn.Write(append(framed, query...)); err != nil {
		return nil, err
	}
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return nil, err
		}
		reply := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, reply); err != nil {
			return nil, err
		}
		if !c.earlier(reply) {
			return reply, nil
		}
	}
}

// earlier reports whether a reply is to a question before the last one: CoreDNS answers twice where its template plugin refuses.
func (c *stream) earlier(reply []byte) bool {
	if len(reply) < 2 {
		return false
	}
	id := binary.BigEndian.Uint16(reply)
	return id > 0 && id < c.id
}

// types are those that can be asked for.
var types = map[Type]dnsmessage.Type{TypeA: dnsmessage.TypeA, TypeAAAA: dnsmessage.TypeAAAA, TypeSRV: dnsmessage.TypeSRV, TypePTR: dnsmessage.TypePTR}

func pack(id uint16, q *Question) ([]byte, error) {
	if !q.valid() || q.Search {
		return nil, errors.New("not a name that can be looked up")
	}
	name, err := dnsmessage.NewName(q.Name)
	if err != nil {
		return nil, err
	}
	message := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name, Type: types[q.Type], Class: dnsmessage.ClassINET}},
	}
	return message.Pack()
}

// unpack reads a reply to the question of an answer into it.
func unpack(reply []byte, id uint16, a *Answer) error {
	var p dnsmessage.Parser
	header, err := p.Start(reply)
	if err != nil {
		return fmt.Errorf("the reply can't be read: %w", err)
	}
	if header.ID != id || !header.Response {
		return errors.New("the reply does not match the query")
	}
	questions, err := p.AllQuestions()
	if err != nil {
		return fmt.Errorf("the reply can't be read: %w", err)
	}
	if len(questions) != 1 || absolute(questions[0].Name.String()) != absolute(a.Question.Name) || questions[0].Type != types[a.Question.Type] {
		return errors.New("the reply does not match the query")
	}
	a.Status, a.FullName = statusOf(header.RCode), absolute(a.Question.Name)
	for {
		resource, err := p.Answer()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			break
		}
		if err != nil {
			return fmt.Errorf("the reply can't be read: %w", err)
		}
		ttl := int64(resource.Header.TTL)
		if kind, data := recordData(resource.Body); kind != "" && !a.add(kind, data, &ttl) {
			return fmt.Errorf("the reply has a record %s %q", kind, data)
		}
	}
	authorities, err := p.AllAuthorities()
	if err != nil {
		return fmt.Errorf("the reply can't be read: %w", err)
	}
	for _, resource := range authorities {
		if soa, ok := resource.Body.(*dnsmessage.SOAResource); ok {
			a.NegativeTTL = new(int64(min(resource.Header.TTL, soa.MinTTL)))
		}
	}
	return nil
}

// recordData is the data of a record, as text; the type is empty for those that were not asked for.
func recordData(body dnsmessage.ResourceBody) (Type, string) {
	switch r := body.(type) {
	case *dnsmessage.AResource:
		return TypeA, netip.AddrFrom4(r.A).String()
	case *dnsmessage.AAAAResource:
		return TypeAAAA, netip.AddrFrom16(r.AAAA).String()
	case *dnsmessage.SRVResource:
		return TypeSRV, fmt.Sprintf("%d %d %d %s", r.Priority, r.Weight, r.Port, r.Target)
	case *dnsmessage.PTRResource:
		return TypePTR, r.PTR.String()
	case *dnsmessage.CNAMEResource:
		return TypeCNAME, r.CNAME.String()
	}
	return "", ""
}

func statusOf(code dnsmessage.RCode) Status {
	switch code {
	case dnsmessage.RCodeSuccess:
		return StatusNoError
	case dnsmessage.RCodeNameError:
		return StatusNXDomain
	case dnsmessage.RCodeServerFailure:
		return StatusServFail
	case dnsmessage.RCodeRefused:
		return StatusRefused
	}
	return Status(fmt.Sprintf("RCODE %d", code))
}
