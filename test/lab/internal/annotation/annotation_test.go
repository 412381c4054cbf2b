package annotation

import (
	"maps"
	"testing"
	"time"
)

func TestParseKubelet(t *testing.T) {
	for _, test := range []struct {
		value   string
		want    KubeletBehaviour
		wantErr bool
	}{
		{value: "", want: KubeletBehaviour{}},
		{value: "dead", want: KubeletBehaviour{Mode: KubeletDead}},
		{value: "hang", want: KubeletBehaviour{Mode: KubeletHang}},
		{value: "error", want: KubeletBehaviour{Mode: KubeletError}},
		{value: "slow", want: KubeletBehaviour{Mode: KubeletSlow, Delay: 5 * time.Second}},
		{value: "slow=250ms", want: KubeletBehaviour{Mode: KubeletSlow, Delay: 250 * time.Millisecond}},
		{value: "slow=soon", wantErr: true},
		{value: "dead=5s", wantErr: true},
		{value: "sleepy", wantErr: true},
	} {
		got, err := ParseKubelet(test.value)
		if got != test.want || (err != nil) != test.wantErr {
			t.Errorf("ParseKubelet(%q) = %+v, %v; want %+v, error %t", test.value, got, err, test.want, test.wantErr)
		}
	}
}

func TestParseForward(t *testing.T) {
	for _, test := range []struct {
		value   string
		want    map[int32]string
		wantErr bool
	}{
		{value: "", want: map[int32]string{}},
		{value: "3306=127.0.0.1:13306", want: map[int32]string{3306: "127.0.0.1:13306"}},
		{value: "3306=127.0.0.1:13306, 80=[::1]:8080", want: map[int32]string{3306: "127.0.0.1:13306", 80: "[::1]:8080"}},
		{value: "3306=10.0.0.1:13306", wantErr: true},
		{value: "3306=localhost:13306", wantErr: true}, // a name could point anywhere
		{value: "0=127.0.0.1:1", wantErr: true},
		{value: "3306", wantErr: true},
	} {
		got, err := ParseForward(test.value)
		if (err != nil) != test.wantErr || !test.wantErr && !maps.Equal(got, test.want) {
			t.Errorf("ParseForward(%q) = %v, %v; want %v, error %t", test.value, got, err, test.want, test.wantErr)
		}
	}
}
