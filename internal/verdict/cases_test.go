package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// load reads the agreements of a specification whose spec section is given.
func load(t testing.TB, section string) []*sla.Agreement {
	t.Helper()
	text := "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n" + section
	agreements, findings := spec.LoadText("spec.yaml", text)
	if err := findings.Err(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return agreements
}

// at is a wall time of a zone.
func at(t testing.TB, zone, wall string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if got, err := time.ParseInLocation(layout, wall, loc); err == nil {
			return got
		}
	}
	t.Fatalf("%q is no wall time", wall)
	return time.Time{}
}

func utc(t testing.TB, wall string) time.Time { t.Helper(); return at(t, "UTC", wall) }

// monthOf is the input for a calendar period that contains an instant.
func periodOf(a *sla.Agreement, in time.Time) verdict.Input {
	p := a.Levels[0].Period
	start, end := p.Bounds(in)
	return verdict.Input{Agreement: a, Period: p, Name: start.In(p.Location()).Format("2006-01"), Start: start, End: end, Now: end.Add(24 * time.Hour), By: "test"}
}

// flow is the history of one place: known and good from one end to the other, but for
// what changes it.
type flow struct {
	from, to time.Time
	changes  []verdict.Stretch
}

// stretches cut the history at its changes, which ascend.
func (f flow) stretches() []verdict.Stretch {
	var all []verdict.Stretch
	at := f.from
	good := func(to time.Time) {
		if at.Before(to) {
			all = append(all, verdict.Stretch{From: at, To: to, State: verdict.Known, Total: 1})
		}
	}
	for _, c := range f.changes {
		good(c.From)
		if c.State != "" {
			all = append(all, c)
		}
		at = c.To
	}
	good(f.to)
	return all
}

func down(from, to time.Time) verdict.Stretch {
	return verdict.Stretch{From: from, To: to, State: verdict.Known, Total: 1, Bad: 1}
}

func missing(from, to time.Time) verdict.Stretch {
	return verdict.Stretch{From: from, To: to, State: verdict.Missing}
}

// evidence is that of a level of the agreement shop, seen from one place.
func evidence(service, slo string, stretches []verdict.Stretch) verdict.LevelEvidence {
	return verdict.LevelEvidence{
		Level:  sla.ID{SLA: "shop", Service: service, SLO: slo},
		Groups: []verdict.GroupEvidence{{Places: []verdict.Place{{Stretches: stretches}}}},
	}
}

func judge(t testing.TB, in verdict.Input) *verdict.Report {
	t.Helper()
	r, err := verdict.Judge(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantLevel compares the figures of the first level that are given.
func wantLevel(t testing.TB, r *verdict.Report, want map[string]string) {
	t.Helper()
	l := r.Levels[0]
	got := map[string]string{
		"verdict": string(l.Verdict), "achieved": l.Achieved, "exact": l.Exact, "raw": l.Raw, "best": l.Best, "agreed": l.Agreed, "bad": l.Bad,
		"unknown": l.Unknown, "excluded": l.Excluded, "coverage": l.Coverage, "standing": l.Choices.Standing, "exclusions": l.Choices.Exclusions,
		"budget": l.Budget, "unit": l.Unit, "removed": l.Removed, "excused": l.Excused, "why": l.Why, "unknownAs": l.Choices.Unknown,
	}
	for key, text := range want {
		if has, ok := got[key]; !ok || has != text {
			t.Errorf("%s is %q, want %q", key, has, text)
		}
	}
}

const upLevel = `  serviceLevels:
    - {name: up, target: "99.5", indicator: {condition: {expr: 'up == 1'}}}
`

func TestFirstHalfExcludedAndADayAndAHalfDown(t *testing.T) {
	for effect, want := range map[string]map[string]string{
		"remove_from_agreed_time": {"achieved": "90", "exact": "9/10", "agreed": "1296000", "bad": "129600", "excluded": "1296000", "verdict": "breached"},
		"treat_as_up":             {"achieved": "95", "exact": "19/20", "agreed": "2592000", "bad": "129600", "excluded": "0", "verdict": "breached"},
	} {
		a := load(t, `  period: month
  maintenance: {effect: `+effect+`, windows: [{from: "2026-06-01T00:00Z", to: "2026-06-16T00:00Z"}]}
`+upLevel)[0]
		in := periodOf(a, utc(t, "2026-06-10"))
		in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{in.Start, in.End, []verdict.Stretch{down(utc(t, "2026-06-20"), utc(t, "2026-06-21T12:00"))}}.stretches())}
		r := judge(t, in)
		want["exclusions"], want["standing"], want["raw"], want["coverage"] = effect, "final", "95", "100"
		wantLevel(t, r, want)
	}
}

