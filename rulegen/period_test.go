package rulegen_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

func inPeriod(l *sla.ServiceLevel, p sla.Period) *sla.ServiceLevel {
	l.Period, l.Alerting.Tiers = p, sla.DefaultTiers(p)
	return l
}

// generated2026 makes tables that reach from 2025 to the end of 2029.
var generated2026 = rulegen.Options{Now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}

// The arithmetic of the rules knows when periods begin and end, in zones of
// every kind, on every day of their tables: it is compared with the model,
// which asks the zone database.
func TestCalendarsOfRulesAreThoseOfTheModel(t *testing.T) {
	t.Parallel()
	const lag = 5 * time.Minute // by which the rules count back
	zones := []string{"UTC", "Europe/Berlin", "America/St_Johns", "America/Santiago", "Africa/Casablanca"}
	periods := []sla.Period{{Calendar: sla.Week, WeekStart: time.Monday}, {Calendar: sla.Month}, {Calendar: sla.Quarter, FiscalOffset: 1}, {Calendar: sla.Year, FiscalOffset: 6}}
	byName := map[string]sla.Period{}
	var levels []*sla.ServiceLevel
	for _, zone := range zones {
		for i, p := range periods {
			p.Zone = zone
			levels = append(levels, inPeriod(level(fmt.Sprintf("l%d", i), "99", events("bad_total", "", "requests_total")), p))
			name := []string{"week from Mon", "month", "quarter+1", "year+6"}[i] + " " + zone
			byName[name] = p
		}
	}
	plan, findings := rulegen.Compile(&sla.Agreement{Name: "shop", Levels: levels}, generated2026)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	for i, l := range plan.Levels { // the calendars alone
		plan.Levels[i].Groups = slices.DeleteFunc(l.Groups, func(g rulegen.Group) bool { return !strings.Contains(g.Name, ":calendar:") })
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	w := enginetest.NewAt(t, time.Date(2025, 12, 30, 10, 20, 0, 0, time.UTC), time.Minute, func(time.Time) []enginetest.Sample { return nil })
	w.Load(file)
	compared := 0
	for year := w.Now().AddDate(4, 0, 0); w.Now().Before(year); w.Skip(36*24*time.Hour + 137*time.Minute) {
		w.Run(time.Minute)
		at := w.Now().Add(-lag) // groups were evaluated up to a minute before, which these times are far enough from any edge for
		got := map[string]map[string]float64{}
		for _, s := range w.Query(`{__name__=~"sla:calendar_(start|end|previous):(seconds|date)"}`) {
			name := s.Metric.Get("calendar")
			if got[name] == nil {
				got[name] = map[string]float64{}
			}
			got[name][s.Metric.Get("__name__")] = s.F
		}
		for name, p := range byName {
			start, end := p.Bounds(at)
			if at.Sub(start) < 2*time.Minute || end.Sub(at) < 2*time.Minute {
				continue
			}
			compared++
			g := got[name]
			if g["sla:calendar_start:seconds"] != float64(start.Unix()) || g["sla:calendar_end:seconds"] != float64(end.Unix()) {
				t.Fatalf("%s at %s: %v, want %d (%s) to %d (%s)", name, at, g, start.Unix(), start, end.Unix(), end)
			}
			if fmt.Sprint(int(g["sla:calendar_start:date"])) != p.Start(at) || fmt.Sprint(int(g["sla:calendar_previous:date"])) != p.Start(start.Add(-time.Second)) {
				t.Fatalf("%s at %s: %v, want %s after %s", name, at, g, p.Start(at), p.Start(start.Add(-time.Second)))
			}
		}
	}
	if want := len(byName) * 35; compared < want {
		t.Errorf("%d comparisons, want at least %d", compared, want)
	}
}

// A world across the end of October 2026 in Los Angeles: the month turns at
// 07:00 UTC of November 1, the clock goes back two hours later, so that
// November has 43,260 minutes. October is 2 % bad, November 5 %. What the rules
// say is compared with counts that are added up without them. Prometheus is
// restarted just before the edge, so that no series of the old month is marked
// as ended, and later it runs for an hour a day only.
func TestMonthTurns(t *testing.T) {
	t.Parallel()
	const rate, before, after = 10., 0.02, 0.05
	edge := time.Date(2026, 11, 1, 7, 0, 0, 0, time.UTC)
	begin := edge.Add(-6 * time.Hour)
	w := enginetest.NewAt(t, begin, 2*time.Minute, func(at time.Time) []enginetest.Sample {
		old := min(at.Sub(begin), edge.Sub(begin)).Seconds() * rate
		young := max(at.Sub(edge), 0).Seconds() * rate
		bad := old*before + young*after
		return []enginetest.Sample{{Series: `requests_total{code="200"}`, Value: old + young - bad}, {Series: `requests_total{code="500"}`, Value: bad}}
	})
	l := inPeriod(level("bad", "99", events(`requests_total{code="500"}`, "", `requests_total`)), sla.Period{Calendar: sla.Month, Zone: "America/Los_Angeles"})
	l.Alerting = sla.Alerting{Disabled: true}
	opts := generated2026
	opts.Interval = 5 * time.Minute
	file := generate(t, opts, l)
	w.Load(file)
	// The second tier runs every 25 minutes here, which is cheap.
	value := func(series string) float64 { return w.Value("last_over_time(" + series + "[25m])") }
	run := func(until time.Duration) { w.Run(edge.Add(until).Sub(w.Now())) }
	// Counting is up to 40 minutes behind here, which is what tolerances are for.
	figures := func(when string, elapsed, bad, minutes, tolerance float64) {
		t.Helper()
		total, got := value(series("sla:total:sum_period", "bad")), value(series("sla:error:ratio_period", "bad"))
		near(t, when+": events", total, rate*elapsed, tolerance)
		near(t, when+": bad share", got, bad, 0.01)
		near(t, when+": bad events", value(series("sla:bad:sum_period", "bad")), got*total, 1e-9)
		coverage := value(series("sla:coverage:ratio_period", "bad"))
		near(t, when+": coverage", coverage, elapsed/60/minutes, tolerance)
		near(t, when+": burn rate", value(series("sla:burn_rate:ratio_period", "bad")), bad/0.01, tolerance)
		near(t, when+": budget", 1-value(series("sla:budget_remaining:ratio_period", "bad")), bad*elapsed/60/minutes/0.01, 2*tolerance)
	}
	run(-5 * time.Minute)
	figures("before the edge", 6*3600, before, 44_640, 0.12)
	w.Load()
	w.Load(file)
	run(2 * time.Hour)
	figures("two hours later", 2*3600, after, 43_260, 0.25)
	previous := `{sla="shop",service="api",slo="bad",period="month",start="20261001"}`
	near(t, "previous events", value("sla:total:sum_period_previous"+previous), rate*6*3600, 0.02)
	near(t, "previous bad share", value("sla:error:ratio_period_previous"+previous), before, 0.01)
	run(5 * time.Hour)
	figures("five hours later", 5*3600, after, 43_260, 0.1)
	for range 4 {
		w.Skip(23 * time.Hour)
		w.Run(time.Hour)
	}
	// Five hours and most of four more, since rates need a beginning, of 721
	// were 5 % bad, and unknown those of the 101 so far that Prometheus was away.
	known := 721 * value(series("sla:coverage:ratio_period", "bad"))
	if known < 7 || known > 9.5 {
		t.Errorf("%v hours are known, of nine", known)
	}
	near(t, "best possible", 1-value(series("sla:best_possible:ratio_period", "bad")), after*known/(721-101+known), 0.02)
	if got := w.Query("last_over_time(sla:error:ratio_period_previous[25m])"); len(got) != 1 || got[0].Metric.Get("start") != "20261001" {
		t.Errorf("after its sums are forgotten, October is %v", got)
	}
	if nans := w.NaNs(100 * time.Hour); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}

// docs/periods.md explains every series of calendar periods and no other.
func TestPeriodsDocumentation(t *testing.T) {
	content, err := os.ReadFile("../docs/periods.md")
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{}
	plain := level("bad", "99", events("bad_total", "", "requests_total"))
	monthly := inPeriod(level("bad", "99", events("bad_total", "", "requests_total")), sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"})
	for _, l := range []*sla.ServiceLevel{monthly, plain} {
		plan, findings := rulegen.Compile(&sla.Agreement{Name: "shop", Levels: []*sla.ServiceLevel{l}}, generated2026)
		if len(findings) > 0 {
			t.Fatal(findings)
		}
		for _, g := range plan.Levels[0].Groups {
			for _, r := range g.Rules {
				made[r.Record+r.Alert] = l == monthly // what rolling periods have too, rules.md explains
			}
		}
	}
	for name, calendar := range made {
		if calendar && !strings.Contains(string(content), "`"+name+"`") {
			t.Errorf("docs/periods.md does not explain %s", name)
		}
	}
	for _, name := range regexp.MustCompile("`(sla:[a-z0-9:_]+|SLA[A-Za-z]+)`").FindAllStringSubmatch(string(content), -1) {
		if _, ok := made[name[1]]; !ok {
			t.Errorf("docs/periods.md explains %s, which is not made", name[1])
		}
	}
}
