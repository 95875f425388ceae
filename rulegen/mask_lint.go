package rulegen

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// lint finds calendars and windows that will not do what is meant.
func (m *masks) lint() sla.Findings {
	var findings sla.Findings
	warn := func(pos sla.Position, rule, remedy, message string, args ...any) {
		findings = append(findings, sla.Finding{Severity: sla.Warning, Rule: rule, Pos: pos, Message: fmt.Sprintf(message, args...), Remedy: remedy})
	}
	for _, c := range m.agreement.Calendars {
		m.lintCalendar(c, warn)
	}
	hours := map[*sla.Calendar]sla.Spans{}
	for _, l := range m.levels {
		if _, known := hours[l.ServiceHours]; !known {
			hours[l.ServiceHours] = l.Service(m.from, m.to)
		}
	}
	for _, e := range m.agreement.Exclusions {
		m.lintExclusion(e, warn)
		m.lintHours(e, hours, warn)
	}
	return findings
}

type warner func(pos sla.Position, rule, remedy, message string, args ...any)

// holidaysEndWithin is how long before its last dated holiday a calendar is
// reported.
const holidaysEndWithin = 60 * 24 * time.Hour

// lintCalendar finds a calendar that nobody uses, and holidays that run out.
func (m *masks) lintCalendar(c *sla.Calendar, warn warner) {
	used := slices.ContainsFunc(m.levels, func(l *sla.ServiceLevel) bool { return l.ServiceHours == c || l.EscalatesWithin(c) }) ||
		slices.ContainsFunc(m.agreement.Calendars, func(o *sla.Calendar) bool { return o.Of == c.Name })
	if !used && !m.agreement.TookCalendar(c.Name) {
		warn(c.Pos, "unused-calendar", "name it as serviceHours, or take it out", "no service level uses the calendar %q", c.Name)
	}
	last := sla.Date{}
	for d := range c.Holidays {
		if d.Year > 0 && d.String() > last.String() || last.Year == 0 && d.Year > 0 {
			last = d
		}
	}
	if end := m.opts.Now.Add(holidaysEndWithin); last.Year > 0 && c.Of == "" && last.String() < sla.DateOf(end).String() {
		warn(c.Pos, "holidays-end", `add those that follow, or write days of every year without it, like "12-25"`,
			"the last dated holiday of the calendar %q is %s: from then on it knows none", c.Name, last)
	}
}

// lintExclusion finds windows that excuse nothing, or nothing more.
func (m *masks) lintExclusion(e *sla.Exclusion, warn warner) {
	type span struct {
		sla.Span
		of *sla.Window
	}
	var all []span
	for _, w := range e.Windows {
		if !e.AnnouncedInTime(w) {
			warn(w.Pos, "late-notice", "announce it earlier, or write emergency: true if the agreement allows that",
				"this window was announced %s before it begins, and %s needs %s: it excuses nothing", sla.FormatDuration(max(w.Once.From.Sub(w.Announced), 0)), e.Name, sla.FormatDuration(e.Notice))
			continue
		}
		if w.Recurs == nil && w.Once.To.Before(m.from) {
			warn(w.Pos, "past-window", "take it out", "this window of %s ended on %s, before everything that rules know", e.Name, w.Once.To.Format(time.DateOnly))
		}
		for _, s := range w.Spans(m.from, m.to) {
			all = append(all, span{s, w})
		}
	}
	slices.SortStableFunc(all, func(a, b span) int { return cmp.Compare(a.From.Unix(), b.From.Unix()) })
	for i := 1; i < len(all); i++ {
		if a, b := all[i-1], all[i]; b.From.Before(a.To) && a.of != b.of {
			warn(b.of.Pos, "overlapping-windows", "join them, or take one out; time is excluded once",
				"two windows of %s overlap on %s", e.Name, b.From.Format(time.DateOnly))
			break
		}
	}
	if beyond, amount, exceeded := e.Exceeded(m.from.AddDate(1, 0, 0), m.to); exceeded {
		warn(e.Cap.Pos, "beyond-cap", "move a window to another "+string(e.Cap.Per.Calendar)+", shorten it, or agree on a larger cap",
			"the windows of %s come to %s in the %s of %s, and %s are excused: from %s on they excuse nothing in it", e.Name, sla.FormatDuration(amount),
			e.Cap.Per.Calendar, beyond.In(e.Cap.Per.Location()).Format(time.DateOnly), sla.FormatDuration(e.Cap.WindowTime), beyond.In(e.Cap.Per.Location()).Format("2006-01-02T15:04"))
	}
}

// lintHours finds an exclusion whose windows are all outside the service hours of
// every level. hours has these by calendar; nil is always.
func (m *masks) lintHours(e *sla.Exclusion, hours map[*sla.Calendar]sla.Spans, warn warner) {
	spans := e.Spans(m.from, m.to)
	if len(spans) == 0 {
		return
	}
	asked := map[*sla.Calendar]bool{}
	for _, l := range m.levels {
		if asked[l.ServiceHours] || !slices.Contains(l.Exclusions, e) {
			continue
		}
		asked[l.ServiceHours] = true
		if hours[l.ServiceHours].Meet(spans) {
			return
		}
	}
	if len(asked) > 0 {
		warn(e.Pos, "outside-hours", "take it out, or check its times and their time zone",
			"all windows of %s are outside the service hours of every level: it excuses nothing", e.Name)
	}
}

// lintShare finds a level that is never in service, and so has no budget.
func lintShare(l level) sla.Findings {
	if l.share().Sign() > 0 {
		return nil
	}
	return sla.Findings{{
		Severity: sla.Error, Rule: "no-hours", Pos: l.Pos,
		Message: fmt.Sprintf("the level %q is never in service: its hours less its windows are no time at all", l.ID.SLO),
		Remedy:  "check the calendar and the windows that are removed from it",
	}}
}
