package resolve

import (
	"bufio"
	"context"
	"flag"
	"io"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "update the golden files")

// replay is a session with a program that has printed its output already.
func replay(t testing.TB, output io.Reader) *Session {
	in, out := io.Pipe()
	t.Cleanup(func() { in.Close() })
	go func() { _, _ = io.Copy(io.Discard, in) }()
	s := &Session{mark: "@M", in: out, out: bufio.NewReaderSize(output, maxLine), ended: make(chan struct{}), stop: func() {}, answered: true}
	close(s.ended)
	return s
}

// TestCaptures reads what real tools printed in pods of test/node for the same questions: bind's dig and nslookup 9.18, the nslookup
// of BusyBox 1.35, glibc's getent. In one case dig prints what it sends, too. Some answers come from a CoreDNS that answers maliciously.
func TestCaptures(t *testing.T) {
	folders, err := filepath.Glob("testdata/*/questions.yaml")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range folders {
		folder := filepath.Dir(file)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			var questions []Question
			if err := yaml.UnmarshalStrict(read(t, file), &questions); err != nil {
				t.Fatal(err)
			}
			s := replay(t, strings.NewReader(string(read(t, filepath.Join(folder, "output.txt")))))
			if err := s.hello(context.Background()); err != nil {
				t.Fatal(err)
			}
			answers, err := s.Ask(context.Background(), questions, func(int) {})
			if err != nil {
				t.Fatal(err)
			}
			got, err := yaml.Marshal(struct {
				Tool    string     `json:"tool"`
				Config  ResolvConf `json:"config"`
				Answers []Answer   `json:"answers"`
			}{s.Tool, s.Config, answers})
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join(folder, "answers.golden.yaml")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(read(t, golden)), string(got)); diff != "" {
				t.Errorf("%s (-want +got; make golden rewrites it):\n%s", golden, diff)
			}
		})
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestReverseName goes there and back.
func TestReverseName(t *testing.T) {
	for address, want := range map[string]string{
		"10.244.0.6":  "6.0.244.10.in-addr.arpa.",
		"2001:db8::7": "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
	} {
		name := ReverseName(netip.MustParseAddr(address))
		back, ok := AddressOf(name)
		if name != want || !ok || back.String() != address {
			t.Errorf("%s: %s, %s", address, name, back)
		}
	}
	for _, name := range []string{"", ".", "x.in-addr.arpa.", "1.2.3.4.5.in-addr.arpa.", "300.0.244.10.in-addr.arpa.", "web-0.nginx."} {
		if _, ok := AddressOf(name); ok {
			t.Errorf("%q is no address", name)
		}
	}
}

// TestValidName keeps everything from the shell that could mean something to it, or to a tool.
func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"web-0.nginx": true, "_web._tcp.nginx.default.svc.cluster.local.": true, "A1": true,
		"": false, ".": false, "a..b": false, "-x": false, "a.-b": false, "a b": false, "$(id)": false, "a;b": false, "a/b": false, "+tcp": false, "@1": false, "é": false,
		strings.Repeat("a", 64): false, strings.Repeat("a.", 130): false, "a\n": false, "*": false,
	} {
		if got := ValidName(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}

// TestScript keeps the program short enough for URLs, which proxies cut at 8 KiB, and without what only people read.
func TestScript(t *testing.T) {
	text := script()
	if size := len(url.QueryEscape(text)); size > 6<<10 || strings.Contains(text, "\n#") || !strings.Contains(text, "run_lane()") {
		t.Errorf("%d bytes:\n%s", size, text)
	}
}
