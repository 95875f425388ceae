// Package maintenance adds maintenance windows to specifications, as people would write
// them. It edits the file as text, so that comments and formatting stay, and proves
// that only the window was added. It also sets silences in an Alertmanager for the same
// time. It prints nothing, and decides nothing about the contract.
package maintenance

import (
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Window is a window to add.
type Window struct {
	sla.Span
	Announced  time.Time // zero: not written
	Emergency  bool
	Reason     string
	ApprovedBy string
}

// Text is the window as a mapping on one line, with wall times of a zone.
func (w Window) Text(zone string) string {
	pairs := []string{"from: " + quoted(wall(w.From, zone)), "to: " + quoted(wall(w.To, zone))}
	if !w.Announced.IsZero() {
		pairs = append(pairs, "announced: "+quoted(wall(w.Announced, zone)))
	}
	if w.Emergency {
		pairs = append(pairs, "emergency: true")
	}
	if w.Reason != "" {
		pairs = append(pairs, "reason: "+quoted(w.Reason))
	}
	if w.ApprovedBy != "" {
		pairs = append(pairs, "approvedBy: "+quoted(w.ApprovedBy))
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

// quoted is a text in double quotes, readable for both YAML and Go.
func quoted(text string) string { return strconv.Quote(text) }

// wall is an instant as a wall time of a zone. If the zone's clock shows that time
// twice and the time alone would mean the other one, it is in UTC with Z.
func wall(at time.Time, zone string) string {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	layout := "2006-01-02T15:04"
	if at.Second() != 0 {
		layout += ":05"
	}
	text := at.In(loc).Format(layout)
	if shown, err := time.Parse(layout, text); err == nil && !sla.Instant(shown, zone).Equal(at) {
		return at.UTC().Format(layout) + "Z"
	}
	return text
}
