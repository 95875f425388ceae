package overview

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/upheld-sla/upheld/sla"
)

// Look says how to print an overview.
type Look struct {
	Width  int            // columns
	Colour bool           // with ANSI colours
	Zone   *time.Location // of the times
}

// paint is a colour as a terminal knows it.
type paint string

const (
	plain  paint = ""
	red    paint = "1;31"
	yellow paint = "33"
	green  paint = "32"
	dim    paint = "2"
	bold   paint = "1"
)

func (l Look) painted(p paint, text string) string {
	if !l.Colour || p == plain {
		return text
	}
	return "\x1b[" + string(p) + "m" + text + "\x1b[0m"
}

// paintOf is the colour for a class of states.
func paintOf(c sla.Class) paint {
	switch c {
	case sla.ClassBad:
		return red
	case sla.ClassWarn:
		return yellow
	case sla.ClassGood:
		return green
	}
	return dim
}

// cell is a text in a column of the table.
type cell struct {
	text  string
	paint paint
}

// Columns of the table; the level's name gets the width that the others leave.
var headings = []string{"STATE", "SINCE", "LEVEL", "ACHIEVED/TARGET", "BUDGET LEFT", "BURN 1H"}

const nameColumn = 2

// gap separates two columns; indent begins lines that belong to the one above.
const (
	gap    = "  "
	indent = "    "
)

