// kubectl-doik is found by kubectl as kubectl doik.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/kubectl-doik/kubectl-doik/pkg/plugin"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal ends the command in good order; a second one ends the process.
	context.AfterFunc(ctx, stop)
	code := plugin.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
