package endpoint

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sync/errgroup"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

const (
	// resendAfter is how long an answer over UDP is waited for before the question is sent again.
	resendAfter = time.Second
	// mostAliases bounds the aliases (CNAME) that are followed in an answer.
	mostAliases = 16
)

// errNoName is about a host in the kubeconfig that DNS can't be asked for.
var errNoName = errors.New("it is no name that DNS servers can be asked for")

// answerError is a DNS server's answer without addresses.
type answerError struct{ code dnsmessage.RCode }

func (e *answerError) Error() string {
	switch e.code {
	case dnsmessage.RCodeSuccess:
		return "no address"
	case dnsmessage.RCodeNameError:
		return "NXDOMAIN"
	case dnsmessage.RCodeServerFailure:
		return "SERVFAIL"
	case dnsmessage.RCodeRefused:
		return "REFUSED"
	}
	return strings.ToUpper(strings.TrimPrefix(e.code.String(), "RCode"))
}

// resolveOnWorkstation looks a name up as clients on this machine do: with its hosts file, its search path, its DNS servers.
func resolveOnWorkstation(ctx context.Context, name string, timeout time.Duration) v1alpha1.Resolution {
	r := v1alpha1.Resolution{From: v1alpha1.FromWorkstation, Name: name}
	return timed(ctx, r, timeout, func(ctx context.Context) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	})
}

// askResolver asks one DNS server for a name, and nobody else: no hosts file, no search path.
func askResolver(ctx context.Context, server, name string, timeout time.Duration) v1alpha1.Resolution {
	r := v1alpha1.Resolution{From: v1alpha1.FromResolver, Server: server, Name: name}
	return timed(ctx, r, timeout, func(ctx context.Context) ([]netip.Addr, error) {
		full, err := dnsmessage.NewName(strings.TrimSuffix(name, ".") + ".")
		if err != nil {
			return nil, errNoName
		}
		var v4, v6 []netip.Addr
		var errV4, errV6 error
		var group errgroup.Group
		group.Go(func() error { v4, errV4 = ask(ctx, server, full, dnsmessage.TypeA); return nil })
		group.Go(func() error { v6, errV6 = ask(ctx, server, full, dnsmessage.TypeAAAA); return nil })
		_ = group.Wait() // both errors are looked at
		if found := append(v4, v6...); len(found) > 0 {
			return found, nil
		}
		var none *answerError
		if errors.As(errV4, &none) && none.code == dnsmessage.RCodeSuccess && errV6 != nil { // a name that may have addresses of the other family
			return nil, errV6
		}
		return nil, errV4
	})
}

// timed runs a look-up within a time, and tells how it ended.
func timed(ctx context.Context, r v1alpha1.Resolution, timeout time.Duration, lookUp func(context.Context) ([]netip.Addr, error)) v1alpha1.Resolution {
	started := monotonic()
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := lookUp(limited)
	r.Milliseconds = new(started().Milliseconds())
	r.Addresses = addresses(found)
	var dns *net.DNSError
	var answer *answerError
	switch {
	case err == nil && len(found) > 0:
		r.Result = v1alpha1.ResolutionAnswered
	case errors.As(err, &dns) && dns.IsNotFound, errors.As(err, &answer) && (answer.code == dnsmessage.RCodeNameError || answer.code == dnsmessage.RCodeSuccess), err == nil:
		r.Result = v1alpha1.ResolutionNotFound
	case ctx.Err() != nil:
		r.Result, r.Message = v1alpha1.ResolutionTimeout, "time ran out (--timeout)"
	case limited.Err() != nil, isTimeout(err):
		r.Result, r.Message = v1alpha1.ResolutionTimeout, fmt.Sprintf("nobody answered within %s", timeout)
	case errors.As(err, &dns):
		r.Result, r.Message = v1alpha1.ResolutionFailed, dns.Err
	default:
		r.Result, r.Message = v1alpha1.ResolutionFailed, rootCause(err).Error()
	}
	return r
}

