// Package readme reads the command blocks of the READMEs, for the tests that run them.
//
// A block with commands has a comment before it that tells where it is run: <!-- run: lab -->, <!-- run: node -->, <!-- run: checkout -->, or
// <!-- run: no, REASON -->. Its commands are the lines that begin with "$ ", or all lines if none does.
package readme

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// Block is a block of commands with what they print.
type Block struct {
	File string
	Line int
	// Bed is lab, node, checkout (without any cluster) or no; Reason why it is not run.
	Bed, Reason string
	Commands    []Command
}

// Command is a command with what the README shows of its output.
type Command struct {
	Line, Output string
}

// Root is the checkout.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Files are the READMEs.
var Files = []string{"README.md", "README.ko.md"}

var (
	marker  = regexp.MustCompile(`^<!-- run: (lab|node|checkout|no)(?:, (.+))? -->$`)
	command = regexp.MustCompile(`^(\$ |kubectl |make |go |test/)`)
)

// Blocks reads the command blocks of a README. A block with commands and no word of where it is run is an error.
func Blocks(name string) ([]Block, error) {
	text, err := os.ReadFile(filepath.Join(Root(), name))
	if err != nil {
		return nil, err
	}
	var blocks []Block
	var bed, reason string
	lines := strings.Split(string(text), "\n")
	for i := 0; i < len(lines); i++ {
		if m := marker.FindStringSubmatch(lines[i]); m != nil {
			bed, reason = m[1], m[2]
			continue
		}
		if !strings.HasPrefix(lines[i], "```") {
			if strings.TrimSpace(lines[i]) != "" {
				bed, reason = "", ""
			}
			continue
		}
		start := i + 1
		for i++; i < len(lines) && lines[i] != "```"; i++ {
		}
		if i == len(lines) {
			return nil, fmt.Errorf("%s:%d: the block has no end", name, start)
		}
		b := Block{File: name, Line: start, Bed: bed, Reason: reason, Commands: commands(lines[start:i])}
		bed, reason = "", ""
		switch {
		case len(b.Commands) == 0:
		case b.Bed == "":
			return nil, fmt.Errorf("%s:%d: nothing says where these commands are run", name, start)
		case b.Bed == "no" && b.Reason == "":
			return nil, fmt.Errorf("%s:%d: nothing says why these commands are not run", name, start)
		default:
			blocks = append(blocks, b)
		}
	}
	return blocks, nil
}

// commands finds the commands of a block, each with the lines up to the next one.
func commands(lines []string) []Command {
	var list []Command
	prompt := strings.Contains("\n"+strings.Join(lines, "\n"), "\n$ ")
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "$ "), !prompt && command.MatchString(line):
			line, _, _ = strings.Cut(strings.TrimPrefix(line, "$ "), "  #")
			list = append(list, Command{Line: strings.TrimSpace(line)})
		case len(list) > 0:
			list[len(list)-1].Output += line + "\n"
		}
	}
	return list
}

var heading = regexp.MustCompile(`(?m)^[A-Z][A-Z%]+(?: +[A-Z%]+)+ *$`)

// Compare reports whether an output has the table headings that the README shows, in their order; of a command whose output it does
// not show, whether there is any.
func (c Command) Compare(output string) error {
	if c.Output == "" {
		if output == "" {
			return fmt.Errorf("%s prints nothing", c.Line)
		}
		return nil
	}
	squeeze := func(lines []string) string {
		var b strings.Builder
		for _, l := range lines {
			b.WriteString(strings.Join(strings.Fields(l), " ") + "\n")
		}
		return b.String()
	}
	want, got := squeeze(heading.FindAllString(c.Output, -1)), squeeze(heading.FindAllString(output, -1))
	if want != got {
		return fmt.Errorf("%s\nheadings in the README:\n%sheadings now:\n%s%s", c.Line, want, got, output)
	}
	return nil
}
