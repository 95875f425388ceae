package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/upheld-sla/upheld/internal/overview"
)

// colourModes are the values of --color.
var colourModes = []string{"auto", "always", "never"}

// screen is where something is printed that depends on whether that is a terminal.
type screen struct {
	to     io.Writer
	fd     int // of the terminal, -1 for none
	colour bool
}

// newScreen looks whether w is a terminal, and what the environment says about colours.
func newScreen(w io.Writer, colour string) *screen {
	s := &screen{to: w, fd: -1}
	to := w
	if o, ok := w.(*stream); ok {
		to = o.to
	}
	if f, ok := to.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.fd = int(f.Fd())
	}
	s.colour = colour == "always" || colour == "auto" && s.fd >= 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return s
}

// Widths of what is no terminal, and the least that a table needs.
const (
	usualWidth = 100
	leastWidth = 40
)

// look is how to print now: a terminal may have another width than before. COLUMNS counts
// where there is no terminal.
func (s *screen) look() overview.Look {
	width := 0
	if s.fd >= 0 {
		width, _, _ = term.GetSize(s.fd)
	}
	if width <= 0 {
		width, _ = strconv.Atoi(os.Getenv("COLUMNS"))
	}
	if width <= 0 {
		width = usualWidth
	}
	return overview.Look{Width: max(width, leastWidth), Colour: s.colour, Zone: time.Local}
}

// clearScreen moves to the first place of a terminal, and clears what is there.
const clearScreen = "\x1b[H\x1b[J"

// redraw prints text in place of what was printed before, below it where there is no
// terminal. What comes first stays in sight: what is too much for the screen is left out.
func (s *screen) redraw(text string, pictures bool) error {
	switch {
	case pictures && s.fd >= 0:
		_, height, err := term.GetSize(s.fd)
		if err != nil {
			height = 0
		}
		text = clearScreen + firstLines(text, height-1)
	case pictures:
		text += "\n"
	}
	_, err := io.WriteString(s.to, text)
	return err
}

// firstLines are at most so many lines of a text, the last of which says how many more
// there are; all of them if there is no room to speak of.
func firstLines(text string, most int) string {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	if most < 5 || len(lines) <= most {
		return text
	}
	return strings.Join(lines[:most-1], "") + fmt.Sprintf("... and %d more lines\n", len(lines)-most+1)
}
