package main

import (
	"regexp"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// explainWidth is how many columns explain prints at most.
const explainWidth = 100

// keyed is the beginning of a line that consists of a name and its text, in columns.
var keyed = regexp.MustCompile(`^  \S+( \S+)* {2,}`)

// fitted breaks lines that are too long for a terminal at spaces. Further lines start
// below the text of a name, or are indented a little.
func fitted(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if utf8.RuneCountInString(line) <= explainWidth {
			b.WriteString(line + "\n")
			continue
		}
		own := len(line) - len(strings.TrimLeft(line, " "))
		begin, hang := own, own+2
		if at := keyed.FindString(line); at != "" {
			begin = len(at)
			hang = utf8.RuneCountInString(at)
		} else if own > 8 { // the line continues the one above
			hang = own
		}
		b.WriteString(line[:begin])
		writeWords(&b, strings.Fields(line[begin:]), utf8.RuneCountInString(line[:begin]), hang)
	}
	return b.String()
}

// writeWords writes words, the first at a column, and indents further lines. A word
// that is longer than a line, such as a query, is broken after a comma if possible.
func writeWords(b *strings.Builder, words []string, column, hang int) {
	first := true
	for len(words) > 0 {
		word := words[0]
		n := utf8.RuneCountInString(word)
		switch {
		case !first && column+1+n > explainWidth:
			b.WriteString("\n" + strings.Repeat(" ", hang))
			column, first = hang, true
			continue
		case first && column+n > explainWidth:
			head, tail := broken(word, explainWidth-column)
			words = append([]string{head, tail}, words[1:]...)
			continue
		case !first:
			b.WriteString(" ")
			column++
		}
		b.WriteString(word)
		column += n
		first = false
		words = words[1:]
	}
	b.WriteString("\n")
}

// broken splits a word in two, the first part with at most as many columns as most:
// after a comma if there is one.
func broken(word string, most int) (head, tail string) {
	runes := []rune(word)
	most = max(min(most, len(runes)-1), 1)
	if comma := strings.LastIndex(string(runes[:most]), ","); comma >= 0 {
		return word[:comma+1], word[comma+1:]
	}
	return string(runes[:most]), string(runes[most:])
}

// writeTable writes rows below their heading. If the table does not fit, each row
// becomes several lines: its first cell, and then each other cell with its heading.
func writeTable(b *strings.Builder, rows [][]string) {
	const indent = "    "
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	for i, row := range rows {
		for len(row) < len(rows[0]) { // so that columns continue through the row
			row = append(row, "")
		}
		rows[i] = row
		_, _ = w.Write([]byte(indent + strings.Join(row, "\t") + "\n"))
	}
	_ = w.Flush() // a strings.Builder never fails
	fits := true
	for line := range strings.Lines(table.String()) {
		fits = fits && utf8.RuneCountInString(strings.TrimRight(line, " \n")) <= explainWidth
	}
	if fits {
		for line := range strings.Lines(table.String()) {
			b.WriteString(strings.TrimRight(line, " \n") + "\n")
		}
		return
	}
	for _, row := range rows[1:] {
		b.WriteString(indent + row[0] + "\n")
		var words []string
		for i, cell := range row[1:] {
			if cell != "" {
				words = append(words, rows[0][i+1]+": "+cell)
			}
		}
		if len(words) > 0 {
			b.WriteString(indent + "      " + strings.Join(words, "; ") + "\n")
		}
	}
}
