package verdict_test

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// bounded judges a month of the first level of a specification that was down as given.
func bounded(t *testing.T, month, section string, changes ...verdict.Stretch) *verdict.Report {
	t.Helper()
	in := periodOf(load(t, section)[0], utc(t, month))
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{in.Start, in.End, changes}.stretches())}
	return judge(t, in)
}

const june = "  period: month\n"

// tiered owes 10 % below 99.5 % and 25 % at most at 99 %, of June's 2,592,000 s.
const tiered = june + `  creditPolicy: {fee: {amount: "100.00", currency: EUR, per: month}}
  serviceLevels:
    - {name: up, target: "99.5", indicator: {condition: {expr: 'up == 1'}}, credits: {tiers: [{below: "99.5", percent: "10"}, {atMost: "99", percent: "25"}]}}
`

func TestBoundaryExactlyAtTheTarget(t *testing.T) {
	from := utc(t, "2026-06-10")
	for seconds, want := range map[int]map[string]string{
		12959: {"verdict": "met"}, 12960: {"verdict": "met", "achieved": "99.5", "exact": "199/200"}, 12961: {"verdict": "breached", "achieved": "99.49996141"},
	} {
		wantLevel(t, bounded(t, "2026-06-10", tiered, down(from, from.Add(time.Duration(seconds)*time.Second))), want)
	}
	// A nanosecond more is a breach, although it looks like the target.
	wantLevel(t, bounded(t, "2026-06-10", tiered, down(from, from.Add(12960*time.Second+1))), map[string]string{"verdict": "breached", "achieved": "99.49999999"})
}

func TestBoundaryExactlyAtTheTiers(t *testing.T) {
	from := utc(t, "2026-06-10")
	for seconds, want := range map[int]string{12960: "0", 12961: "10", 25919: "10", 25920: "25", 25921: "25"} {
		r := bounded(t, "2026-06-10", tiered, down(from, from.Add(time.Duration(seconds)*time.Second)))
		got := "0"
		if c := r.Levels[0].Credit; c != nil && c.Percent != "" {
			got = c.Percent
		}
		if got != want {
			t.Errorf("%d s down owe %s %%, want %s %%", seconds, got, want)
		}
	}
}

// An outage from an hour before March's end in Berlin to an hour after it is one of both
// months; one over the change of clocks is as long as it is.
func TestBoundaryOutageAcrossTheEdgeOfAMonthAndAChangeOfClocks(t *testing.T) {
	const berlin = "  timeZone: Europe/Berlin\n" + june + upLevel
	edge := at(t, "Europe/Berlin", "2026-04-01")
	for month, bad := range map[string]string{"2026-03-10": "3600", "2026-04-10": "7200"} {
		in := periodOf(load(t, berlin)[0], utc(t, month))
		in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{in.Start.Add(-24 * time.Hour), in.End.Add(24 * time.Hour), []verdict.Stretch{
			down(edge.Add(-time.Hour), edge.Add(2*time.Hour)),
		}}.stretches())}
		r := judge(t, in)
		wantLevel(t, r, map[string]string{"bad": bad})
		if o := r.Levels[0].Outages; len(o) != 1 || (o[0].Began != nil) != (month == "2026-04-10") || o[0].Ongoing != (month == "2026-03-10") {
			t.Errorf("%s: outages %+v", month, o)
		}
	}
	from, to := at(t, "Europe/Berlin", "2026-03-29T01:00"), at(t, "Europe/Berlin", "2026-03-29T04:00")
	r := bounded(t, "2026-03-10", berlin, down(from, to))
	wantLevel(t, r, map[string]string{"bad": "7200", "agreed": "2674800"}) // 743 hours
}

