package kubelet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubeletconfig "k8s.io/kubelet/config/v1beta1"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/annotation"
	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/stats"
)

// idleTimeout closes the connections of nodes that haven't been asked for a while: the API server would keep one to
// each of thousands of nodes.
const idleTimeout = 15 * time.Second

// NameServers are those that run in pods of the simulation.
type NameServers interface {
	// Address is where a pod's server takes questions over TCP, empty if it doesn't. Of a pod without one it is false.
	Address(ctx context.Context, pod *corev1.Pod) (address string, has bool)
}

// Server is the HTTP server of all kubelets.
type Server struct {
	cluster     *Cluster
	nameServers NameServers
	http        *http.Server
}

// NewServer returns the server; logs takes what goes wrong in connections. NameServers may be nil.
func NewServer(cluster *Cluster, nameServers NameServers, logs io.Writer) *Server {
	s := &Server{cluster: cluster, nameServers: nameServers}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	mux.HandleFunc("GET /stats/summary", s.statsSummary)
	mux.HandleFunc("GET /pods", s.pods)
	mux.HandleFunc("GET /configz", configz)
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", s.containerLogs)
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", s.exec)
	mux.HandleFunc("/exec/{namespace}/{pod}/{uid}/{container}", s.exec)
	mux.HandleFunc("/attach/{namespace}/{pod}/{container}", s.attach)
	mux.HandleFunc("/attach/{namespace}/{pod}/{uid}/{container}", s.attach)
	mux.HandleFunc("/portForward/{namespace}/{pod}", s.portForward)
	mux.HandleFunc("/portForward/{namespace}/{pod}/{uid}", s.portForward)
	s.http = &http.Server{
		Handler:     s.behave(mux),
		ConnContext: rememberNode,
		IdleTimeout: idleTimeout,
		ErrorLog:    log.New(logs, "kubelet: ", log.LstdFlags),
	}
	return s
}

// Serve answers the connections of the network until it is closed.
func (s *Server) Serve(network *Network) error {
	certificate, err := selfSigned()
	if err != nil {
		return err
	}
	return s.http.Serve(tls.NewListener(network, &tls.Config{Certificates: []tls.Certificate{certificate}}))
}

// selfSigned makes a certificate; the API server doesn't check those of kubelets.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "kubelet"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

type addressKey struct{}

// rememberNode puts the address of the dialled node into the context of a connection's requests.
func rememberNode(ctx context.Context, conn net.Conn) context.Context {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if c, ok := conn.(nodeConn); ok {
		return context.WithValue(ctx, addressKey{}, c.address)
	}
	return ctx
}

func (s *Server) node(r *http.Request) *corev1.Node {
	address, _ := r.Context().Value(addressKey{}).(string)
	return s.cluster.NodeAt(address)
}

// behave makes a node's kubelet as slow, hung or dead as its annotation says, before it answers.
func (s *Server) behave(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		node := s.node(r)
		if node == nil {
			http.Error(w, "the node is gone", http.StatusServiceUnavailable)
			return
		}
		behaviour, err := annotation.KubeletOf(node.Annotations)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		switch behaviour.Mode {
		case annotation.KubeletSlow:
			select {
			case <-time.After(behaviour.Delay):
			case <-r.Context().Done():
				panic(http.ErrAbortHandler) // returning would answer with 200
			}
		case annotation.KubeletHang:
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		case annotation.KubeletDead:
			// The connection is from before the kubelet died.
			panic(http.ErrAbortHandler)
		case annotation.KubeletError:
			if r.URL.Path == "/stats/summary" {
				http.Error(w, "Internal Error: failed to get root cgroup stats: failed to get cgroup stats for \"/\": unexpected number of containers: 0", http.StatusInternalServerError)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) statsSummary(w http.ResponseWriter, r *http.Request) {
	node := s.node(r)
	summary, err := stats.Summary(node, s.cluster.PodsOn(node.Name), s.cluster.Claim, time.Now())
	if err != nil {
		http.Error(w, "Internal Error: "+err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, summary)
}

func (s *Server) pods(w http.ResponseWriter, r *http.Request) {
	list := corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}}
	for _, pod := range s.cluster.PodsOn(s.node(r).Name) {
		list.Items = append(list.Items, *pod)
	}
	writeJSON(w, list)
}

// configz answers with that part of a kubelet's configuration that pods see.
func configz(w http.ResponseWriter, _ *http.Request) {
	config := kubeletconfig.KubeletConfiguration{ClusterDomain: clusterDomain, ClusterDNS: []string{dnsServiceIP}}
	writeJSON(w, map[string]any{"kubeletconfig": config})
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	_ = encoder.Encode(value) // the client has gone away
}
