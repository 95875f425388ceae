package simulate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/routing"
	"github.com/upheld-sla/upheld/sla"
)

// Foreign is a simulation of any rule files, with the series that they read.
type Foreign struct {
	Name     string // of the result
	Files    []replay.File
	Series   []byte // one series a line, in promtool's notation
	File     string // the name of the file with the series
	Scrape   time.Duration
	At       time.Time     // of the first values; zero: the usual start of scenarios
	WarmUp   time.Duration // before, with the first value of each series; 0: an hour
	LookFor  time.Duration // 0: until an hour after the series end
	Expect   []sla.Expectation
	Routes   *routing.Config     // of Alertmanager; nil: notifications are unknown
	Progress func(share float64) // may be nil
}

// Bounds of a file with series.
const (
	mostForeignSeries = 10_000
	mostForeignValues = 5_000_000
)

// readSeries reads the series of a file, without empty lines and comments.
func (f Foreign) readSeries() ([]given, error) {
	var all []given
	known, total := map[string]bool{}, 0
	for i, line := range strings.Split(string(f.Series), "\n") {
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		pos := sla.Position{File: f.File, Line: i + 1, Column: strings.Index(line, text) + 1}
		m, values, err := promql.ParseSeries(text)
		if err != nil {
			return nil, &Problem{Pos: pos, Rule: "bad-series", Message: fmt.Sprintf("this series cannot be read: %v", err), Remedy: `write it as in tests for promtool: name{label="value"} 0+10x40 5 _x3`}
		}
		key := m.String()
		if _, twice := known[key]; twice {
			return nil, &Problem{Pos: pos, Rule: "duplicate-series", Message: "the series " + key + " is there twice", Remedy: "put its values into one line"}
		}
		if total += len(values); total > mostForeignValues || len(all) == mostForeignSeries {
			return nil, &Problem{Pos: pos, Rule: "too-many", Message: fmt.Sprintf("there are more than %d series or %d values", mostForeignSeries, mostForeignValues), Remedy: "leave some out"}
		}
		known[key] = true
		all = append(all, given{m, values, f.Scrape.Milliseconds()})
	}
	if len(all) == 0 {
		return nil, &Problem{Pos: sla.Position{File: f.File, Line: 1, Column: 1}, Rule: "no-series", Message: "there are no series", Remedy: `write a line for each: name{label="value"} 0+10x40`}
	}
	return all, nil
}

// RunForeign evaluates rule files over given series.
func RunForeign(ctx context.Context, f Foreign) (*Result, error) {
	if f.Scrape == 0 {
		f.Scrape = DefaultScrape
	}
	series, err := f.readSeries()
	if err != nil {
		return nil, err
	}
	s := &stage{scenario: &sla.Scenario{Name: f.Name, Expect: f.Expect}, scrape: f.Scrape, at: f.At, zone: time.UTC, chosen: f.At.IsZero()}
	if s.chosen {
		s.at = usualStart
	}
	longest := 0
	for _, g := range series {
		longest = max(longest, len(g.values))
	}
	s.from = s.at.Add(-cmp.Or(f.WarmUp, time.Hour)).Truncate(time.Minute)
	s.end = s.at.Add(cmp.Or(f.LookFor, time.Duration(longest)*f.Scrape+time.Hour))
	w, to := replay.New(), s.end.Add(2*s.scrape).UnixMilli()
	calm := cut(nil, s.from.UnixMilli(), to)
	for _, g := range series {
		w.Add(labels.FromMap(g.metric), g.samples(s, newScrapes(calm, to, s.scrape.Milliseconds(), func(segment) bool { return true })))
	}
	plan := replay.Plan{Files: f.Files, From: s.from, To: s.end.Add(s.scrape)}
	if f.Progress != nil {
		plan.Progress = func(done, total int) { f.Progress(float64(done) / float64(max(total, 1))) }
	}
	played, err := w.Run(ctx, plan)
	if err != nil {
		return nil, err
	}
	r := s.result()
	for _, e := range played.Errors {
		r.Notes = append(r.Notes, fmt.Sprintf("The rule %s of %s failed %s: %v", e.Rule.Name, e.Rule.File, plural(e.Count, "time"), e.Err))
	}
	for _, e := range played.Episodes {
		if e.Resolved.IsZero() || e.Resolved.After(s.at) {
			r.Others = append(r.Others, s.foreignAlert(e))
		}
	}
	for _, e := range played.Episodes {
		r.received = append(r.received, sentOf(e)...)
	}
	if f.Routes != nil {
		r.notify(s, f.Routes)
	}
	slices.SortStableFunc(r.Others, func(a, b Alert) int { return cmp.Or(cmp.Compare(a.Pending, b.Pending), cmp.Compare(a.Name, b.Name)) })
	r.Failed = r.unmet()
	return r, nil
}

// foreignAlert is an alert of another tool's rules. The name of its severity decides
// its urgency.
func (s *stage) foreignAlert(e replay.Episode) Alert {
	a := newAlert(s, e)
	if a.Severity == sla.Page.String() || a.Severity == "critical" {
		a.Urgency = sla.Page
	}
	return a
}

// newAlert is an alert with an episode's times, relative to the start of the scenario.
func newAlert(s *stage, e replay.Episode) Alert {
	a := Alert{
		Name: e.Labels.Get(labels.AlertName), Severity: e.Labels.Get(metricnames.Severity), Labels: e.Labels.Map(), Summary: e.First.Get("summary"),
		Pending: e.Pending.Sub(s.at), Fired: !e.Firing.IsZero(), Ended: !e.Resolved.IsZero(),
	}
	if a.Fired {
		a.Firing, a.Before = e.Firing.Sub(s.at), e.Firing.Before(s.at)
	}
	if a.Ended {
		a.Resolved = e.Resolved.Sub(s.at)
	}
	return a
}
