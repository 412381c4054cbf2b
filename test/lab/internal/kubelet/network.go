package kubelet

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubectl-doik/kubectl-doik/test/lab/internal/annotation"
)

// Network stands in for the network between the API server and the nodes. It is a net.Listener whose connections come
// from Dial and know the address that was dialled.
type Network struct {
	cluster atomic.Pointer[Cluster]
	dialled chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

// NewNetwork returns a network without nodes.
func NewNetwork() *Network {
	return &Network{dialled: make(chan net.Conn), closed: make(chan struct{})}
}

// Connect puts the cluster's nodes on the network. It comes later than NewNetwork, because the API server must be given
// the way to the nodes before anyone can ask it which there are.
func (n *Network) Connect(cluster *Cluster) { n.cluster.Store(cluster) }

// nodeConn is the kubelet's end of a connection.
type nodeConn struct {
	net.Conn
	address string // of the node
}

// Dial connects to the kubelet at an address. Anything that isn't a kubelet's port is dialled for real, because the
// API server takes the same way to webhooks and extension API servers.
func (n *Network) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if _, port, err := net.SplitHostPort(address); err != nil || port != strconv.Itoa(Port) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	var node *corev1.Node
	if cluster := n.cluster.Load(); cluster != nil {
		node = cluster.NodeAt(address)
	}
	if node == nil {
		return nil, dialError(network, address, syscall.EHOSTUNREACH)
	}
	if behaviour, err := annotation.KubeletOf(node.Annotations); err == nil && behaviour.Mode == annotation.KubeletDead {
		return nil, dialError(network, address, syscall.ECONNREFUSED)
	}
	client, server, err := connectionPair()
	if err != nil {
		return nil, err
	}
	select {
	case n.dialled <- nodeConn{server, address}:
		return client, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-n.closed:
		err = dialError(network, address, syscall.ECONNREFUSED)
	}
	client.Close()
	server.Close()
	return nil, err
}

func dialError(network, address string, cause syscall.Errno) error {
	tcp, _ := net.ResolveTCPAddr("tcp", address)
	return &net.OpError{Op: "dial", Net: network, Addr: tcp, Err: os.NewSyscallError("connect", cause)}
}

// connectionPair returns the two ends of a connection that never leaves this process. It is a pair of sockets rather
// than a net.Pipe because the streaming protocols count on the buffers of a real connection: with none, two ends that
// write at once wait for each other forever.
func connectionPair() (client, server net.Conn, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	client, err = connection(fds[0])
	if err != nil {
		syscall.Close(fds[1])
		return nil, nil, err
	}
	server, err = connection(fds[1])
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	return client, server, nil
}

func connection(fd int) (net.Conn, error) {
	file := os.NewFile(uintptr(fd), "kubelet")
	defer file.Close() // FileConn has a copy
	return net.FileConn(file)
}

// Accept returns the kubelet's end of the next connection.
func (n *Network) Accept() (net.Conn, error) {
	select {
	case conn := <-n.dialled:
		return conn, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (n *Network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

// Addr is there for net.Listener; the network has no address.
func (n *Network) Addr() net.Addr { return &net.UnixAddr{Name: "kubelets", Net: "unix"} }