func TestBoundaryExclusionsThatOverlap(t *testing.T) {
	hour := func(n int) time.Time { return utc(t, "2026-06-10").Add(time.Duration(n) * time.Hour) }
	// Excused from 1 to 3, removed from 2 to 4, down from 0 to 5: removing wins where both hold.
	r := bounded(t, "2026-06-10", june+`  maintenance: {effect: treat_as_up, windows: [{from: "2026-06-10T01:00Z", to: "2026-06-10T03:00Z"}]}
  exclusions: [{name: move, category: other, effect: remove_from_agreed_time, windows: [{from: "2026-06-10T02:00Z", to: "2026-06-10T04:00Z"}]}]
`+upLevel, down(hour(0), hour(5)))
	wantLevel(t, r, map[string]string{"bad": "7200", "excused": "3600", "removed": "7200", "excluded": "10800", "agreed": "2584800"})
}

func TestBoundaryUnknownAtTheCoverageFloor(t *testing.T) {
	const floor = june + `  serviceLevels:
    - {name: up, target: "99.5", missingData: {policy: excluded, minCoverage: "90"}, indicator: {condition: {expr: 'up == 1'}}}
`
	from := utc(t, "2026-06-10")
	for seconds, want := range map[int]map[string]string{
		259199: {"verdict": "met"}, 259200: {"verdict": "met", "coverage": "90"}, 259201: {"verdict": "insufficient_data", "coverage": "89.99996141"},
	} {
		wantLevel(t, bounded(t, "2026-06-10", floor, missing(from, from.Add(time.Duration(seconds)*time.Second))), want)
	}
}

func TestBoundaryNothingMeasured(t *testing.T) {
	for _, policy := range []string{"excluded", "good", "bad"} {
		in := periodOf(load(t, june+`  serviceLevels:
    - {name: up, target: "99.5", missingData: `+policy+`, indicator: {condition: {expr: 'up == 1'}}}
`)[0], utc(t, "2026-06-10"))
		for name, levels := range map[string][]verdict.LevelEvidence{
			"no evidence": nil, "no places": {{Level: in.Agreement.Levels[0].ID}}, "missing all the time": {evidence("shop", "up", []verdict.Stretch{missing(in.Start, in.End)})},
		} {
			in.Evidence.Levels = levels
			want := verdict.Insufficient
			if policy == "bad" && name == "missing all the time" {
				want = verdict.Breached // what is missing counts as bad: agreed, and known
			}
			if r := judge(t, in); r.Verdict != want || r.Levels[0].Coverage != "0" {
				t.Errorf("%s, %s: %s with a coverage of %s %%", policy, name, r.Verdict, r.Levels[0].Coverage)
			}
		}
	}
}

func TestBoundaryPeriodThatIsNotOver(t *testing.T) {
	in := periodOf(load(t, june+upLevel)[0], utc(t, "2026-06-10"))
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{in.Start, in.End, []verdict.Stretch{down(utc(t, "2026-06-02"), utc(t, "2026-06-02T01:00"))}}.stretches())}
	for now, standing := range map[time.Time]string{in.End.Add(-1): "to_date", in.End: "final", in.End.Add(time.Hour): "final", utc(t, "2026-06-03"): "to_date"} {
		in.Now = now
		wantLevel(t, judge(t, in), map[string]string{"standing": standing})
	}
	in.Now = in.Start // nothing of it has begun
	wantLevel(t, judge(t, in), map[string]string{"verdict": "not_applicable", "standing": "to_date", "why": "There was no agreed time yet."})
}

// A minute of a ratio is one value, of however many requests: minRequests leaves none out.
func TestMinutesThatAreLookedAtHaveNoNumberOfRequests(t *testing.T) {
	in := periodOf(load(t, june+`  serviceLevels:
    - {name: up, target: "99.9", indicator: {ratio: {bad: "errors:ratio"}}, aggregation: {method: bad_minute, errorThreshold: "5", minRequests: 5, emptySlot: unknown}}
`)[0], utc(t, "2026-06-10"))
	var minutes []verdict.Stretch
	for at := in.Start; at.Before(in.End); at = at.Add(time.Minute) {
		minutes = append(minutes, verdict.Stretch{From: at, To: at.Add(time.Minute), State: verdict.Known, Total: 1})
	}
	minutes[7].Bad = 1
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", minutes)}
	wantLevel(t, judge(t, in), map[string]string{"verdict": "met", "bad": "1", "agreed": "43200", "unknown": "0"})
}
