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

// screen is an output that depends on whether it is a terminal.
type screen struct {
	to     io.Writer
	fd     int // of the terminal, -1 for none
	colour bool
}

// newScreen finds out whether w is a terminal, and what the environment says about
// colours.
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

// Widths of outputs that are not terminals, and the least width for a table.
const (
	usualWidth = 100
	leastWidth = 40
)

// look is how to print now, since a terminal may have changed its width. Without a
// terminal COLUMNS counts.
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

// clearScreen moves to the top left of a terminal, and clears it.
const clearScreen = "\x1b[H\x1b[J"

// redraw prints text over what was printed before, or below it without a terminal. If
// the text is too long for the screen, its end is left out.
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

// firstLines returns at most as many lines of a text as most, and the last says how
// many more there are. If there is hardly any room, it returns all.
func firstLines(text string, most int) string {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	if most < 5 || len(lines) <= most {
		return text
	}
	return strings.Join(lines[:most-1], "") + fmt.Sprintf("... and %d more lines\n", len(lines)-most+1)
}
