package resolve

import (
	"strconv"
	"strings"
)

// parseNslookup reads what an nslookup printed that was asked one question: bind's with -debug, which tells TTLs in a part of its
// own, or BusyBox's.
func parseNslookup(q Question, text string) Answer {
	p := nslookupParser{answer: Answer{Question: q, OverTCP: q.TCP}}
	for line := range strings.Lines(text) {
		p.line(strings.TrimRight(line, "\r\n"))
	}
	a := p.answer
	switch {
	case a.Status != "":
	case len(a.Records) > 0, p.server:
		a.Status = StatusNoError
	default:
		a.Status, a.Detail = StatusInvalid, "nslookup reported nothing for it"
	}
	if a.Status != StatusNoError {
		a.Records = nil
	}
	if a.FullName == "" && !a.Unanswered() && a.Status != StatusInvalid {
		a.FullName = absolute(q.Name)
	}
	if a.Status == StatusNoError && !p.detailed && cutShort(&a) {
		a.Truncated = true
	}
	a.finish()
	return a
}

type nslookupParser struct {
	answer Answer
	server bool // the lines that name the server have been seen

	// Of the part that bind prints with -debug:
	section  string // QUESTIONS, ANSWERS, …; empty outside
	detailed bool   // there was such a part, which tells what the lines after it repeat
	kind     Type
	data     string
	minimum  *int64
}

func (p *nslookupParser) line(line string) {
	trimmed := strings.TrimSpace(line)
	switch {
	case strings.HasPrefix(line, "Server:"):
		// A search path that is followed by hand: the last server's word counts.
		p.answer.Records, p.answer.Status, p.answer.FullName, p.server = nil, "", "", false
	case strings.HasPrefix(line, "Address") && !p.server && p.section == "":
		p.answer.Server, p.server = serverAddress(trimmed), true
	case trimmed == "------------":
		p.section = ""
	case trimmed == "QUESTIONS:":
		p.section, p.detailed = "QUESTIONS", true
		p.answer.Records, p.answer.NegativeTTL = nil, nil
	case p.detailed && (trimmed == "ANSWERS:" || trimmed == "AUTHORITY RECORDS:" || trimmed == "ADDITIONAL RECORDS:"):
		p.section = strings.TrimSuffix(trimmed, ":")
	case p.section != "":
		p.debug(trimmed)
	case strings.HasPrefix(line, "** server can't find "):
		status := trimmed[strings.LastIndexByte(trimmed, ' ')+1:]
		p.answer.Status = rcode(status)
	case strings.HasPrefix(line, "*** Can't find "):
		p.answer.Status = StatusNoError
	case strings.Contains(line, "no servers could be reached"):
		if p.answer.Status != StatusUnreachable {
			p.answer.Status = StatusTimeout
		}
	case strings.HasPrefix(line, ";; communications error to "), strings.HasPrefix(line, ";; Connection to "):
		p.failure(line)
	case strings.HasPrefix(line, "nslookup: "):
		p.complaint(strings.TrimPrefix(trimmed, "nslookup: "))
	case !p.detailed:
		p.plain(line, trimmed)
	}
}

// serverAddress takes the port off 10.96.0.10#53 (bind) and 10.96.0.10:53, [fd00::10]:53 (BusyBox).
func serverAddress(line string) string {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return ""
	}
	address := fields[1]
	if fields[0] != "Address:" && len(fields) > 2 { // Address 1: 10.96.0.10 name
		address = fields[2]
	}
	address, _, _ = strings.Cut(address, "#")
	return strings.Trim(strings.TrimSuffix(address, ":53"), "[]")
}

func (p *nslookupParser) failure(line string) {
	p.answer.Status = StatusUnreachable
	if i := strings.LastIndex(line, ": "); i >= 0 {
		p.answer.Detail = strings.TrimSuffix(line[i+2:], ".")
	}
	if p.answer.Detail == "timed out" {
		p.answer.Status = StatusTimeout
	}
}

