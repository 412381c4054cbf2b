package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// sh runs the script after -c or, without one, the lines of its input, as they come.
func sh(ctx context.Context, c Container, args []string, s Streams) int {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		option := args[0]
		args = args[1:]
		if !strings.Contains(option, "c") || strings.HasPrefix(option, "--") {
			continue // -e, -l, -i and the like change nothing here
		}
		if len(args) == 0 {
			fmt.Fprintln(s.Err, "sh: 0: -c requires an argument")
			return exitMisuse
		}
		code, _ := runScript(ctx, c, args[0], 0, s)
		return code
	}
	if len(args) > 0 {
		fmt.Fprintf(s.Err, "sh: 0: cannot open %s: No such file\n", args[0])
		return exitNotFound
	}

	lines := bufio.NewReader(s.In)
	code, exited := 0, false
	for !exited {
		line, err := lines.ReadString('\n')
		if line != "" {
			// What follows a line is the input of its commands.
			code, exited = runScript(ctx, c, line, code, Streams{In: lines, Out: s.Out, Err: s.Err})
		}
		if err != nil {
			break
		}
	}
	return code
}

// runScript runs the commands of a script and returns the last one's exit code, and whether it was exit that ended it.
func runScript(ctx context.Context, c Container, script string, last int, s Streams) (code int, exited bool) {
	commands, err := parse(script)
	if err != nil {
		fmt.Fprintf(s.Err, "sh: 1: %v\n", err)
		return exitMisuse, true
	}
	code = last
	for _, command := range commands {
		if command.after == "&&" && code != 0 || command.after == "||" && code == 0 {
			continue
		}
		args, streams, err := command.expand(c, code, s)
		if err != nil {
			fmt.Fprintf(s.Err, "sh: 1: %v\n", err)
			return exitMisuse, true
		}
		if len(args) == 0 {
			continue
		}
		if args[0] == "exit" {
			if len(args) > 1 {
				n, err := strconv.ParseUint(args[1], 10, 31)
				if err != nil {
					fmt.Fprintf(s.Err, "sh: 1: exit: Illegal number: %s\n", args[1])
					return exitMisuse, true
				}
				code = int(n & 0xff)
			}
			return code, true
		}
		if code, err = c.Run(ctx, args, streams); errors.As(err, new(NotFoundError)) {
			fmt.Fprintf(streams.Err, "sh: 1: %s: not found\n", args[0])
			code = exitNotFound
		}
	}
	return code, false
}

// expand fills in the variables and carries out the redirections.
func (c simpleCommand) expand(container Container, last int, s Streams) ([]string, Streams, error) {
	var args []string
	for _, w := range c.words {
		text := w.expand(container, last)
		if text == "" && !w.quoted() {
			continue
		}
		if !w.quoted() {
			switch text {
			case ">/dev/null", "1>/dev/null":
				s.Out = io.Discard
				continue
			case "2>/dev/null":
				s.Err = io.Discard
				continue
			case "2>&1":
				s.Err = s.Out
				continue
			}
			if strings.ContainsAny(w.bare(), "<>&") {
				return nil, s, unsupported(text)
			}
		}
		args = append(args, text)
	}
	return args, s, nil
}
