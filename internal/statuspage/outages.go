package statuspage

import (
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// What counts as an outage for the public.
const (
	longEnough = 10 * time.Minute // shorter degradation only shows in the day's bar
	maxOutages = 200
)

// outagesOf returns the outages of a component to show, the oldest first. Their times
// are the recorded ones, as on other pages.
func outagesOf(name string, spans []Span, now time.Time) []Outage {
	var all []Outage
	for _, s := range spans {
		o := Outage{Component: name, Start: s.Start.UTC(), State: s.Worst.String(), state: s.Worst}
		end := s.End
		if end.IsZero() {
			end = now
		} else {
			o.End = known(end.UTC())
		}
		took := end.Sub(s.Start)
		o.Seconds = took.Seconds()
		if o.End == nil || s.Worst == sla.StateDown || took >= longEnough {
			all = append(all, o)
		}
	}
	return all
}
