package resolve

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// asked are the questions whose answers the fuzzers make up.
var asked = []Question{
	{Name: "nginx.default.svc.cluster.local.", Type: TypeA},
	{Name: "_web._tcp.nginx.default.svc.cluster.local.", Type: TypeSRV, TCP: true},
	{Name: "6.0.244.10.in-addr.arpa.", Type: TypePTR},
	{Name: "six.test.", Type: TypeAAAA, Server: "10.96.0.10"},
	{Name: "web-1.nginx", Type: TypeA, Search: true},
}

// seed gives a fuzzer what real tools printed, a piece for each answer.
func seed(f *testing.F, add func(tool, text string)) {
	f.Helper()
	files, err := filepath.Glob("testdata/*/output.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no captures: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for piece := range strings.SplitSeq(string(content), "@M ask ") {
			_, text, _ := strings.Cut(piece, "\n")
			text, _, _ = strings.Cut(text, "@M end ")
			add(strings.TrimSuffix(filepath.Base(filepath.Dir(file)), "-quiet"), text)
		}
	}
}

// consistent checks what holds of all answers, whatever a tool or a server said.
func consistent(t *testing.T, questions []Question, answers []Answer) {
	t.Helper()
	if len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(answers), len(questions))
	}
	for i, a := range answers {
		if a.Question != questions[i] || a.Status == "" {
			t.Errorf("%+v to %+v", a, questions[i])
		}
		for _, r := range a.Records {
			if data, ok := canonical(r.Type, r.Data); !ok || data != r.Data || r.TTL != nil && *r.TTL < 0 {
				t.Errorf("record %+v", r)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	tools := []string{"dig", "nslookup", "busybox-nslookup", "old-nslookup", "getent"}
	seed(f, func(tool, text string) {
		for i, other := range tools {
			if tool == other {
				f.Add(uint8(i), text, "0 1441.45 1441.50")
			}
		}
	})
	f.Fuzz(func(t *testing.T, tool uint8, text, end string) {
		for i := range asked {
			questions := asked[i : i+1]
			name := tools[int(tool)%len(tools)]
			if name == "dig" {
				questions = asked
			}
			consistent(t, questions, Parse(name, questions, text, strings.Fields(end)))
		}
	})
}

// FuzzSession lets the program in the container print anything at all.
func FuzzSession(f *testing.F) {
	f.Add("@M tool dig\nnameserver 10.96.0.10\nsearch a b\n@M ready\n@M ask 0 1 2 3 4 99 -1 x\n;; Got answer:\n@M end 0\n@M done\n")
	f.Add("@M tool getent\n@M ready\n@M ask 0\n10.0.0.1 STREAM x\n@M end 0 1 2\n@M ask\n@M end\n@M done\n")
	f.Add("@M ready\n@M \n@M done")
	f.Fuzz(func(t *testing.T, output string) {
		s := replay(t, strings.NewReader(output))
		if s.hello(context.Background()) != nil {
			return
		}
		answers, _ := s.Ask(context.Background(), asked, func(int) {})
		consistent(t, asked, answers)
	})
}

// FuzzReply lets a DNS server answer anything at all.
func FuzzReply(f *testing.F) {
	name := dnsmessage.MustNewName(asked[0].Name)
	header := dnsmessage.ResourceHeader{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 30}
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, Response: true},
		Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		Answers: []dnsmessage.Resource{
			{Header: header, Body: &dnsmessage.AResource{A: [4]byte{10, 244, 0, 6}}},
			{Header: header, Body: &dnsmessage.SRVResource{Priority: 0, Weight: 50, Port: 80, Target: name}},
			{Header: header, Body: &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("\x1b[2J evil\n.")}},
		},
		Authorities: []dnsmessage.Resource{{Header: header, Body: &dnsmessage.SOAResource{NS: name, MBox: name, MinTTL: 30}}},
	}
	packed, err := reply.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, reply []byte) {
		a := Answer{Question: asked[0]}
		if err := unpack(reply, 7, &a); err != nil {
			a.Status, a.Records = StatusInvalid, nil
		}
		a.finish()
		consistent(t, asked[:1], []Answer{a})
	})
}