// complaint is BusyBox's word on a system call that failed, or on a name that its oldest versions do not find.
func (p *nslookupParser) complaint(text string) {
	p.answer.Status, p.answer.Detail = StatusNotFound, text
	if strings.Contains(text, "refused") || strings.Contains(text, "unreachable") {
		p.answer.Status = StatusUnreachable
	}
}

// maxUDP is what fits into an answer over UDP for those who don't announce that they take more.
const maxUDP = 512

// cutShort reports whether an answer is so long that another record would not have fit: BusyBox does not say that it was truncated,
// and does not ask over TCP.
func cutShort(a *Answer) bool {
	const header, name, record = 12, 6, 12
	size := header + len(a.FullName) + name
	for _, r := range a.Records {
		rdata := map[Type]int{TypeA: 4, TypeAAAA: 16}[r.Type]
		if rdata == 0 {
			rdata = len(r.Data) + 1
		}
		size += record + rdata
	}
	return len(a.Records) > 1 && size+size/len(a.Records) > maxUDP
}

// debug is a line of bind's -debug part.
func (p *nslookupParser) debug(line string) {
	if p.section == "QUESTIONS" {
		if name, _, ok := strings.Cut(line, ", type = "); ok {
			p.answer.FullName = absolute(name)
		}
		return
	}
	if strings.HasPrefix(line, "->") {
		p.kind, p.data, p.minimum = "", "", nil
		return
	}
	if address, ok := strings.CutPrefix(line, "has AAAA address "); ok {
		p.kind, p.data = TypeAAAA, address
		return
	}
	key, value, ok := strings.Cut(line, " = ")
	if !ok {
		return
	}
	if kind := keyType(key); kind != "" {
		p.kind, p.data = kind, value
		return
	}
	n, err := strconv.ParseInt(value, 10, 33)
	if err != nil || n < 0 {
		return
	}
	switch {
	case key == "minimum":
		p.minimum = &n
	case key == "ttl" && p.section == "ANSWERS":
		p.add(p.kind, p.data, &n)
	case key == "ttl" && p.section == "AUTHORITY RECORDS" && p.minimum != nil:
		p.answer.NegativeTTL = new(min(n, *p.minimum))
	}
}

// keyType is the type of record that nslookup's words name.
func keyType(key string) Type {
	switch key {
	case "internet address":
		return TypeA
	case "name":
		return TypePTR
	case "service":
		return TypeSRV
	case "canonical name":
		return TypeCNAME
	}
	return ""
}

// plain is a line without -debug: "Name:", "Address:", or "name\tkey = value".
func (p *nslookupParser) plain(line, trimmed string) {
	if name, ok := strings.CutPrefix(line, "Name:"); ok {
		p.answer.FullName = absolute(strings.TrimSpace(name))
		return
	}
	if strings.HasPrefix(line, "Address") && p.server {
		address := serverAddress(trimmed)
		kind := TypeA
		if strings.Contains(address, ":") {
			kind = TypeAAAA
		}
		switch p.answer.Question.Type {
		case kind:
			p.add(kind, address, nil)
		case TypePTR: // of an nslookup that knows no types: Address 1: 10.244.0.6 web-0.nginx…
			if fields := strings.Fields(trimmed); len(fields) == 4 {
				p.add(TypePTR, fields[3], nil)
			}
		}
		return
	}
	name, rest, ok := strings.Cut(trimmed, "\t")
	if !ok {
		return
	}
	if key, value, ok := strings.Cut(strings.TrimSpace(rest), " = "); ok && keyType(key) != "" {
		p.answer.FullName = absolute(name)
		p.add(keyType(key), value, nil)
	}
}

func (p *nslookupParser) add(kind Type, data string, ttl *int64) {
	if kind != "" && !p.answer.add(kind, data, ttl) {
		p.answer.Status, p.answer.Detail = StatusInvalid, "nslookup printed "+strconv.Quote(data)
	}
}
