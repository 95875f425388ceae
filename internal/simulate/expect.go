package simulate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/figures"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Failure is an expectation that was not met, and what happened instead.
type Failure struct {
	Expected sla.Expectation
	Seen     string
}

// unmet returns the expectations that were not met.
func (r *Result) unmet() []Failure {
	var all []Failure
	for _, e := range r.Scenario.Expect {
		if seen := r.seenInstead(e); seen != "" {
			all = append(all, Failure{e, seen})
		}
	}
	return all
}

// Unknowable reports expectations that the simulation cannot judge.
func (r *Result) Unknowable() *Problem {
	for _, e := range r.Scenario.Expect {
		if e.Subject == sla.ExpectNotification && r.Notifications == nil {
			return &Problem{Pos: e.Pos, Rule: "bad-expectation", Message: fmt.Sprintf("nobody knows which notifications are sent, which %q is about", e.Text), Remedy: `expect alerts instead, like "one page"`}
		}
	}
	return nil
}

// seenInstead says what happened instead of what was expected; "" if it is met.
func (r *Result) seenInstead(e sla.Expectation) string {
	switch e.Subject {
	case sla.ExpectBudget:
		return r.budgetInstead(e)
	case sla.ExpectNotification:
		if n := r.begins(); e.Count != n && (e.Count != sla.AnyCount || n == 0) {
			return plural(n, "notification") + " would be sent"
		}
		return ""
	}
	fired := r.fired(e)
	inTime := slices.DeleteFunc(slices.Clone(fired), func(a Alert) bool { return e.Within > 0 && a.Firing > e.Within })
	switch {
	case e.Count == sla.AnyCount && len(inTime) > 0, e.Count == len(inTime):
		return ""
	case len(fired) == 0:
		return "no such alert fired" + r.otherwise(e)
	case len(inTime) == 0:
		return "it came later: " + alertWords(fired[:1])
	}
	return fmt.Sprintf("%s fired: %s", plural(len(inTime), "such alert"), alertWords(inTime))
}

// fired returns the alerts that an expectation is about, in order of firing. It leaves
// out escalations: they are the same alert, sent to more people.
func (r *Result) fired(e sla.Expectation) []Alert {
	var all []Alert
	for _, a := range r.Alerts() {
		fits := a.Fired && !a.Before && a.Labels[metricnames.Escalation] == "" && (e.Level == sla.ID{} || a.Level == e.Level)
		switch e.Subject {
		case sla.ExpectPage:
			fits = fits && a.Urgency == sla.Page
		case sla.ExpectTicket:
			fits = fits && a.Urgency == sla.Ticket
		}
		if fits && (e.Name == "" || a.Name == e.Name) {
			all = append(all, a)
		}
	}
	slices.SortStableFunc(all, func(a, b Alert) int { return int(a.Firing - b.Firing) })
	return all
}

// Alerts are the alerts of the levels in the result, or all alerts if it has no levels.
func (r *Result) Alerts() []Alert {
	if len(r.Levels) == 0 {
		return r.Others
	}
	var all []Alert
	for _, l := range r.Levels {
		all = append(all, l.Alerts...)
	}
	return all
}

// otherwise names the alerts that fired instead of the expected one.
func (r *Result) otherwise(e sla.Expectation) string {
	if others := r.fired(sla.Expectation{Subject: sla.ExpectAlert, Level: e.Level}); len(others) > 0 {
		return "; what fired is " + alertWords(others)
	}
	return ""
}

// mostWords bounds how many alerts a message names.
const mostWords = 4

func alertWords(alerts []Alert) string {
	var words []string
	for _, a := range alerts[:min(len(alerts), mostWords)] {
		words = append(words, fmt.Sprintf("%s after %s", a.words(), Span(a.Firing)))
	}
	text := strings.Join(words, ", ")
	if more := len(alerts) - mostWords; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// words name an alert, with its level if it is of one.
func (a Alert) words() string {
	words := a.Name
	if a.Severity != "" {
		words += " (" + a.Severity + ")"
	}
	if a.Level.SLO != "" {
		words += " of " + a.Level.Service + "/" + a.Level.SLO
	}
	return words
}

func (r *Result) budgetInstead(e sla.Expectation) string {
	limit := e.Percent.Float64() / 100
	for _, l := range r.Levels {
		if (e.Level != sla.ID{} && e.Level != l.Level.ID) {
			continue
		}
		name := l.Level.ID.Service + "/" + l.Level.ID.SLO
		switch {
		case !l.Budget.Known:
			return "nothing was measured of " + name
		case e.Less && l.Budget.Spent >= limit, !e.Less && l.Budget.Spent <= limit:
			return fmt.Sprintf("%s spent %s of its budget", name, figures.Percent(l.Budget.Spent))
		}
	}
	return ""
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Span is a duration for people: "4m44s", "3h36m", "2d4h".
func Span(d time.Duration) string {
	negative := d < 0
	d = d.Abs().Round(time.Second)
	if d >= time.Hour {
		d = d.Round(time.Minute)
	}
	text := sla.FormatDuration(d)
	if d == 0 {
		text = "0s"
	}
	if negative {
		text = "-" + text
	}
	return text
}
