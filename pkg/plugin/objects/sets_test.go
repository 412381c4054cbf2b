package objects

import "testing"

func TestOrdinalOf(t *testing.T) {
	for pod, want := range map[string]int32{
		"web-0": 0, "web-10": 10, "web-2147483647": 2147483647,
		"web": -1, "web-": -1, "web-02": -1, "web-+2": -1, "web--2": -1, "web-2147483648": -1, "web-a": -1, "web-1-0": -1, "website-0": -1, "db-0": -1,
	} {
		if got, ok := OrdinalOf(pod, "web"); ok != (want >= 0) || ok && got != want {
			t.Errorf("%s: %d, %t", pod, got, ok)
		}
	}
}

func TestMajority(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 2, 3: 2, 4: 3, 5: 3} {
		if got := Majority(n); got != want {
			t.Errorf("of %d: %d, want %d", n, got, want)
		}
	}
}
