package verdict_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// outagesBy are the outages of a day under a rule, as "01:00:00-01:05:00 counted 300", and
// the bad seconds.
func outagesBy(t *testing.T, rule string, stretches ...[]verdict.Stretch) (outages []string, bad string) {
	t.Helper()
	a := load(t, `  period: 1d
  serviceLevels:
    - {name: up, target: "50", indicator: {condition: {expr: 'up == 1'}}, aggregation: {method: time, outage: `+rule+`}}
`)[0]
	in := dayOf(a)
	var changes []verdict.Stretch
	for _, s := range stretches {
		changes = append(changes, s...)
	}
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{in.Start, in.End, changes}.stretches())}
	l := judge(t, in).Levels[0]
	for _, o := range l.Outages {
		text := fmt.Sprintf("%s-%s counted %s", o.Start.Format(time.TimeOnly), o.End.Format(time.TimeOnly), o.Counted)
		if o.Ongoing {
			text += " ongoing"
		}
		outages = append(outages, text)
	}
	return outages, l.Bad
}

func TestOutagesAreConfirmedBackdatedAndMerged(t *testing.T) {
	bad := func(spans ...string) []verdict.Stretch { return clocked(t, day, verdict.Known, 1, spans...) }
	unknown := func(spans ...string) []verdict.Stretch { return clocked(t, day, verdict.Missing, 0, spans...) }
	for _, c := range []struct {
		does, rule string
		history    [][]verdict.Stretch
		want       string
		bad        string
	}{
		{"short bad time is none", "{confirmAfter: 3m}", [][]verdict.Stretch{bad("01:00:00-01:02:59", "02:00:00-02:03:00")}, "02:00:00-02:03:00 counted 180", "180"},
		{"without backdating it begins when it is confirmed", "{confirmAfter: 3m, backdate: false}", [][]verdict.Stretch{bad("01:00:00-01:03:00", "02:00:00-02:05:00")}, "02:03:00-02:05:00 counted 120", "120"},
		{"it ends with the first good moment of a recovery", "{recoverAfter: 2m}", [][]verdict.Stretch{bad("01:00:00-01:01:00", "01:02:59-01:04:00", "01:06:00-01:07:00")}, "01:00:00-01:04:00 counted 240, 01:06:00-01:07:00 counted 60", "300"},
		{"merging counts no good time", "{mergeGap: 5m}", [][]verdict.Stretch{bad("01:00:00-01:01:00", "01:05:59-01:07:00", "01:12:00-01:13:00")}, "01:00:00-01:07:00 counted 121, 01:12:00-01:13:00 counted 60", "181"},
		{"short ones are dropped if that is agreed", "{minimum: 1m}", [][]verdict.Stretch{bad("01:00:00-01:00:59", "02:00:00-02:01:00")}, "02:00:00-02:01:00 counted 60", "60"},
		{"merged ones are as long as from first to last", "{mergeGap: 5m, minimum: 4m}", [][]verdict.Stretch{bad("01:00:00-01:01:00", "01:03:00-01:04:00", "02:00:00-02:03:59")}, "01:00:00-01:04:00 counted 120", "120"},
		{"unknown time ends a run", "{confirmAfter: 3m}", [][]verdict.Stretch{bad("01:00:00-01:02:00"), unknown("01:02:00-01:02:01"), bad("01:02:01-01:04:00")}, "", "0"},
		{"unknown time ends an outage", "{recoverAfter: 5m}", [][]verdict.Stretch{bad("01:00:00-01:02:00"), unknown("01:02:00-01:03:00"), bad("01:04:00-01:05:00")}, "01:00:00-01:02:00 counted 120, 01:04:00-01:05:00 counted 60", "180"},
	} {
		t.Run(c.does, func(t *testing.T) {
			got, bad := outagesBy(t, c.rule, c.history...)
			if strings.Join(got, ", ") != c.want || bad != c.bad {
				t.Errorf("%q, %s s bad; want %q, %s s", got, bad, c.want, c.bad)
			}
		})
	}
}

func TestOutageOverTheEdgesOfAMonthAndAChangeOfClocks(t *testing.T) {
	a := load(t, `  timeZone: America/New_York
  period: month
  serviceLevels:
    - {name: up, target: "99", indicator: {condition: {expr: 'up == 1'}}, aggregation: {method: time, outage: {confirmAfter: 10m}}}
`)[0]
	const zone = "America/New_York" // the clock goes back on 1 November 2026 at 02:00
	began, ended := at(t, zone, "2026-10-31T23:55"), at(t, zone, "2026-11-01T03:00")
	history := flow{began.Add(-time.Hour), ended.Add(time.Hour), []verdict.Stretch{down(began, ended)}}.stretches()
	for month, want := range map[string]struct {
		bad     string
		ongoing bool
	}{"2026-10": {"300", true}, "2026-11": {"14400", false}} {
		in := periodOf(a, at(t, zone, month+"-15"))
		in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", history)}
		l := judge(t, in).Levels[0]
		if l.Bad != want.bad || len(l.Outages) != 1 || l.Outages[0].Ongoing != want.ongoing || (l.Outages[0].Began == nil) != want.ongoing {
			t.Errorf("%s: %s s bad, %+v", month, l.Bad, l.Outages)
		}
	}
}

