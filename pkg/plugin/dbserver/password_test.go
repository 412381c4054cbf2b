package dbserver

import (
	"errors"
	"testing"
)

// TestHanding: who is given which password, and on which way.
func TestHanding(t *testing.T) {
	const refused, given = false, true
	for _, tc := range []struct {
		what string
		h    Handing
		want bool
	}{
		{"the pod's own, in clear, to a pod that was found", Handing{Origin: OfPod}, given},
		{"a Secret's, in its namespace", Handing{Origin: OfNamespace, SecretNamespace: "shop", PodNamespace: "shop"}, given},
		{"a Secret's, elsewhere", Handing{Origin: OfNamespace, SecretNamespace: "shop", PodNamespace: "tenant", Channel: Verified, Named: true, ToAll: true}, refused},
		{"a Secret of nowhere", Handing{Origin: OfNamespace, Named: true}, refused},
		{"the user's, found", Handing{Origin: OfUser, Channel: Encrypted}, refused},
		{"the user's, found, into the container", Handing{Origin: OfUser, Channel: Inside}, refused},
		{"the user's, found, in clear", Handing{Origin: OfUser, Channel: Clear}, refused},
		{"the user's, found, verified", Handing{Origin: OfUser, Channel: Verified}, given},
		{"the user's, found, to all", Handing{Origin: OfUser, Channel: Encrypted, ToAll: true}, given},
		{"the user's, found, to all, into the container", Handing{Origin: OfUser, Channel: Inside, ToAll: true}, given},
		{"the user's, found, to all, in clear", Handing{Origin: OfUser, Channel: Clear, ToAll: true}, refused},
		{"the user's, named", Handing{Origin: OfUser, Channel: Encrypted, Named: true}, given},
		{"the user's, named, verified", Handing{Origin: OfUser, Channel: Verified, Named: true}, given},
		{"the user's, named, into the container", Handing{Origin: OfUser, Channel: Inside, Named: true}, given},
		{"the user's, named, in clear", Handing{Origin: OfUser, Channel: Clear, Named: true}, refused},
	} {
		err := tc.h.Check()
		if (err == nil) != tc.want {
			t.Errorf("%s: %v", tc.what, err)
		}
		var r *RefusedError
		if err != nil && (!errors.As(err, &r) || r.Reason == "" || r.Remedy == "") {
			t.Errorf("%s: a refusal without a reason or a remedy: %v", tc.what, err)
		}
	}
}
