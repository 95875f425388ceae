package simulate

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/upheld-sla/upheld/sla"
)

// lane is one line of a timeline: a step, or an alert.
type lane struct {
	name  string
	title string // shown when you point at it
	bars  []bar
	alert bool
	page  bool
	of    sla.ID // the level of an alert
}

// bar is a span of a lane, after the scenario's start.
type bar struct {
	from, to time.Duration
	firing   bool // otherwise pending, or a step
}

// lanes are the steps and the alerts of a result.
func (r *Result) lanes() []lane {
	var all []lane
	end := r.End.Sub(r.At)
	for _, s := range r.Scenario.Steps {
		l := lane{name: stepName(s), title: stepName(s) + " for " + sla.FormatDuration(s.For)}
		if s.Kind == sla.StepFlapping {
			for at := s.From; at < s.To(); at += s.Every {
				l.bars = append(l.bars, bar{from: at, to: min(at+s.Down, s.To(), end)})
			}
		} else {
			l.bars = []bar{{from: s.From, to: min(s.To(), end)}}
		}
		all = append(all, l)
	}
	alerts := r.Alerts()
	if len(r.Levels) > 0 {
		alerts = append(alerts, r.Others...)
	}
	several := false
	for _, a := range alerts {
		several = several || a.Level != alerts[0].Level
	}
	for _, a := range alerts {
		l := lane{name: strings.TrimSpace(a.Severity + " " + strings.TrimPrefix(a.Title(), "SLA")), alert: true, page: a.Urgency == sla.Page}
		if several {
			l.name += " " + a.Level.Service + "/" + a.Level.SLO
		}
		l.title = fmt.Sprintf("%s: fires %s, ends %s", a.words(), a.firingWords(), a.endWords())
		until := end
		if a.Ended {
			until = min(a.Resolved, end)
		}
		fired := until
		if a.Fired {
			fired = a.Firing
			l.bars = append(l.bars, bar{max(0, a.Firing), until, true})
		}
		if a.Pending < fired {
			l.bars = append(l.bars, bar{max(0, a.Pending), max(0, fired), false})
		}
		i := slices.IndexFunc(all, func(o lane) bool { return o.alert && o.of == a.Level && o.name == l.name })
		if l.of = a.Level; i >= 0 {
			all[i].bars, all[i].title = append(all[i].bars, l.bars...), all[i].title+"; "+l.title
			continue
		}
		all = append(all, l)
	}
	return all
}

func stepName(s sla.ScenarioStep) string {
	switch {
	case s.Kind == sla.StepBurn:
		return fmt.Sprintf("%s %sx", s.Kind, s.Rate)
	case s.Kind.Facets().Share != "":
		return fmt.Sprintf("%s %s%%", s.Kind, s.Share)
	}
	return string(s.Kind)
}

// mostNameColumns is the widest that the names of a timeline in a terminal may be.
const mostNameColumns = 44

// timeline draws a line for each step and alert.
func (r *Result) timeline(b *bytes.Buffer) {
	lanes, end := r.lanes(), r.End.Sub(r.At)
	names := 0
	for _, l := range lanes {
		names = max(names, min(utf8.RuneCountInString(l.name), mostNameColumns))
	}
	column := tick(end, lineWidth-names-2)
	fmt.Fprintf(b, "\nTimeline: a column is %s; = happens, - pending, # fires\n", Span(column))
	for _, l := range lanes {
		cells := []rune(strings.Repeat(".", int((end+column-1)/column)))
		for _, bar := range l.bars {
			mark := '='
			if l.alert {
				mark = '-'
			}
			if bar.firing {
				mark = '#'
			}
			for i := range cells {
				from, to := time.Duration(i)*column, time.Duration(i+1)*column
				if bar.from < to && bar.to > from && cells[i] != '#' {
					cells[i] = mark
				}
			}
		}
		fmt.Fprintf(b, "%s  %s\n", padded(l.name, names), string(cells))
	}
}

// tick is the duration of each column.
func tick(of time.Duration, columns int) time.Duration {
	for _, d := range []time.Duration{
		15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	} {
		if of <= d*time.Duration(columns) {
			return d
		}
	}
	return (of/time.Duration(columns)/time.Hour + 1) * time.Hour
}

// padded is text filled up or cut to exactly as many columns.
func padded(text string, columns int) string {
	if n := utf8.RuneCountInString(text); n <= columns {
		return text + strings.Repeat(" ", columns-n)
	}
	return string([]rune(text)[:columns-1]) + "~"
}
