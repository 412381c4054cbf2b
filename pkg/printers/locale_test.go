package printers

import (
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLocale(t *testing.T) {
	for locale, other := range map[string]bool{
		"": false, "LANG=C": true, "LANG=POSIX": true, "LANG=C.UTF-8": false, "LANG=ko_KR.utf8": false, "LANG=de_DE.ISO-8859-1": true, "LANG=en_US": true,
		"LANG=en_US.UTF-8 LC_ALL=C": true, "LANG=C LC_CTYPE=C.UTF-8": false, "LANG=C LC_ALL=en_US.UTF-8 LC_CTYPE=C": false,
	} {
		env := map[string]string{}
		for _, setting := range strings.Fields(locale) {
			name, value, _ := strings.Cut(setting, "=")
			env[name] = value
		}
		if got := namesOtherEncoding(func(name string) string { return env[name] }); got != other {
			t.Errorf("%q: %t", locale, got)
		}
	}
}

func TestASCII(t *testing.T) {
	for in, want := range map[string]string{
		"plain ~": "plain ~", "2 → 3 …": "2 -> 3 ...", "│  └─ web-1": "|  `- web-1", "├─ ≠ █": "|- != #", "이": `\uc774`, "😀": `\U0001f600`,
	} {
		if got := ASCII(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	// The columns stay in line where signs become wider.
	table := Table{Columns: []ColumnHead{{Title: "POD"}, {Title: "AGE"}}, Blocks: []Block{{Rows: [][]Cell{{Text("├─ a…"), Text("5d")}, {Text("longer-name"), Text("6d")}}}}}
	var out strings.Builder
	if err := table.Print(&out, TableOptions{ASCII: true}); err != nil || out.String() != "POD           AGE\n|- a...       5d\nlonger-name   6d\n" {
		t.Errorf("%v: %q", err, out.String())
	}
}

func FuzzASCII(f *testing.F) {
	f.Add("│ 이\x1b\u202e😀")
	f.Fuzz(func(t *testing.T, in string) {
		if got := ASCII(Escape(in)); strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r > '~' }) || !utf8.ValidString(got) {
			t.Errorf("%q: %q", in, got)
		}
	})
}

// TestWarnColor can be read on white and on black: a contrast of 4 at least, as the accessibility guidelines count it.
func TestWarnColor(t *testing.T) {
	if warnColor != "38;5;130" {
		t.Fatalf("what colour is %s?", warnColor)
	}
	luminance := func(r, g, b float64) float64 {
		linear := func(c float64) float64 {
			if c /= 255; c <= 0.03928 {
				return c / 12.92
			}
			return math.Pow((c+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
	}
	ours := luminance(0xaf, 0x5f, 0x00) // 130 of the 256 colours
	if white, black := 1.05/(ours+0.05), (ours+0.05)/0.05; white < 4 || black < 4 {
		t.Errorf("contrast %.1f on white, %.1f on black", white, black)
	}
}

func TestWrap(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "one two three": "one two|three", "onetwothreefour": "onetwothre|efour", "a onetwothreefour b": "a|onetwothre|efour b", "가나다라마바 사": "가나다라마|바 사",
	} {
		if got := strings.Join(wrap(in, 10), "|"); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	long := strings.Repeat("가", 10000)
	got := shorten(long, maxMessage)
	if !strings.HasSuffix(got, "가… (10000 characters; see -o json for all)") || strings.Count(got, "가") != maxMessage || strings.ContainsFunc(got, unicode.IsControl) {
		t.Errorf("%q", got)
	}
	if got := shorten(long[:300], maxMessage); got != long[:300] {
		t.Errorf("%q", got)
	}
}
