package verdict_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// wholeOf is an agreement of components a, b, ... by seconds, and first a composite.
func wholeOf(t testing.TB, composite string, components ...string) *sla.Agreement {
	t.Helper()
	var b strings.Builder
	b.WriteString("  period: 1d\n  serviceLevels:\n    - {name: whole, target: \"50\", indicator: {composite: " + composite + "}}\n")
	for _, c := range components {
		fmt.Fprintf(&b, "    - {name: up, service: %s, target: \"50\", indicator: {condition: {expr: 'up_%[1]s == 1'}}}\n", c)
	}
	return load(t, b.String())[0]
}

// clocked are spans of a day by the clock: "01:00:00-02:00:00".
func clocked(t testing.TB, day time.Time, state verdict.State, bad float64, spans ...string) []verdict.Stretch {
	t.Helper()
	var all []verdict.Stretch
	for _, s := range spans {
		from, to, _ := strings.Cut(s, "-")
		s := verdict.Stretch{From: clock(t, day, from), To: clock(t, day, to), State: state}
		if state == verdict.Known {
			s.Total, s.Bad = 1, bad
		}
		all = append(all, s)
	}
	return all
}

func clock(t testing.TB, day time.Time, text string) time.Time {
	t.Helper()
	c, err := time.Parse("15:04:05", text)
	if err != nil {
		t.Fatal(err)
	}
	return day.Add(c.Sub(c.Truncate(24 * time.Hour)))
}

var day = time.Date(2026, 6, 3, 0, 0, 0, 0, time.UTC)

func dayOf(a *sla.Agreement) verdict.Input {
	return verdict.Input{Agreement: a, Period: a.Levels[0].Period, Name: "2026-06-03", Start: day, End: day.Add(24 * time.Hour), Now: day.Add(48 * time.Hour)}
}

func TestOverlappingOutagesCountOnce(t *testing.T) {
	a := wholeOf(t, "{all: [a/up, b/up, c/up, d/up]}", "a", "b", "c", "d")
	in := dayOf(a)
	for i, spans := range []string{"01:00:00-02:00:00", "01:30:00-02:30:00", "01:00:00-02:00:00", "01:30:00-02:30:00"} {
		in.Evidence.Levels = append(in.Evidence.Levels, evidence(string(rune('a'+i)), "up", flow{in.Start, in.End, clocked(t, day, verdict.Known, 1, spans)}.stretches()))
	}
	r := judge(t, in)
	wantLevel(t, r, map[string]string{"bad": "5400", "achieved": "93.75", "coverage": "100", "verdict": "met"})
	if got := r.Levels[0].Outages; len(got) != 1 || got[0].Seconds != "5400" || got[0].Cause != "a/up, b/up, c/up, d/up" {
		t.Errorf("outages %+v", got)
	}
}

func TestWorstOfTwoIsTheUnionToTheSecond(t *testing.T) {
	in := dayOf(wholeOf(t, "{all: [a/up, b/up]}", "a", "b"))
	in.Evidence.Levels = []verdict.LevelEvidence{
		evidence("a", "up", flow{in.Start, in.End, clocked(t, day, verdict.Known, 1, "01:00:00-01:00:07", "02:00:00-02:00:03", "03:00:00-03:00:10")}.stretches()),
		evidence("b", "up", flow{in.Start, in.End, clocked(t, day, verdict.Known, 1, "01:00:05-01:00:09", "02:00:03-02:00:04", "03:00:02-03:00:05")}.stretches()),
	}
	r := judge(t, in)
	wantLevel(t, r, map[string]string{"bad": "23"})
	if got := r.Levels[0].Outages; len(got) != 3 {
		t.Errorf("outages %+v", got)
	}
	want := []verdict.Blame{{Component: "a/up", Alone: "15", WithOthers: "2.5"}, {Component: "b/up", Alone: "3", WithOthers: "2.5"}}
	if diff := cmp.Diff(want, r.Levels[0].Blame); diff != "" {
		t.Error(diff)
	}
}

