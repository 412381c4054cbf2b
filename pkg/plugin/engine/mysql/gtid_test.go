package mysql

import (
	"math/rand"
	"testing"
)

const (
	uuidA = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	uuidB = "ae11fa47-71ca-11e1-9e33-c80aa9429562"
)

func TestParseGTIDSet(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		uuidA + ":1":                     uuidA + ":1",
		uuidB + ":1-3,\n" + uuidA + ":7": uuidA + ":7," + uuidB + ":1-3",
		"3E11FA47-71CA-11E1-9E33-C80AA9429562:5:1-3:4": uuidA + ":1-5",
		uuidA + ":1-6:tag_1:10-12:8, " + uuidA + ":7":  uuidA + ":1-7:tag_1:8:10-12",
		uuidA + ":9223372036854775807:1-2":             uuidA + ":1-2:9223372036854775807",
	} {
		got, err := ParseGTIDSet(text)
		if err != nil || got.String() != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, bad := range []string{
		"1-5", uuidA, uuidA + ":", uuidA + ":0", uuidA + ":5-3", uuidA + ":1-", uuidA + ":tag_1", uuidA + ":1:", uuidA + ":-1", uuidA + ":+1",
		uuidA[:35] + ":1", uuidA + ":9223372036854775808", uuidA[:35] + "g:1", uuidA + ":tag-1:1",
	} {
		if got, err := ParseGTIDSet(bad); err == nil {
			t.Errorf("%q became %s", bad, got)
		}
	}
}

func TestGTIDArithmetic(t *testing.T) {
	for _, c := range []struct{ a, b, subtract, union string }{
		{"", "", "", ""},
		{uuidA + ":1-10", uuidA + ":3-4:8", uuidA + ":1-2:5-7:9-10", uuidA + ":1-10"},
		{uuidA + ":1-10", uuidA + ":1-10", "", uuidA + ":1-10"},
		{uuidA + ":5", uuidA + ":1-4:6", uuidA + ":5", uuidA + ":1-6"},
		{uuidA + ":1-3:x:1-3", uuidA + ":1-3", uuidA + ":x:1-3", uuidA + ":1-3:x:1-3"},
		{uuidA + ":1-3", uuidB + ":1-3", uuidA + ":1-3", uuidA + ":1-3," + uuidB + ":1-3"},
	} {
		a, b := parsed(t, c.a), parsed(t, c.b)
		if got := a.Subtract(b).String(); got != c.subtract {
			t.Errorf("%s - %s = %s, want %s", c.a, c.b, got, c.subtract)
		}
		if got := a.Union(b).String(); got != c.union {
			t.Errorf("%s + %s = %s, want %s", c.a, c.b, got, c.union)
		}
	}
	set := parsed(t, uuidA+":1-6:tag:10-12,"+uuidB+":9")
	if n := set.Count(); n != 10 {
		t.Errorf("%d transactions", n)
	}
	if got := set.UUIDs(); len(got) != 2 || got[0] != uuidA || got[1] != uuidB {
		t.Errorf("UUIDs %q", got)
	}
}

// TestGTIDLaws checks what holds of any two sets, on many small ones.
func TestGTIDLaws(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 2000 {
		a, b := randomGTIDSet(t, r), randomGTIDSet(t, r)
		rest, both := a.Subtract(b), a.Union(b)
		if got := rest.Union(b); got.String() != both.String() {
			t.Fatalf("(%s - %s) + b = %s, want %s", a, b, got, both)
		}
		if got := rest.Count() + b.Count(); got != both.Count() {
			t.Fatalf("%s - %s: %d transactions, want %d", a, b, got, both.Count())
		}
		if got := b.Subtract(both); got.Count() != 0 {
			t.Fatalf("%s - (a + b) = %s", b, got)
		}
		if again := parsed(t, both.String()); again.String() != both.String() {
			t.Fatalf("%s became %s", both, again)
		}
	}
}

func FuzzParseGTIDSet(f *testing.F) {
	for _, seed := range []string{"", uuidA + ":1-6:tag_1:10-12", uuidB + ":1-3,\n" + uuidA + ":7", uuidA + ":9223372036854775807:1", ",,", ":"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := ParseGTIDSet(text)
		if err != nil {
			return
		}
		again, err := ParseGTIDSet(set.String())
		if err != nil || again.String() != set.String() {
			t.Errorf("%q became %q, then %q, %v", text, set, again, err)
		}
		if rest := set.Subtract(again); len(rest) > 0 {
			t.Errorf("%q less itself is %q", text, rest)
		}
	})
}

func TestMariaDBPosition(t *testing.T) {
	position := func(text string) MariaDBPosition {
		p, err := ParseMariaDBPosition(text)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if got := position(" 1-12-3,\n0-11-11 ,0-11-11").String(); got != "0-11-11,1-12-3" {
		t.Error(got)
	}
	for _, bad := range []string{"0-1", "0-1-2-3", "a-1-2", "0-4294967296-1", "-1-1-1"} {
		if got, err := ParseMariaDBPosition(bad); err == nil {
			t.Errorf("%q became %s", bad, got)
		}
	}
	if n := position("0-11-8,1-12-3").Behind(position("0-10-2,0-11-11,1-12-3,2-1-5")); n != 8 {
		t.Errorf("%d behind", n)
	}
	// What was seen on a real server: the replica of id 12 has written on its own.
	if got := position("0-11-11,0-12-12").Without(position("0-11-11"), nil).String(); got != "0-12-12" {
		t.Errorf("errant: %q", got)
	}
	if got := position("0-11-11").Without(position("0-11-12"), nil); len(got) > 0 {
		t.Errorf("lag became errant: %s", got)
	}
	if got := position("0-11-11").Without(nil, position("0-11-11")); len(got) > 0 {
		t.Errorf("errant, though the source has applied it: %s", got)
	}
}

func FuzzParseMariaDBPosition(f *testing.F) {
	f.Add("0-11-11,0-12-12")
	f.Add("1-2-18446744073709551615")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseMariaDBPosition(text)
		if err != nil {
			return
		}
		if again, err := ParseMariaDBPosition(p.String()); err != nil || again.String() != p.String() {
			t.Errorf("%q became %q, then %q, %v", text, p, again, err)
		}
	})
}

func parsed(t *testing.T, text string) GTIDSet {
	t.Helper()
	set, err := ParseGTIDSet(text)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// randomGTIDSet makes a set of two servers, one of them with a tag.
func randomGTIDSet(t *testing.T, r *rand.Rand) GTIDSet {
	t.Helper()
	set := GTIDSet{}
	for _, source := range []string{uuidA, uuidB, uuidA + ":tag_1"} {
		var list []interval
		for range r.Intn(4) {
			low := r.Int63n(20) + 1
			list = append(list, interval{low, low + r.Int63n(5)})
		}
		if len(list) > 0 {
			set[source] = merged(list)
		}
	}
	return set
}
