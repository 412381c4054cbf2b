// Package nameserver is a DNS server of tests: it knows what a test tells it, and misbehaves as a test wants.
package nameserver

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Answer is what a server sends back for a query: one message or several, packed; none is silence.
type Answer func(query *dnsmessage.Message, overTCP bool) [][]byte

// Zone is the addresses of names, which end with a dot, or a name that a name is an alias of. Names that are not in it do not exist.
type Zone map[string][]string

// Serve listens on an address (host:port; port 0 for any free one), over UDP and TCP, until the test ends, and returns the address.
func Serve(t testing.TB, address string, answer Answer) string {
	t.Helper()
	tcp, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close(); tcp.Close() })
	go serveUDP(udp, answer)
	go func() {
		for {
			conn, err := tcp.Accept()
			if err != nil {
				return
			}
			go serveTCP(conn, answer)
		}
	}()
	return tcp.Addr().String()
}

func serveUDP(conn net.PacketConn, answer Answer) {
	buffer := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		var query dnsmessage.Message
		if query.Unpack(buffer[:n]) != nil {
			continue
		}
		for _, message := range answer(&query, false) {
			_, _ = conn.WriteTo(message, from)
		}
	}
}

func serveTCP(conn net.Conn, answer Answer) {
	defer conn.Close()
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		buffer := make([]byte, binary.BigEndian.Uint16(length[:]))
		var query dnsmessage.Message
		if _, err := io.ReadFull(conn, buffer); err != nil || query.Unpack(buffer) != nil {
			return
		}
		for _, message := range answer(&query, true) {
			_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...))
		}
	}
}

// Answer answers as a well-behaved server does.
func (z Zone) Answer(query *dnsmessage.Message, _ bool) [][]byte {
	return [][]byte{Pack(z.Message(query))}
}

// Message is the answer to a query for addresses.
func (z Zone) Message(query *dnsmessage.Message) *dnsmessage.Message {
	question := query.Questions[0]
	reply := &dnsmessage.Message{Header: dnsmessage.Header{ID: query.ID, Response: true, RecursionAvailable: true}, Questions: query.Questions}
	for name := question.Name; ; {
		values, known := z[strings.ToLower(name.String())]
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
			case a.Is4() && question.Type == dnsmessage.TypeA:
				reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: a.As4()}})
			case a.Is6() && question.Type == dnsmessage.TypeAAAA:
				reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
			}
		}
		if !alias {
			return reply
		}
	}
}

// Refusal answers every query with a code and nothing else.
func Refusal(code dnsmessage.RCode) Answer {
	return func(query *dnsmessage.Message, _ bool) [][]byte {
		return [][]byte{Pack(&dnsmessage.Message{Header: dnsmessage.Header{ID: query.ID, Response: true, RCode: code}, Questions: query.Questions})}
	}
}

// Silence answers nothing.
func Silence(*dnsmessage.Message, bool) [][]byte { return nil }

// Pack packs a message that a test has made; one that can't be packed is the test's error.
func Pack(m *dnsmessage.Message) []byte {
	packed, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return packed
}
