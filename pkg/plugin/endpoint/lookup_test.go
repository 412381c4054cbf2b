package endpoint

import (
	"strings"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin/api/v1alpha1"
)

// slicesOf is the EndpointSlice kubernetes with some addresses.
func slicesOf(addresses ...string) []discoveryv1.EndpointSlice {
	port := int32(443)
	return []discoveryv1.EndpointSlice{{Endpoints: []discoveryv1.Endpoint{{Addresses: addresses}}, Ports: []discoveryv1.EndpointPort{{Port: &port}}}}
}

// TestParseLookup reads what the tools print. Those of bind (dig, nslookup) and glibc (getent) were printed on test/node.
func TestParseLookup(t *testing.T) {
	const server = "doik server 10.96.0.10\n"
	for _, test := range []struct {
		name, text string
		result     v1alpha1.ResolutionResult
		want       string // addresses and message
	}{
		{"dig", server + `doik tool dig
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 9412
;; flags: qr aa rd; QUERY: 1, ANSWER: 2, AUTHORITY: 0, ADDITIONAL: 1
;; WARNING: recursion requested but not available

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
api.example.	30	IN	A	10.0.1.5
api.example.	30	IN	A	10.0.2.7
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1177
doik end
`, v1alpha1.ResolutionAnswered, "10.0.1.5, 10.0.2.7 (private)"},
		{"dig, an alias and IPv6", server + "doik tool dig\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1\na.\t5\tIN\tCNAME\tb.\nb.\t5\tIN\tA\t3.34.1.2\nb.\t5\tIN\tAAAA\t2406:da12::1\ndoik end\n", v1alpha1.ResolutionAnswered, "3.34.1.2, 2406:da12::1 (public)"},
		{"dig, no such name", server + "doik tool dig\n;; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 1\n;; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 2\ndoik end\n", v1alpha1.ResolutionNotFound, ""},
		{"dig, no address", server + "doik tool dig\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 2\ndoik end\n", v1alpha1.ResolutionNotFound, ""},
		{"dig, SERVFAIL", server + "doik tool dig\n;; ->>HEADER<<- opcode: QUERY, status: SERVFAIL, id: 1\ndoik end\n", v1alpha1.ResolutionFailed, "SERVFAIL"},
		{"dig, REFUSED", server + "doik tool dig\n;; ->>HEADER<<- opcode: QUERY, status: REFUSED, id: 1\ndoik end\n", v1alpha1.ResolutionFailed, "REFUSED"},
		{"dig, silence", server + "doik tool dig\n;; communications error to 10.96.0.10#53: timed out\n;; communications error to 10.96.0.10#53: timed out\n;; no servers could be reached\ndoik end\n", v1alpha1.ResolutionTimeout, "the cluster's DNS did not answer dig"},
		{"nslookup of bind", server + "doik tool nslookup\nServer:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\nName:\tapi.example\nAddress: 3.34.1.2\nName:\tapi.example\nAddress: 2406:da12::1\n\ndoik end\n", v1alpha1.ResolutionAnswered, "3.34.1.2, 2406:da12::1 (public)"},
		{"nslookup of bind, no such name", server + "doik tool nslookup\nServer:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\n** server can't find nosuch.example: NXDOMAIN\n\ndoik end\n", v1alpha1.ResolutionNotFound, ""},
		{"nslookup of bind, SERVFAIL", server + "doik tool nslookup\nServer:\t\t10.96.0.10\nAddress:\t10.96.0.10#53\n\n** server can't find nosuch.example: SERVFAIL\n\ndoik end\n", v1alpha1.ResolutionFailed, "SERVFAIL"},
		{"nslookup of bind, silence", server + "doik tool nslookup\n;; communications error to 10.96.0.10#53: timed out\n;; no servers could be reached\n\ndoik end\n", v1alpha1.ResolutionTimeout, "the cluster's DNS did not answer nslookup"},
		{"nslookup of BusyBox 1.28", server + "doik tool nslookup\nServer:    10.96.0.10\nAddress 1: 10.96.0.10 kube-dns.kube-system.svc.cluster.local\n\nName:      api.example\nAddress 1: 10.0.1.5 ip-10-0-1-5.example\nAddress 2: 10.0.2.7\ndoik end\n", v1alpha1.ResolutionAnswered, "10.0.1.5, 10.0.2.7 (private)"},
		{"nslookup of BusyBox 1.28, no such name", server + "doik tool nslookup\nServer:    10.96.0.10\nAddress 1: 10.96.0.10 kube-dns.kube-system.svc.cluster.local\n\nnslookup: can't resolve 'nosuch.example'\ndoik end\n", v1alpha1.ResolutionNotFound, ""},
		{"nslookup of BusyBox 1.36", server + "doik tool nslookup\nServer:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\nName:\tapi.example\nAddress: 10.0.1.5\n\nName:\tapi.example\nAddress: fd00::5\n\ndoik end\n", v1alpha1.ResolutionAnswered, "10.0.1.5, fd00::5 (private)"},
		{"nslookup of BusyBox 1.36, silence", server + "doik tool nslookup\n;; connection timed out; no servers could be reached\n\ndoik end\n", v1alpha1.ResolutionTimeout, "the cluster's DNS did not answer nslookup"},
		{"getent", server + "doik tool getent\n10.0.1.5        STREAM api.example\n10.0.1.5        DGRAM  \n10.0.1.5        RAW    \n10.0.2.7        STREAM \ndoik end\n", v1alpha1.ResolutionAnswered, "10.0.1.5, 10.0.2.7 (private)"},
		{"getent, nothing", server + "doik tool getent\ndoik end\n", v1alpha1.ResolutionFailed, "getent found no address, and does not tell why"},
		{"no tool", server + "doik tool none\ndoik end\n", v1alpha1.ResolutionFailed, "the image has none of dig, nslookup, getent"},
		{"cut off", server + "doik tool dig\n", v1alpha1.ResolutionFailed, "the look-up did not end"},
		{"nothing", "", v1alpha1.ResolutionFailed, "the look-up did not end"},
		{"hostile", server + "doik tool dig\n\x1b[2Japi. 30 IN A 10.0.1.5\x1b\napi. 30 IN A evil\napi. 30 IN A 10.0.1.6%eth0\ndoik end\n", v1alpha1.ResolutionFailed, "the answer of dig can't be read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := parseLookup(test.text)
			if got := addressWords(r.Addresses) + r.Message; r.Result != test.result || got != test.want {
				t.Errorf("got %s %q, want %s %q", r.Result, got, test.result, test.want)
			}
			if strings.HasPrefix(test.text, server) && r.Server != "10.96.0.10" {
				t.Errorf("server %q", r.Server)
			}
		})
	}
}

func FuzzParseLookup(f *testing.F) {
	f.Add("doik server 10.96.0.10\ndoik tool dig\na. 5 IN A 10.0.1.5\ndoik end\n")
	f.Add("doik tool nslookup\nName: a\nAddress 1: 10.0.1.5 b\n** server can't find a: NXDOMAIN\n")
	f.Add("doik tool getent\n10.0.1.5 STREAM a\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := parseLookup(text)
		if (r.Result == v1alpha1.ResolutionAnswered) != (len(r.Addresses) > 0) {
			t.Errorf("%+v", r)
		}
	})
}