func TestBlameOfGoodTimeWithinAnOutage(t *testing.T) {
	a := load(t, `  period: 1d
  serviceLevels:
    - {name: whole, target: "50", indicator: {composite: {all: [a/up, b/up]}}, aggregation: {method: time, outage: {confirmAfter: 1m, recoverAfter: 2m}}}
    - {name: up, service: a, target: "50", indicator: {condition: {expr: 'up_a == 1'}}}
    - {name: up, service: b, target: "50", indicator: {condition: {expr: 'up_b == 1'}}}
`)[0]
	in := dayOf(a)
	in.Evidence.Levels = []verdict.LevelEvidence{
		evidence("a", "up", flow{in.Start, in.End, clocked(t, day, verdict.Known, 1, "01:00:00-01:02:00", "05:00:00-05:00:59")}.stretches()),
		evidence("b", "up", flow{in.Start, in.End, clocked(t, day, verdict.Known, 1, "01:03:00-01:04:00")}.stretches()),
	}
	l := judge(t, in).Levels[0]
	want := []verdict.Blame{{Component: "a/up", Alone: "180", WithOthers: "0"}, {Component: "b/up", Alone: "60", WithOthers: "0"}}
	if len(l.Blame) != 2 || l.Blame[0] != want[0] || l.Blame[1] != want[1] || l.Bad != "240" {
		t.Errorf("%s s bad, %+v", l.Bad, l.Blame)
	}
}

func TestTermsOfTheVerdict(t *testing.T) {
	level := func(more string) string {
		return "  period: month\n  declared: [{name: support, description: \"Answers soon.\"}]\n  serviceLevels:\n    - {name: up, target: \"99\", indicator: {condition: {expr: 'up == 1'}}" + more + "}\n"
	}
	start := utc(t, "2026-07-01")
	whole := flow{start, utc(t, "2026-08-01"), []verdict.Stretch{down(utc(t, "2026-07-20"), utc(t, "2026-07-20T12:00"))}}.stretches()
	half := flow{utc(t, "2026-07-16T12:00"), utc(t, "2026-08-01"), nil}.stretches()
	for _, c := range []struct {
		does, more string
		history    []verdict.Stretch
		inForce    sla.Spans
		want       map[string]string
	}{
		{"the floor of coverage itself is enough", `, missingData: {minCoverage: "50"}`, half, nil, map[string]string{"verdict": "met", "coverage": "50"}},
		{"below the floor there is no verdict", `, missingData: {minCoverage: "50.000000001"}`, half, nil, map[string]string{"verdict": "insufficient_data"}},
		{"or it is a breach, if that is agreed", `, missingData: {minCoverage: "50.1", belowCoverage: breached}`, half, nil, map[string]string{"verdict": "breached"}},
		{"what was not seen counts as agreed", `, missingData: {notSeen: bad}`, half, nil, map[string]string{"verdict": "breached", "achieved": "50", "coverage": "50"}},
		{"nothing measured is never met", `, missingData: {notSeen: good}`, nil, nil, map[string]string{"verdict": "insufficient_data", "coverage": "0"}},
		{"nothing measured may be broken", `, missingData: {notSeen: bad}`, nil, nil, map[string]string{"verdict": "breached", "achieved": "0"}},
		{"nothing measured", ``, nil, nil, map[string]string{"verdict": "insufficient_data", "achieved": "", "exact": ""}},
		{"a fixed length", `, period: {calendar: month, fixedMinutes: 43200}`, whole, nil, map[string]string{"exact": "59/60", "agreed": "2592000", "budget": "25920"}},
		{"the true length", ``, whole, nil, map[string]string{"exact": "61/62", "agreed": "2678400"}},
		{"in force for a part", ``, whole, sla.Spans{{From: utc(t, "2026-07-16T12:00"), To: utc(t, "2026-09-01")}}, map[string]string{"exact": "30/31", "agreed": "1339200", "coverage": "100"}},
		{"the rest assumed to be up", `, partialPeriod: assume_up`, whole, sla.Spans{{From: utc(t, "2026-07-16T12:00"), To: utc(t, "2026-09-01")}}, map[string]string{"exact": "61/62", "agreed": "2678400", "coverage": "100"}},
		{"a partial period not scored", `, partialPeriod: not_scored`, whole, sla.Spans{{From: utc(t, "2026-07-16T12:00"), To: utc(t, "2026-09-01")}}, map[string]string{"verdict": "not_applicable"}},
		{"not in force", `, partialPeriod: assume_up`, whole, sla.Spans{}, map[string]string{"verdict": "not_applicable"}},
	} {
		t.Run(c.does, func(t *testing.T) {
			in := periodOf(load(t, level(c.more))[0], start)
			in.InForce = c.inForce
			if c.history != nil {
				in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", c.history)}
			}
			r := judge(t, in)
			wantLevel(t, r, c.want)
			if r.Verdict != r.Levels[0].Verdict || r.Levels[1].Verdict != verdict.DeclaredOnly {
				t.Errorf("the agreement is %s, its declared promise %s", r.Verdict, r.Levels[1].Verdict)
			}
		})
	}
}
