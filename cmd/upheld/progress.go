package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress is a bar on a terminal, for work that takes longer than a second. Elsewhere,
// as in a CI log, it prints nothing.
type progress struct {
	to    *os.File
	begun time.Time
	shown time.Time // zero before it was first shown
}

func newProgress(notes io.Writer) *progress {
	p := &progress{begun: time.Now()}
	if s, ok := notes.(*stream); ok {
		notes = s.to
	}
	if f, ok := notes.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb" {
			p.to = f
		}
	}
	return p
}

// show shows the current work and the share of all work that is done, 0 to 1.
func (p *progress) show(what string, share float64) {
	const width = 30
	now := time.Now()
	if p.to == nil || now.Sub(p.begun) < time.Second || now.Sub(p.shown) < 100*time.Millisecond {
		return
	}
	p.shown = now
	done := min(max(int(share*width), 0), width)
	fmt.Fprintf(p.to, "\r\033[K[%s%s] %3.0f %% %s", strings.Repeat("#", done), strings.Repeat(".", width-done), share*100, what)
}

// end removes the bar.
func (p *progress) end() {
	if p.to != nil && !p.shown.IsZero() {
		fmt.Fprint(p.to, "\r\033[K")
		p.shown = time.Time{}
	}
}
