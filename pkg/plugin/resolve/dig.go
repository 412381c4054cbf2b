package resolve

import (
	"regexp"
	"strconv"
	"strings"
)

// digHeader, digTime and digServer match lines of dig's comments; its versions differ in what follows the server.
var (
	digHeader = regexp.MustCompile(`^;; ->>HEADER<<- opcode: \w+, status: (\w+),`)
	digTime   = regexp.MustCompile(`^;; Query time: (\d+) (usec|msec)$`)
	digServer = regexp.MustCompile(`^;; SERVER: ([0-9a-fA-F:.]+)(?:%\w+)?#\d+\([^)]*\)(?: \((UDP|TCP)\))?$`)
	digFailed = regexp.MustCompile(`^;; Connection to (\S+?)#\d+\(.*\) for (\S+) failed: (.*)\.$`)
	digError  = regexp.MustCompile(`^;; communications error to (\S+?)#\d+: (.*)$`)
)

// parseDig reads what one dig printed that was asked several questions: for each the last answer, or that there was none, in their
// order. What dig says nothing of is invalid. It may print what it sends, too (+qr).
func parseDig(questions []Question, text string) []Answer {
	p := digParser{answers: make([]Answer, len(questions))}
	for i, q := range questions {
		p.answers[i] = Answer{Question: q, Status: StatusInvalid, Detail: "dig reported nothing for it"}
	}
	for line := range strings.Lines(text) {
		p.line(strings.TrimRight(line, "\r\n"))
	}
	if p.name != "" && p.answer.Status != "" { // of a failure in the search path dig prints no end
		p.end()
	}
	for i := range p.answers {
		p.answers[i].finish()
	}
	return p.answers
}

// digParser collects one answer after the other.
type digParser struct {
	answers []Answer
	next    int // the question that what comes next is about

	answer  Answer // what is known of it
	section string
	sending bool // dig prints the query that it sends
	name    string
	kind    Type
}

func (p *digParser) line(line string) {
	switch {
	case line == "":
		p.section = ""
	case line == ";; Sending:":
		p.sending, p.section = true, ""
	case line == ";; Got answer:":
		if p.answer.Status != "" && !p.answer.Truncated && p.name != "" { // a failure, which dig goes on from
			p.end()
		}
		p.sending, p.section = false, ""
		p.answer.Records, p.answer.NegativeTTL = nil, nil
	case strings.HasPrefix(line, ";; ") && strings.HasSuffix(line, " SECTION:"):
		p.section = strings.TrimSuffix(strings.TrimPrefix(line, ";; "), " SECTION:")
	case strings.HasPrefix(line, ";; Truncated, retrying in TCP mode"):
		p.answer.Truncated, p.answer.OverTCP = true, true
	case strings.HasPrefix(line, ";; MSG SIZE "):
		if p.sending { // the size of what it sent, in some versions
			return
		}
		p.end()
	case line == ";; no servers could be reached", line == ";; connection timed out; no servers could be reached":
		if p.answer.Status != StatusUnreachable {
			p.answer.Status = StatusTimeout
		}
		p.end()
	case strings.HasPrefix(line, ";; "):
		p.comment(line)
	case p.section == "QUESTION" && strings.HasPrefix(line, ";"):
		p.question(strings.TrimPrefix(line, ";"))
	case p.section == "ANSWER" && !p.sending:
		p.record(line)
	case p.section == "AUTHORITY" && !p.sending:
		p.authority(line)
	}
}

func (p *digParser) comment(line string) {
	if m := digHeader.FindStringSubmatch(line); m != nil {
		if !p.sending {
			p.answer.Status = rcode(m[1])
		}
		return
	}
	if m := digTime.FindStringSubmatch(line); m != nil {
		if n, err := strconv.ParseInt(m[1], 10, 40); err == nil {
			if m[2] == "msec" {
				n *= 1000
			}
			p.answer.Microseconds = &n
		}
		return
	}
	if m := digServer.FindStringSubmatch(line); m != nil {
		p.answer.Server, p.answer.OverTCP = m[1], p.answer.OverTCP || m[2] == "TCP"
		return
	}
	if m := digFailed.FindStringSubmatch(line); m != nil {
		p.name, p.kind = m[2], ""
		p.failure(m[1], m[3])
		return
	}
	if m := digError.FindStringSubmatch(line); m != nil {
		p.failure(m[1], m[2])
	}
}