// rootCause is the error without the sockets' addresses around it.
func rootCause(err error) error {
	var network *net.OpError
	for errors.As(err, &network) {
		err = network.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	return err
}

// monotonic is a stopwatch.
func monotonic() func() time.Duration {
	started := time.Now()                                      //nolint:forbidigo // a duration is measured; the time of day does not matter
	return func() time.Duration { return time.Since(started) } //nolint:forbidigo // as above
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

// ask sends one question over UDP, again if nothing comes back, and over TCP if the answer is too long.
func ask(ctx context.Context, server string, name dnsmessage.Name, kind dnsmessage.Type) ([]netip.Addr, error) {
	question := dnsmessage.Question{Name: name, Type: kind, Class: dnsmessage.ClassINET}
	query := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: uint16(rand.Uint32()), RecursionDesired: true}, //nolint:gosec // the socket takes answers of that server only
		Questions: []dnsmessage.Question{question},
	}
	packed, err := query.Pack()
	if err != nil {
		return nil, errNoName
	}
	answer, err := overUDP(ctx, server, packed, &query)
	if err == nil && answer.Truncated {
		answer, err = overTCP(ctx, server, packed, &query)
	}
	if err != nil {
		return nil, err
	}
	found := answeredAddresses(answer, name)
	if answer.RCode != dnsmessage.RCodeSuccess || len(found) == 0 {
		return nil, &answerError{answer.RCode}
	}
	return found, nil
}

func overUDP(ctx context.Context, server string, packed []byte, query *dnsmessage.Message) (*dnsmessage.Message, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	buffer := make([]byte, 1<<16)
	for {
		if _, err := conn.Write(packed); err != nil {
			return nil, err
		}
		until := time.Now().Add(resendAfter) //nolint:forbidigo // a deadline of the socket
		if err := conn.SetReadDeadline(until); err != nil {
			return nil, err
		}
		for {
			n, err := conn.Read(buffer)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if isTimeout(err) {
				break // ask again
			}
			if err != nil {
				return nil, err
			}
			if answer := answerTo(query, buffer[:n]); answer != nil {
				return answer, nil
			}
		}
	}
}

func overTCP(ctx context.Context, server string, packed []byte, query *dnsmessage.Message) (*dnsmessage.Message, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...)); err != nil {
		return nil, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	buffer := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, buffer); err != nil {
		return nil, err
	}
	if answer := answerTo(query, buffer); answer != nil {
		return answer, nil
	}
	return nil, errors.New("the answer is to another question")
}

// answerTo reads a message; nil if it is no answer to the query.
func answerTo(query *dnsmessage.Message, packed []byte) *dnsmessage.Message {
	answer := &dnsmessage.Message{}
	err := answer.Unpack(packed)
	if err != nil && answer.Truncated { // cut off in the middle of a record
		err = nil
		answer.Questions = query.Questions
	}
	if err != nil || !answer.Response || answer.ID != query.ID || len(answer.Questions) != 1 {
		return nil
	}
	asked, echoed := query.Questions[0], answer.Questions[0]
	if echoed.Type != asked.Type || echoed.Class != asked.Class || !strings.EqualFold(echoed.Name.String(), asked.Name.String()) {
		return nil
	}
	return answer
}

// answeredAddresses are those of a name in an answer, and of the names that it is an alias of.
func answeredAddresses(answer *dnsmessage.Message, name dnsmessage.Name) []netip.Addr {
	owner := name.String()
	for range mostAliases {
		var found []netip.Addr
		alias := ""
		for _, record := range answer.Answers {
			if !strings.EqualFold(record.Header.Name.String(), owner) {
				continue
			}
			switch body := record.Body.(type) {
			case *dnsmessage.AResource:
				found = append(found, netip.AddrFrom4(body.A))
			case *dnsmessage.AAAAResource:
				found = append(found, netip.AddrFrom16(body.AAAA))
			case *dnsmessage.CNAMEResource:
				alias = body.CNAME.String()
			}
		}
		if len(found) > 0 || alias == "" {
			return found
		}
		owner = alias
	}
	return nil
}