func TestBlameOfARedundantPart(t *testing.T) {
	in := dayOf(wholeOf(t, "{all: [web/up, {any: [a/up, b/up]}]}", "web", "a", "b"))
	outages := map[string][]string{
		"web": {"01:00:00-02:00:00", "03:00:00-04:00:00"},
		"a":   {"01:00:00-02:00:00", "02:00:00-03:00:00", "03:00:00-04:00:00"},
		"b":   {"01:00:00-02:00:00", "02:00:00-03:00:00"},
	}
	for _, c := range []string{"web", "a", "b"} {
		in.Evidence.Levels = append(in.Evidence.Levels, evidence(c, "up", flow{in.Start, in.End, clocked(t, day, verdict.Known, 1, outages[c]...)}.stretches()))
	}
	// Everything, then a and b, then web and a: the table of docs/composites.md.
	want := []verdict.Blame{
		{Component: "web/up", Alone: "3600", WithOthers: "1800"},
		{Component: "a/up", Alone: "0", WithOthers: "2700"},
		{Component: "b/up", Alone: "0", WithOthers: "2700"},
	}
	if diff := cmp.Diff(want, judge(t, in).Levels[0].Blame); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownComponents(t *testing.T) {
	outages := clocked(t, day, verdict.Known, 1, "04:00:00-05:00:00")
	for _, c := range []struct {
		composite          string
		b                  []verdict.Stretch
		bad, unknown, text string
	}{
		{"{all: [a/up, b/up]}", clocked(t, day, verdict.Missing, 0, "03:00:00-05:00:00"), "3600", "3600", "all is bad if one is, else unknown"},
		{"{any: [a/up, b/up]}", clocked(t, day, verdict.Missing, 0, "03:00:00-05:00:00"), "0", "3600", "any is good if one is, else unknown"},
		{"{any: [a/up, b/up], unknown: bad}", clocked(t, day, verdict.Missing, 0, "03:00:00-05:00:00"), "3600", "0", "missing counts as bad"},
		{"{any: [a/up, b/up], unknown: good}", clocked(t, day, verdict.Missing, 0, "03:00:00-05:00:00"), "0", "0", "missing counts as good"},
		{"{any: [a/up, b/up], unknown: bad}", clocked(t, day, "", 0, "03:00:00-05:00:00"), "0", "3600", "what was not seen never counts"},
		{`{weighted: {of: [{weight: "0.25", needs: a/up}, {weight: "0.75", needs: b/up}]}}`, clocked(t, day, "", 0, "03:00:00-05:00:00"), "3600", "0", "the known weights count"},
	} {
		in := dayOf(wholeOf(t, c.composite, "a", "b"))
		in.Evidence.Levels = []verdict.LevelEvidence{
			evidence("a", "up", flow{in.Start, in.End, outages}.stretches()),
			evidence("b", "up", flow{in.Start, in.End, c.b}.stretches()),
		}
		t.Run(c.text, func(t *testing.T) {
			wantLevel(t, judge(t, in), map[string]string{"bad": c.bad, "unknown": c.unknown})
		})
	}
}

func TestFailoverTakesTime(t *testing.T) {
	in := dayOf(wholeOf(t, "{any: [a/up, b/up], failover: 90s}", "a", "b"))
	in.Evidence.Levels = []verdict.LevelEvidence{
		evidence("a", "up", flow{in.Start, in.End, clocked(t, day, verdict.Known, 1, "01:00:00-02:00:00", "03:00:00-03:00:40")}.stretches()),
		evidence("b", "up", flow{in.Start, in.End, clocked(t, day, verdict.Known, 1, "01:30:00-01:30:05")}.stretches()),
	}
	r := judge(t, in)
	wantLevel(t, r, map[string]string{"bad": "135"}) // 90 s of switching, 5 s of both, 40 s until the first is back
	want := []verdict.Blame{{Component: "a/up", Alone: "130", WithOthers: "2.5"}, {Component: "b/up", Alone: "0", WithOthers: "2.5"}}
	if diff := cmp.Diff(want, r.Levels[0].Blame); diff != "" {
		t.Error(diff)
	}
}
