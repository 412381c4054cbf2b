package printers

import "testing"

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 1023: "1023", 1024: "1.0Ki", 1 << 20: "1.0Mi", 10 << 20: "10Mi", 1<<30 - 1: "1.0Gi", 7928764 << 10: "7.6Gi", 5 << 40: "5.0Ti", 1<<63 - 1: "8.0Ei",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestBar(t *testing.T) {
	for percent, want := range map[int32]string{
		-1: "..........", 0: "..........", 1: "#.........", 10: "#.........", 30: "###.......", 99: "#########.", 100: "##########", 250: "##########",
	} {
		if got := Bar(percent); got != want {
			t.Errorf("%d: %s, want %s", percent, got, want)
		}
	}
}
