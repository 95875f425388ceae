package rulegen_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla/spec"
)

// What rules cannot switch by themselves, or not at once, is said where the new revision
// has it, as long as it is to come.
func TestRevisionsThatRulesCannotSwitchAreFound(t *testing.T) {
	t.Parallel()
	const events = `indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}`
	spec1 := func(period, more, level string) string {
		return "  timeZone: Europe/Berlin\n  period: " + period + "\n" + more + "  calendars: {prime: {weekly: [{days: [Mon], from: \"08:00\", to: \"18:00\"}]}}\n  serviceLevels:\n    - {name: l, service: api, target: \"99\", " + level + "}\n"
	}
	for name, test := range map[string]struct {
		day, period, more, before, after string
		want                             []string
	}{
		"at a period's start":      {"2026-11-01", "month", "", events, events + ", serviceHours: prime", nil},
		"within a month":           {"2026-11-15", "month", "", events, events, []string{"19:14 revision-later 2026-12-01T00:00+01:00"}},
		"split":                    {"2026-11-15", "month", "  splitPeriods: true\n", events, events, []string{"21:14 revision-within-period 2026-12-01T00:00+01:00"}},
		"rolling, another target":  {"2026-11-15", "30d", "", events, events, nil},
		"rolling, another unit":    {"2026-11-15", "7d", "", events, "indicator: {condition: {expr: requests_up == 1}}", []string{"19:14 revision-within-period 2026-11-22T00:00+01:00"}},
		"rolling, other hours":     {"2026-11-15", "7d", "", events, events + ", serviceHours: prime", []string{"19:14 revision-within-period 2026-11-22T00:00+01:00"}},
		"two periods, same counts": {"2026-11-15", "[30d, month]", "", events, events, nil},
		"two periods":              {"2026-11-15", "[30d, month]", "", events, strings.Replace(events, "500", "503", 1), []string{"19:14 revision-within-period 2026-12-01T00:00+01:00"}},
		"other groups":             {"2026-11-01", "month", "", events, events + ", groupBy: [tenant]", []string{"19:14 revision-by-hand 2026-11-01T00:00+01:00"}},
	} {
		text := revised(test.day, spec1(test.period, test.more, test.before), spec1(test.period, test.more, test.after))
		agreements, findings := spec.LoadText("spec.yaml", text)
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		compile := func(now time.Time) []string {
			_, findings := rulegen.Compile(agreements[0], rulegen.Options{Now: now})
			var got []string
			for _, f := range findings {
				days := regexp.MustCompile(`2026-\S+:\d\d`).FindAllString(f.Message, -1)
				if !strings.HasPrefix(f.Rule, "revision-") {
					continue // of the level itself
				}
				got = append(got, fmt.Sprintf("%d:%d %s %s", f.Pos.Line, f.Pos.Column, f.Rule, days[len(days)-1]))
			}
			return got
		}
		if diff := cmp.Diff(test.want, compile(time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC))); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
		if got := compile(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)); got != nil {
			t.Errorf("%s: when it is in force: %v", name, got)
		}
	}
}

// Of three revisions each has its time: the second begins within a month, which the
// first judges to its end, and the third takes over at new year. What is long over is no
// longer in the rules.
func TestThreeRevisionsTakeTurns(t *testing.T) {
	t.Parallel()
	level := func(target string) string {
		return "  timeZone: Europe/Berlin\n  period: month\n  alerting: {enabled: false}\n  serviceLevels:\n    - {name: l, service: api, target: \"" + target + "\", indicator: {events: {bad: bad_total, total: requests_total}}}\n"
	}
	text := revised("2026-10-15", level("90"), level("95")) +
		"---\napiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop, revision: 3, effectiveFrom: \"2027-01-01\"}\nspec:\n" + level("99")
	begin := time.Date(2026, 10, 14, 12, 0, 0, 0, time.UTC)
	_, file := compileRevised(t, begin, text)
	w := enginetest.NewAt(t, begin, time.Minute, func(time.Time) []enginetest.Sample { return nil })
	w.Load(file)
	for _, test := range []struct {
		at   time.Time
		want float64
	}{
		{begin.Add(10 * time.Minute), 0.9},
		{time.Date(2026, 10, 16, 0, 0, 0, 0, time.UTC), 0.9},
		{time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC), 0.9},
		{time.Date(2026, 10, 31, 23, 10, 0, 0, time.UTC), 0.95},
		{time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC), 0.95},
		{time.Date(2026, 12, 31, 23, 10, 0, 0, time.UTC), 0.99},
		{time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC), 0.99},
	} {
		w.Skip(test.at.Add(-2 * time.Minute).Sub(w.Now()))
		w.Run(2 * time.Minute)
		if got := w.Value("sla:target:ratio"); got != test.want {
			t.Errorf("at %s the target is %v, want %v", test.at, got, test.want)
		}
	}
	for now, want := range map[time.Time]bool{
		time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC): true, time.Date(2026, 12, 20, 0, 0, 0, 0, time.UTC): false,
	} {
		if _, file := compileRevised(t, now, text); strings.Contains(string(file), "vector(0.9)") != want {
			t.Errorf("generated at %s, the rules have the first revision: %v", now, !want)
		}
	}
}
