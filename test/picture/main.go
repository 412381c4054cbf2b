// picture draws what a command wrote to a terminal, colours included, as an SVG: stdin is the output, the arguments are the command.
package main

import (
	"bufio"
	"fmt"
	"html"
	"os"
	"regexp"
	"strings"
)

const (
	lineHeight = 19
	charWidth  = 8.4
	margin     = 16
)

// colors are those of a dark terminal, by the number that a terminal is reported.
var colors = map[string]string{
	"130": "#e3b341", // of the 256: 38;5;130
	"31":  "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "35": "#d2a8ff", "36": "#76e3ea", "90": "#8b949e", "91": "#ff7b72", "92": "#7ee787", "93": "#e3b341",
}

var sequence = regexp.MustCompile("\x1b\\[([0-9;]*)m")

func main() {
	lines := []string{"$ " + strings.Join(os.Args[1:], " ")}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		lines = append(lines, strings.TrimRight(in.Text(), " "))
	}
	columns := 0
	for _, l := range lines {
		columns = max(columns, len([]rune(sequence.ReplaceAllString(l, ""))))
	}
	width, height := int(float64(columns)*charWidth)+2*margin, len(lines)*lineHeight+2*margin
	fmt.Printf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", width, height, html.EscapeString(lines[0]))
	fmt.Printf("<rect width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#0d1117\"/>\n", width, height)
	fmt.Print("<g font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"14\" fill=\"#e6edf3\" xml:space=\"preserve\">\n")
	for i, l := range lines {
		draw(l, margin+(i+1)*lineHeight-5)
	}
	fmt.Println("</g>\n</svg>")
}

// draw writes a line as pieces of one style each, every piece at its column, so that fonts of other widths keep the table.
func draw(line string, y int) {
	style, column, from := "", 0, 0
	piece := func(text string) {
		trimmed := strings.TrimSpace(text)
		column += len([]rune(text)) - len([]rune(strings.TrimLeft(text, " ")))
		n := len([]rune(trimmed))
		if n > 0 {
			fmt.Printf("<text x=\"%.1f\" y=\"%d\" textLength=\"%.1f\"%s>%s</text>\n", margin+float64(column)*charWidth, y, float64(n)*charWidth, style, html.EscapeString(trimmed))
		}
		column += len([]rune(strings.TrimLeft(text, " ")))
	}
	for _, m := range sequence.FindAllStringSubmatchIndex(line, -1) {
		piece(line[from:m[0]])
		from = m[1]
		for number := range strings.SplitSeq(line[m[2]:m[3]], ";") {
			switch number {
			case "", "0", "22", "39":
				style = ""
			case "1":
				style += " font-weight=\"bold\""
			case "38", "5": // one of 256 colours follows
			case "2":
				style += " opacity=\"0.6\""
			default:
				if color := colors[number]; color != "" {
					style += " fill=\"" + color + "\""
				}
			}
		}
	}
	piece(line[from:])
}