func (p *digParser) failure(server, reason string) {
	p.answer.Server, p.answer.Detail = server, reason
	p.answer.Status = StatusUnreachable
	if reason == "timed out" {
		p.answer.Status = StatusTimeout
	}
}

// question is a line "name. IN A" of a query that was sent or of an answer.
func (p *digParser) question(line string) {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return
	}
	// An answer that did not come to its end, before another question was sent.
	if p.sending && p.name != "" && p.next < len(p.answers) && fits(&p.answers[p.next].Question, p.name, p.kind) && !fits(&p.answers[p.next].Question, fields[0], Type(fields[2])) {
		p.end()
	}
	p.name, p.kind = fields[0], Type(fields[2])
}

// record is a line "name TTL IN type data".
func (p *digParser) record(line string) {
	fields := strings.Fields(line)
	if len(fields) < 5 || fields[2] != "IN" {
		return
	}
	ttl, err := strconv.ParseInt(fields[1], 10, 33)
	if err != nil || ttl < 0 {
		return
	}
	switch kind := Type(fields[3]); kind {
	case TypeA, TypeAAAA, TypeSRV, TypePTR, TypeCNAME:
		if !p.answer.add(kind, strings.Join(fields[4:], " "), &ttl) {
			p.answer.Status, p.answer.Detail = StatusInvalid, "dig printed "+strconv.Quote(line)
		}
	}
}

// authority reads for how long a negative answer is kept: the lesser of the SOA record's TTL and its last field (RFC 2308).
func (p *digParser) authority(line string) {
	fields := strings.Fields(line)
	if len(fields) != 11 || fields[3] != "SOA" {
		return
	}
	ttl, err1 := strconv.ParseInt(fields[1], 10, 33)
	least, err2 := strconv.ParseInt(fields[10], 10, 33)
	if err1 == nil && err2 == nil && ttl >= 0 && least >= 0 {
		p.answer.NegativeTTL = new(min(ttl, least))
	}
}

// end takes what was collected for the answer to the next question that it can be about.
func (p *digParser) end() {
	defer func() { p.answer, p.name, p.kind, p.section = Answer{}, "", "", "" }()
	// The second of several name servers, after the first had failed.
	if i := p.next - 1; i >= 0 && p.answers[i].Status == StatusServFail && p.name != "" && fits(&p.answers[i].Question, p.name, p.kind) &&
		(p.next == len(p.answers) || !fits(&p.answers[p.next].Question, p.name, p.kind)) {
		p.next = i
	}
	for i := p.next; i < len(p.answers); i++ {
		q := p.answers[i].Question
		if p.name != "" && !fits(&q, p.name, p.kind) {
			continue
		}
		if p.answer.Status == "" {
			break
		}
		p.answer.Question = q
		if p.answer.Status != StatusTimeout && p.answer.Status != StatusUnreachable {
			p.answer.FullName = absolute(p.name)
		}
		p.answers[i] = p.answer
		p.next = i + 1
		break
	}
}

// fits reports whether a name that was sent belongs to a question. The type is empty where it is not known.
func fits(q *Question, name string, kind Type) bool {
	asked, sent := absolute(q.Name), absolute(name)
	return (kind == "" || kind == q.Type) && (asked == sent || q.Search && strings.HasPrefix(sent, asked))
}

// rcode is the status of a response code's name.
func rcode(name string) Status {
	switch s := Status(name); s {
	case StatusNoError, StatusNXDomain, StatusServFail, StatusRefused:
		return s
	}
	return Status("RCODE " + name)
}
