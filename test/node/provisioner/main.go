//go:build linux

// provisioner makes the test node's volumes: each claim gets a small ext4 file system of its own, in a file, and a
// PersistentVolume of type local on it. Of such a volume kubelet reports true numbers: on a folder of a shared disk it
// would report the whole disk. A claim of volumeMode Block gets the file's loop device.
//
// It runs in the node's mount namespace, where kubelet sees what it mounts.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	volumes := flag.String("volumes", "", "`folder` of the volumes")
	node := flag.String("node", "", "`name` of the node they are on")
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig `file`")
	attachOnly := flag.Bool("attach-only", false, "attach the volumes that are there, as after a restart of the node, and end")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, *volumes, *node, *kubeconfig, *attachOnly)
	stop()
	if err != nil {
		slog.Error("provisioner ends", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, volumes, node, kubeconfig string, attachOnly bool) error {
	if volumes == "" {
		return errors.New("--volumes is missing")
	}
	disk := disk{folder: volumes}
	if err := disk.attachAll(ctx); err != nil || attachOnly {
		return err
	}
	if node == "" {
		return errors.New("--node is missing")
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	return newController(client, disk, node).run(ctx)
}
