// Package shell answers the commands that are run in simulated containers. It starts no program: a command of the lab
// must never act on the machine the lab runs on, so there is a fixed set of commands and anything else isn't found.
package shell

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Container is what a command sees of the container it runs in.
type Container struct {
	Hostname    string
	FQDN        string // what hostname -f prints
	IP          string
	Env         []string          // NAME=value
	Files       map[string]string // path to content
	FileSystems []FileSystem      // in the order df lists them
}

// Streams are a command's input and outputs.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Exit codes as shells know them.
const (
	exitOK       = 0
	exitFailure  = 1
	exitMisuse   = 2
	exitNotFound = 127
)

// NotFoundError says that there is no program of that name, in the words of the container runtime.
type NotFoundError struct{ Program string }

func (e NotFoundError) Error() string {
	return fmt.Sprintf("exec: %q: executable file not found in $PATH", e.Program)
}

// program is one command: it gets its arguments without its name and returns its exit code.
type program func(ctx context.Context, c Container, args []string, s Streams) int

// programs is the fixed set. A function, because sh refers back to it.
func programs() map[string]program {
	return map[string]program{
		"hostname": hostname,
		"df":       df,
		"cat":      cat,
		"echo":     echo,
		"env":      env,
		"printenv": env,
		"true":     func(context.Context, Container, []string, Streams) int { return exitOK },
		"false":    func(context.Context, Container, []string, Streams) int { return exitFailure },
		"sleep":    sleep,
		"sh":       sh,
		"bash":     sh,
	}
}

// Programs lists the names of the commands that exist, sorted.
func Programs() []string { return slices.Sorted(maps.Keys(programs())) }

// Run runs a command and returns its exit code, or a NotFoundError.
func (c Container) Run(ctx context.Context, command []string, s Streams) (int, error) {
	if s.In == nil {
		s.In = strings.NewReader("")
	}
	if len(command) == 0 {
		return 0, NotFoundError{}
	}
	run, ok := programs()[baseName(command[0])]
	if !ok {
		return 0, NotFoundError{Program: command[0]}
	}
	return run(ctx, c, command[1:], s), nil
}

// baseName strips the folders in which a container's programs live from an absolute path.
func baseName(name string) string {
	for _, folder := range []string{"/bin/", "/usr/bin/", "/usr/local/bin/"} {
		if base, ok := strings.CutPrefix(name, folder); ok {
			return base
		}
	}
	return name
}