// Text is the overview as lines that fit the width.
func (o *Overview) Text(look Look) string {
	at := o.At.In(look.Zone)
	own := *o
	own.At = at
	var b strings.Builder
	for _, line := range wrapped(own.sentence(), look.Width, "", "") {
		b.WriteString(look.painted(bold, line) + "\n")
	}
	for _, line := range wrapped(fmt.Sprintf("%s at %s", o.Server, at.Format("2006-01-02 15:04:05 MST")), look.Width, "", "") {
		b.WriteString(look.painted(dim, line) + "\n")
	}
	if len(o.Levels) > 0 {
		b.WriteString("\n")
		own.table(&b, look)
	}
	if len(o.Missing) > 0 {
		b.WriteString("\n")
		text := "The server has nothing of " + strings.Join(o.Missing, ", ") + ": load the rules, or wait for their first evaluation."
		for _, line := range wrapped(text, look.Width, "", "") {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func (o *Overview) table(b *strings.Builder, look Look) {
	rows := make([][]cell, len(o.Levels))
	widths := make([]int, len(headings))
	for i, h := range headings {
		widths[i] = len(h)
	}
	for i, l := range o.Levels {
		rows[i] = l.row(o.At)
		for j, c := range rows[i] {
			widths[j] = max(widths[j], utf8.RuneCountInString(c.text))
		}
	}
	others := 0
	for i, w := range widths {
		if i != nameColumn {
			others += w + len(gap)
		}
	}
	widths[nameColumn] = min(widths[nameColumn], max(look.Width-others, len(headings[nameColumn])))
	heading := make([]cell, len(headings))
	for i, h := range headings {
		heading[i] = cell{h, dim}
	}
	writeRow(b, look, widths, heading)
	for i, l := range o.Levels {
		writeRow(b, look, widths, rows[i])
		for _, words := range l.details(o.At) {
			for _, line := range wrapped(words, look.Width, indent, indent+"  ") {
				b.WriteString(look.painted(dim, line) + "\n")
			}
		}
	}
}

func writeRow(b *strings.Builder, look Look, widths []int, cells []cell) {
	last := len(cells) - 1
	for last > 0 && cells[last].text == "" {
		last--
	}
	for i, c := range cells[:last+1] {
		text := c.text
		if i == nameColumn {
			text = shortened(printable(text), widths[i])
		}
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
		if i == last {
			pad = ""
		} else {
			pad += gap
		}
		b.WriteString(look.painted(c.paint, text) + pad)
	}
	b.WriteString("\n")
}

// shortened cuts the beginning of a name that is too long, since its end says more.
func shortened(name string, width int) string {
	runes := []rune(name)
	if len(runes) <= width {
		return name
	}
	return "…" + string(runes[len(runes)-width+1:])
}

// row is the line of a level.
func (l Level) row(now time.Time) []cell {
	since := cell{"-", dim}
	if l.Since != nil {
		since = cell{shortClock(*l.Since, now), plain}
		if l.SinceBefore {
			since.text = "<" + since.text
		}
	}
	cells := []cell{{strings.ToLower(l.state.Words()), paintOf(l.state.Class())}, since, {l.named(), plain}, {"-", dim}, {"-", dim}, {"-", dim}}
	if len(l.Periods) > 0 {
		p := l.Periods[0]
		if p.Achieved != nil {
			cells[3] = cell{achieved(*p.Achieved, l.Target) + "/" + l.Target + " %", paintOf(l.target.Class())}
		}
		if p.Left != nil {
			cells[4] = cell{p.leftWords(), paintOf(l.budget.Class())}
		}
	}
	if l.BurnRate != nil {
		cells[5] = cell{rate(*l.BurnRate), plain}
	}
	return cells
}

// leftWords prints the rest of a budget, in per cent and as time.
func (p Period) leftWords() string {
	words := percentDown(*p.Left, 1)
	if p.LeftTime != nil {
		words += " " + Span(seconds(math.Floor(*p.LeftTime+noise)))
	}
	return words
}

// shortClock is a time of today, or else the date.
func shortClock(at, now time.Time) string {
	at = at.In(now.Location())
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format("15:04")
	}
	return at.Format("2 Jan")
}

// details are the lines below a level's line: alerts, blame, other periods.
func (l Level) details(now time.Time) []string {
	var lines []string
	if len(l.Alerts) > 0 {
		var alerts []string
		for _, a := range l.Alerts {
			text := a.Name + " (" + a.Severity + ")"
			if a.Since != nil {
				text += " since " + clock(*a.Since, now)
			}
			alerts = append(alerts, text)
		}
		lines = append(lines, "alerts: "+strings.Join(alerts, ", "))
	}
	if len(l.Down) > 0 {
		var down []string
		for _, c := range l.Down {
			down = append(down, c.Component+" since "+clock(c.Since, now))
		}
		lines = append(lines, "down by: "+strings.Join(down, ", "))
	}
	if words := l.blameWords(); words != "" {
		lines = append(lines, "budget spent by: "+words)
	}
	for _, p := range l.Periods[min(1, len(l.Periods)):] {
		if p.Left != nil && (*p.Left <= 0 || *p.Left < sla.LittleBudget) {
			lines = append(lines, "of "+p.Period+": "+p.leftWords()+" of the budget left")
		}
	}
	return lines
}

// blameWords says who spent the budget, if a visible part of it is spent.
func (l Level) blameWords() string {
	var words []string
	for _, b := range l.Blame {
		if b.Spent >= 0.001 {
			words = append(words, b.Component+" "+percentUp(b.Spent))
		}
	}
	return strings.Join(words, ", ")
}

// wrapped breaks a text at its spaces into lines of a width. A word longer than a line
// gets its own line.
func wrapped(text string, width int, first, more string) []string {
	var lines []string
	line := first
	empty := true
	for _, word := range unbroken(printable(text)) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line, empty = more, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	return append(lines, line)
}

// printable removes everything from a text that would move a terminal's cursor or
// change its output: names of groups come from labels, which may hold anything.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r != ' ' && unicode.IsSpace(r) }), " "))
}

// unbroken splits a text into words; a number stays with its per cent sign.
func unbroken(text string) []string {
	var words []string
	for word := range strings.FieldsSeq(text) {
		if n := len(words); n > 0 && strings.HasPrefix(word, "%") {
			words[n-1] += " " + word
			continue
		}
		words = append(words, word)
	}
	return words
}
