package resolve

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/kube"
)

//go:embed ask.sh
var source string

// script is the program without what only people read: commands travel in a request's URL, which has to be short.
func script() string {
	var b strings.Builder
	for line := range strings.Lines(source) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

const (
	// lanes is how many questions are asked at the same time; digLanes, where one program asks many; patientLanes, once a server has
	// let one wait.
	lanes        = 8
	digLanes     = 3
	patientLanes = 32
	// batch is the number of questions after which is looked how it goes.
	batch, digBatch = 128, 512
	// probes are the first questions of a session: if no server answers them, none would answer the others.
	probes = 16
	// maxOutput bounds what one batch may print: what runs in a container is not ours.
	maxOutput = 32 << 20
	maxLine   = 64 << 10
)

// Session is the one run of a program in a container that asks all questions.
type Session struct {
	// Tool is what asks: dig, nslookup, busybox-nslookup, old-nslookup, getent.
	Tool string
	// Config is the container's resolv.conf.
	Config ResolvConf

	mark  string
	in    *io.PipeWriter
	out   *bufio.Reader
	ended chan struct{} // closed when the program has ended
	err   error         // why it ended; set before ended is closed
	stop  context.CancelFunc

	impatient bool // a server has let a question wait
	answered  bool
}

// ResolvConf is what a resolv.conf says.
type ResolvConf struct {
	Nameservers []string `json:"nameservers,omitempty"`
	Search      []string `json:"search,omitempty"`
	Options     []string `json:"options,omitempty"`
}

// NewSession starts the program in a container that has sh and one of dig, nslookup and getent. Close ends it.
func NewSession(ctx context.Context, cluster *kube.Cluster, container kube.Container) (*Session, error) {
	ctx, stop := context.WithCancel(ctx)
	inReader, inWriter := io.Pipe()
	outReader, outWriter := io.Pipe()
	s := &Session{mark: "@" + rand.Text(), in: inWriter, out: bufio.NewReaderSize(outReader, maxLine), ended: make(chan struct{}), stop: stop}
	go func() {
		defer close(s.ended)
		complaints := &firstLine{}
		err := cluster.Stream(ctx, container, kube.Streams{In: inReader, Out: outWriter, Err: complaints}, "sh", "-c", script())
		s.err = programError(err, complaints.String(), container)
		_ = inReader.CloseWithError(io.ErrClosedPipe)
		_ = outWriter.CloseWithError(io.EOF)
	}()
	if err := s.hello(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close ends the program.
func (s *Session) Close() {
	go func() { _, _ = io.WriteString(s.in, "end\n"); _ = s.in.Close() }()
	select {
	case <-s.ended:
	case <-time.After(time.Second):
	}
	s.stop()
}

func (s *Session) hello(ctx context.Context) error {
	if err := s.write(ctx, s.mark+"\n"); err != nil {
		return err
	}
	var config strings.Builder
	for {
		line, err := s.line(ctx)
		if err != nil {
			return err
		}
		switch rest, marked := strings.CutPrefix(line, s.mark+" "); {
		case !marked:
			if config.Len() < maxLine {
				config.WriteString(line)
			}
		case strings.HasPrefix(rest, "tool "):
			s.Tool = strings.TrimSpace(strings.TrimPrefix(rest, "tool "))
		default:
			s.Config = ParseResolvConf(config.String())
			if s.Tool == "none" {
				return errors.New("the image has none of dig, nslookup and getent: choose another one with --image")
			}
			return nil
		}
	}
}

// ParseResolvConf reads a resolv.conf (resolv.conf(5)): of several lines search or domain the last counts.
func ParseResolvConf(text string) ResolvConf {
	var c ResolvConf
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		switch fields[0] {
		case "nameserver":
			c.Nameservers = append(c.Nameservers, fields[1])
		case "search", "domain":
			c.Search = fields[1:]
		case "options":
			c.Options = append(c.Options, fields[1:]...)
		}
	}
	return c
}

// Ask asks questions, several at the same time, and returns an answer for each in their order. Once the first questions are
// unanswered the rest is skipped. An error says that the program has ended; the answers that there are come with it.
func (s *Session) Ask(ctx context.Context, questions []Question, progress func(done int)) ([]Answer, error) {
	answers := make([]Answer, len(questions))
	for i, q := range questions {
		answers[i] = Answer{Question: q, Status: StatusNotAsked}
	}
	for start := 0; start < len(questions); {
		end := min(start+batch, len(questions))
		if s.Tool == "dig" && !s.impatient {
			end = min(start+digBatch, len(questions))
		}
		if !s.answered {
			end = min(start+probes, len(questions))
		}
		if err := s.ask(ctx, answers[start:end]); err != nil {
			if ctx.Err() != nil {
				leftOver(answers[start:])
			}
			return answers, err
		}
		for i := start; i < end; i++ {
			switch a := &answers[i]; {
			case a.Unanswered():
				s.impatient = true
			case a.Status != StatusUnsupported && a.Status != StatusInvalid:
				s.answered = true
			}
		}
		if s.impatient && !s.answered {
			for i := end; i < len(questions); i++ {
				answers[i].Detail = "no server had answered any query before"
			}
			return answers, nil
		}
		start = end
		progress(start)
	}
	return answers, nil
}

// leftOver says of questions without an answer that there was no time left.
func leftOver(answers []Answer) {
	for i := range answers {
		if answers[i].Status == StatusNotAsked {
			answers[i].Detail = TimeRanOut
		}
	}
}

// ask asks one batch.
func (s *Session) ask(ctx context.Context, answers []Answer) error {
	request, asked := s.request(answers)
	if asked == 0 {
		return nil
	}
	if err := s.write(ctx, request); err != nil {
		return err
	}
	left := maxOutput
	for {
		p, err := awaited(ctx, s, func() (piece, error) { return s.readPiece(left, len(answers)) })
		if err != nil {
			return err
		}
		if p.done {
			return nil
		}
		if left -= len(p.text); left <= 0 {
			return fmt.Errorf("%s printed more than %d MiB", s.Tool, maxOutput>>20)
		}
		s.record(answers, p.ids, p.text, p.end)
	}
}

// piece is what the tool printed for some questions, or the end of a batch.
type piece struct {
	ids  []int
	text string
	end  []string // exit code, and perhaps the clock before and after
	done bool
}

// readPiece reads the program's output up to its next end.
func (s *Session) readPiece(limit, questions int) (piece, error) {
	var p piece
	var text strings.Builder
	for {
		line, err := s.readLine()
		if err != nil {
			return p, err
		}
		rest, marked := strings.CutPrefix(line, s.mark+" ")
		switch fields := strings.Fields(rest); {
		case !marked || len(fields) == 0:
			if text.Len() <= limit {
				text.WriteString(line)
			}
		case fields[0] == "ask":
			p.ids = parseIDs(fields[1:], questions)
			text.Reset()
		case fields[0] == "end":
			p.text, p.end = text.String(), fields[1:]
			return p, nil
		case fields[0] == "done":
			p.done = true
			return p, nil
		}
	}
}

// request is the batch as ask.sh reads it. A lane has one server and one transport, and names that go through the search path come
// last in it, so that of what one dig prints nothing can be taken for an answer to another question.
func (s *Session) request(answers []Answer) (text string, asked int) {
	width := lanes
	switch {
	case s.impatient:
		width = patientLanes
	case s.Tool == "dig" && s.answered:
		width = digLanes
	}
	type kind struct {
		server string
		tcp    bool
	}
	byKind := map[kind][]int{}
	var kinds []kind
	for i := range answers {
		q := &answers[i].Question
		if !q.valid() {
			answers[i].Status, answers[i].Detail = StatusInvalid, "not a name that can be looked up"
			continue
		}
		k := kind{q.Server, q.TCP}
		if _, seen := byKind[k]; !seen {
			kinds = append(kinds, k)
		}
		byKind[k] = append(byKind[k], i)
		asked++
	}
	var b strings.Builder
	for _, k := range kinds {
		list := byKind[k]
		slices.SortStableFunc(list, func(i, j int) int {
			return boolOrder(answers[i].Question.Search) - boolOrder(answers[j].Question.Search)
		})
		for lane := range min(width, len(list)) {
			b.WriteString("lane " + cmp.Or(k.server, "-"))
			for i := lane; i < len(list); i += width {
				fmt.Fprintf(&b, " %d/%s", list[i], encode(&answers[list[i]].Question))
			}
			b.WriteByte('\n')
		}
	}
	b.WriteString("go\n")
	return b.String(), asked
}

// encode writes a valid question as ask.sh reads it.
func encode(q *Question) string {
	how := ""
	if q.TCP {
		how += "t"
	}
	if q.Search {
		how += "s"
	}
	address := ""
	if a, ok := AddressOf(q.Name); ok && q.Type == TypePTR {
		address = a.String()
	}
	return q.Name + "/" + string(q.Type) + "/" + how + "/" + address
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

func parseIDs(fields []string, below int) []int {
	ids := make([]int, 0, len(fields))
	for _, field := range fields {
		if id, err := strconv.Atoi(field); err == nil && id >= 0 && id < below {
			ids = append(ids, id)
		}
	}
	return ids
}

// record takes what the tool printed for some questions; end has the exit code and perhaps the clock before and after.
func (s *Session) record(answers []Answer, ids []int, text string, end []string) {
	questions := make([]Question, len(ids))
	for i, id := range ids {
		questions[i] = answers[id].Question
	}
	found := Parse(s.Tool, questions, text, end)
	for i, id := range ids {
		switch {
		case found[i].Server != "", found[i].Status == StatusUnsupported:
		case questions[i].Server != "":
			found[i].Server = questions[i].Server
		case len(s.Config.Nameservers) == 1:
			found[i].Server = s.Config.Nameservers[0]
		}
		answers[id] = found[i]
	}
}

// Parse reads what a tool printed for questions, all of dig's in one piece, one of the others'. End is its exit code and, where the
// container has a clock, the seconds before and after.
func Parse(tool string, questions []Question, text string, end []string) []Answer {
	if tool == "dig" {
		return parseDig(questions, text)
	}
	code := -1
	if len(end) > 0 {
		if n, err := strconv.Atoi(end[0]); err == nil {
			code = n
		}
	}
	answers := make([]Answer, len(questions))
	for i, q := range questions {
		switch {
		case code == unsupportedCode:
			answers[i] = Answer{Question: q, Status: StatusUnsupported, Detail: unsupported(tool, q)}
			continue
		case tool == "getent":
			answers[i] = parseGetent(q, text, code)
		default:
			answers[i] = parseNslookup(q, text)
		}
		answers[i].Microseconds = elapsed(end)
	}
	return answers
}

// unsupported says what a tool can't do.
func unsupported(tool string, q Question) string {
	if strings.HasSuffix(tool, "-nslookup") {
		tool = "BusyBox's nslookup"
	}
	switch {
	case q.TCP:
		return tool + " can't query over TCP"
	case q.Server != "":
		return tool + " can't query another server"
	}
	return fmt.Sprintf("%s can't query %s records", tool, q.Type)
}

// elapsed is the time between two clocks with hundredths of a second.
func elapsed(end []string) *int64 {
	if len(end) != 3 {
		return nil
	}
	before, err1 := strconv.ParseFloat(end[1], 64)
	after, err2 := strconv.ParseFloat(end[2], 64)
	if took := after - before; err1 != nil || err2 != nil || math.IsNaN(took) || took < 0 || took > 3600 {
		return nil
	}
	return new(int64(math.Round((after-before)*100)) * 10_000)
}

// write sends text to the program.
func (s *Session) write(ctx context.Context, text string) error {
	_, err := awaited(ctx, s, func() (int, error) { return io.WriteString(s.in, text) })
	return err
}

// line reads a line of the program's output.
func (s *Session) line(ctx context.Context) (string, error) {
	return awaited(ctx, s, s.readLine)
}

// readLine reads a line, its end included; of a line that is too long the first part.
func (s *Session) readLine() (string, error) {
	line, err := s.out.ReadSlice('\n')
	text := string(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = s.out.ReadSlice('\n')
	}
	return text, err
}

// awaited waits for the program no longer than the context; if the program has ended its error is the cause.
func awaited[T any](ctx context.Context, s *Session, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	var none T
	select {
	case r := <-done:
		if r.err == nil {
			return r.value, nil
		}
		<-s.ended
		if ctx.Err() != nil {
			return none, ctx.Err()
		}
		if s.err != nil {
			return none, s.err
		}
		return none, errors.New("the query program has exited")
	case <-ctx.Done():
		s.stop()
		return none, ctx.Err()
	}
}

// programError says why the program could not run in the container.
func programError(err error, complaint string, container kube.Container) error {
	var exit *kube.ExitError
	where := fmt.Sprintf("container %s of pod %s", container.Name, container.Pod)
	switch {
	case err == nil:
		return nil
	case strings.Contains(err.Error(), "executable file not found"), strings.Contains(err.Error(), "no such file or directory"):
		return fmt.Errorf("%s has no sh: choose another image or pod", where)
	case errors.As(err, &exit):
		return fmt.Errorf("querying from %s: %w: %s", where, err, complaint)
	}
	return err
}

// firstLine keeps the first line of a stream, within limits.
type firstLine struct {
	text strings.Builder
	full bool
}

func (f *firstLine) Write(p []byte) (int, error) {
	text, _, more := strings.Cut(string(p), "\n")
	if !f.full {
		f.text.WriteString(text[:min(len(text), max(0, 500-f.text.Len()))])
	}
	f.full = f.full || more
	return len(p), nil
}

func (f *firstLine) String() string { return f.text.String() }
