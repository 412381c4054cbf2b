package dbserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"golang.org/x/term"
)

type passwordKind int

const (
	fromNowhere passwordKind = iota
	fromSecret
	fromFile
	fromEnv
	fromPrompt
)

// PasswordSource is where a password comes from. It is never an argument: others see those.
type PasswordSource struct {
	kind      passwordKind
	name, key string
	value     string // once it is known
}

// What the API server takes for a Secret's name and for a key of it.
var (
	secretName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)
	secretKey  = regexp.MustCompile(`^[-._a-zA-Z0-9]+$`)
)

const passwordForms = "secret/NAME:KEY, file:PATH, env:NAME or prompt"

// IsOwn reports whether there is a password that only the user has. A Secret's is its namespace's.
func (p PasswordSource) IsOwn() bool {
	return p.kind == fromFile || p.kind == fromEnv || p.kind == fromPrompt
}

// ParsePasswordSource reads secret/NAME:KEY, file:PATH, env:NAME or prompt; an empty text is no password.
func ParsePasswordSource(text string) (PasswordSource, error) {
	secret, isSecret := strings.CutPrefix(text, "secret/")
	file, isFile := strings.CutPrefix(text, "file:")
	env, isEnv := strings.CutPrefix(text, "env:")
	switch {
	case text == "":
		return PasswordSource{}, nil
	case text == "prompt":
		return PasswordSource{kind: fromPrompt}, nil
	case isSecret:
		name, key, ok := strings.Cut(secret, ":")
		if !ok || !secretName.MatchString(name) || !secretKey.MatchString(key) {
			break
		}
		return PasswordSource{kind: fromSecret, name: name, key: key}, nil
	case isFile && file != "":
		return PasswordSource{kind: fromFile, name: file}, nil
	case isEnv && env != "":
		return PasswordSource{kind: fromEnv, name: env}, nil
	}
	// The text, or a part of it, may be the password itself: it is not repeated.
	return PasswordSource{}, errors.New("invalid --password-from: must be one of " + passwordForms + " (the value is not repeated here: it may be the password)")
}

// Resolve reads the password, except that of a Secret, which each namespace has its own of. user is for the prompt.
func (p PasswordSource) Resolve(ctx context.Context, user string, in io.Reader, errOut io.Writer) (PasswordSource, error) {
	var err error
	switch p.kind {
	case fromFile:
		var content []byte
		content, err = os.ReadFile(p.name)
		p.value = strings.TrimRight(string(content), "\r\n")
		if pathError := (*fs.PathError)(nil); errors.As(err, &pathError) { // the path is not repeated: it may be the password
			err = fmt.Errorf("the file can't be read: %w", pathError.Err)
		}
	case fromEnv:
		value, ok := os.LookupEnv(p.name)
		if !ok {
			return p, errors.New("--password-from: that environment variable is not set") // which may be the password
		}
		p.value = value
	case fromPrompt:
		p.value, err = prompt(ctx, user, in, errOut)
	}
	if err != nil {
		return p, fmt.Errorf("--password-from: %w", err)
	}
	return p, nil
}

// prompt reads a password without showing it; from what is no terminal it reads a line.
func prompt(ctx context.Context, user string, in io.Reader, errOut io.Writer) (string, error) {
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	restore := func() {}
	file, isFile := in.(*os.File)
	if isFile && term.IsTerminal(int(file.Fd())) {
		if state, err := term.GetState(int(file.Fd())); err == nil {
			restore = func() { _ = term.Restore(int(file.Fd()), state) }
		}
		fmt.Fprintf(errOut, "Password of %s: ", user)
		go func() {
			text, err := term.ReadPassword(int(file.Fd()))
			read <- line{string(text), err}
		}()
	} else {
		go func() {
			text, err := bufio.NewReader(in).ReadString('\n')
			if errors.Is(err, io.EOF) && text != "" {
				err = nil
			}
			read <- line{strings.TrimRight(text, "\r\n"), err}
		}()
	}
	select {
	case l := <-read:
		if isFile && term.IsTerminal(int(file.Fd())) {
			fmt.Fprintln(errOut)
		}
		if errors.Is(l.err, io.EOF) {
			l.err = errors.New("no password on stdin")
		}
		return l.text, l.err
	case <-ctx.Done():
		restore()
		return "", ctx.Err()
	}
}