func TestServiceHoursOverTheChangeOfClocks(t *testing.T) {
	a := load(t, `  timeZone: Europe/Berlin
  period: month
  calendars: {office: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "08:00", to: "18:00"}]}}
  serviceHours: office
`+upLevel)[0]
	in := periodOf(a, utc(t, "2026-03-10"))
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{
		in.Start, in.End,
		[]verdict.Stretch{down(at(t, "Europe/Berlin", "2026-03-30T08:00"), at(t, "Europe/Berlin", "2026-03-30T09:00"))},
	}.stretches())}
	r := judge(t, in)
	wantLevel(t, r, map[string]string{"agreed": "792000", "bad": "3600", "achieved": "99.54545454", "exact": "219/220", "verdict": "met", "coverage": "100", "budget": "3960"})
	if got := r.Levels[0].Outages; len(got) != 1 || got[0].Counted != "3600" || got[0].Seconds != "3600" {
		t.Errorf("outages %+v", got)
	}
	if got := r.Period.End.Sub(r.Period.Start); got != 743*time.Hour {
		t.Errorf("the month has %s", got)
	}
}

func TestRunningPeriodSaysWhatIsStillPossible(t *testing.T) {
	a := load(t, "  period: month\n"+upLevel)[0]
	in := periodOf(a, utc(t, "2026-06-10"))
	in.Now = utc(t, "2026-06-11")
	in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{in.Start, in.Now, []verdict.Stretch{down(utc(t, "2026-06-03"), utc(t, "2026-06-04"))}}.stretches())}
	r := judge(t, in)
	wantLevel(t, r, map[string]string{
		"achieved": "90", "best": "96.66666666", "standing": "to_date", "verdict": "breached", "agreed": "864000",
		"why": "90 % is less than the promised 99.5 % so far; it cannot be kept any more: at best the period ends at 96.66666666 %.",
	})
	if !strings.HasPrefix(r.Summary, "So far in 2026-06") {
		t.Errorf("summary %q", r.Summary)
	}
}

func TestMeasuredInTheSecondHalfOfALeapYearOnly(t *testing.T) {
	for policy, want := range map[string]string{"excluded": "99.80205", "good": "99.90102", "bad": "49.90102"} {
		a := load(t, `  period: year
  serviceLevels:
    - {name: up, target: "99.9", missingData: `+policy+`, indicator: {condition: {expr: 'up == 1'}}}
`)[0]
		in := periodOf(a, utc(t, "2028-03-10"))
		from := utc(t, "2028-09-01T10:00")
		in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{in.Start, in.End, []verdict.Stretch{
			missing(in.Start, utc(t, "2028-07-02")),
			down(from, from.Add(8*time.Hour+41*time.Minute+38*time.Second)),
		}}.stretches())}
		r := judge(t, in)
		wantLevel(t, r, map[string]string{"coverage": "50", "unknownAs": policy})
		if got := r.Levels[0].Achieved; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s...", policy, got, want)
		}
	}
}

func TestOneOfSevenDaysExcluded(t *testing.T) {
	for effect, want := range map[string]string{"remove_from_agreed_time": "143/144", "treat_as_up": "167/168"} {
		a := load(t, `  period: 7d
  maintenance: {effect: `+effect+`, windows: [{from: "2026-06-03T00:00Z", to: "2026-06-04T00:00Z"}]}
`+upLevel)[0]
		in := periodOf(a, utc(t, "2026-06-08"))
		in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{in.Start, in.End, []verdict.Stretch{down(utc(t, "2026-06-05"), utc(t, "2026-06-05T01:00"))}}.stretches())}
		wantLevel(t, judge(t, in), map[string]string{"exact": want}) // 0.694444 % and 0.595238 % bad
	}
}
