package rulegen_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/replaytest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// compiled is the plan of a specification, which must have no finding.
func compiled(t testing.TB, text string) *rulegen.Plan {
	t.Helper()
	agreements, findings := spec.LoadText("spec.yaml", text)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	plan, findings := rulegen.Compile(agreements[0], generated2026)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	return plan
}

// record plays the recording rules of a plan that are chosen, each after those that
// it reads.
func record(t testing.TB, w *replay.World, plan *rulegen.Plan, from, to time.Time, choose func(rulegen.Rule) bool) {
	t.Helper()
	for _, r := range inOrder(t, plan) {
		if !choose(r.Rule) {
			continue
		}
		if _, err := replaytest.Record(w, r.Record, r.Expr.String(), r.Labels, from.Truncate(r.interval), to, r.interval); err != nil {
			t.Fatal(err)
		}
	}
}

// played is a recording rule with the interval of its group.
type played struct {
	rulegen.Rule
	interval time.Duration
}

// inOrder are the recording rules of a plan, each after those that it reads: the
// third layer reads increases of the second, whose sums read the third.
func inOrder(t testing.TB, plan *rulegen.Plan) []played {
	t.Helper()
	var all []played
	for turn := range 5 {
		for _, l := range plan.Levels {
			for _, g := range l.Groups {
				for _, r := range g.Rules {
					if r.Record != "" && turnOf(g.Name, r.Record) == turn {
						all = append(all, played{r, g.Interval})
					}
				}
			}
		}
	}
	return all
}

func turnOf(group, record string) int {
	switch {
	case strings.Contains(group, ":calendar:"):
		return 0
	case strings.HasSuffix(group, ":hours"):
		return 3
	case !strings.HasSuffix(group, ":long"):
		return 1
	case strings.Contains(record, ":increase"):
		return 2
	}
	return 4
}

// value is the one value of an expression of the replayed world.
func value(t testing.TB, w *replay.World, expr string, at time.Time) float64 {
	t.Helper()
	v, err := w.Value(expr, at)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// someHours draws weekly hours and says for any clock whether they hold it: what
// the masks are compared with knows nothing of calendars.
func someHours(r *rand.Rand, holiday time.Time) (yaml string, in func(local time.Time) bool) {
	days := []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
	from, to := 15*r.IntN(96), 15*r.IntN(97)
	if r.IntN(3) == 0 {
		from, to = 8*60, 20*60
	}
	var on [7]bool
	var names []string
	for d := range on {
		if on[d] = r.IntN(3) > 0; on[d] {
			names = append(names, days[d])
		}
	}
	if len(names) == 0 {
		on[1], names = true, []string{"Mon"}
	}
	yaml = fmt.Sprintf(`{weekly: [{days: [%s], from: "%02d:%02d", to: "%02d:%02d"}], holidays: [some]}`, strings.Join(names, ", "), from/60, from%60, to/60, to%60)
	free := func(d time.Time) bool {
		return d.YearDay() == holiday.YearDay() && d.Year() == holiday.Year() || d.Month() == 11 && d.Day() == 1
	}
	return yaml, func(local time.Time) bool {
		clock := local.Hour()*60 + local.Minute()
		yesterday := time.Date(local.Year(), local.Month(), local.Day()-1, 0, 0, 0, 0, time.UTC)
		today := on[local.Weekday()] && !free(local)
		before := on[yesterday.Weekday()] && !free(yesterday)
		if to > from {
			return today && clock >= from && clock < to
		}
		return today && clock >= from || before && clock < to
	}
}

// In zones of every kind, on days on which clocks change, at new year and at
// others: the recorded masks are what the clock on the wall says of every
// minute, and the agreed time of a period is the sum of its minutes.
func TestMasksSayWhatTheWallClockSays(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo", "America/Santiago", "Africa/Casablanca", "Pacific/Chatham"}
	begins := []time.Time{
		time.Date(2026, 3, 28, 11, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 11, 0, 0, 0, time.UTC), time.Date(2027, 3, 13, 11, 0, 0, 0, time.UTC),
		time.Date(2026, 10, 31, 11, 0, 0, 0, time.UTC), time.Date(2026, 12, 31, 1, 0, 0, 0, time.UTC), time.Date(2027, 4, 3, 1, 0, 0, 0, time.UTC),
		time.Date(2028, 2, 28, 6, 0, 0, 0, time.UTC), time.Date(2029, 9, 1, 6, 0, 0, 0, time.UTC),
	}
	for i := range testsize.Of(4, 2*len(zones)) {
		zone, begin := zones[i%len(zones)], begins[r.IntN(len(begins))]
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		holiday := begin.AddDate(0, 0, 1)
		hours, in := someHours(r, holiday)
		w := replay.New()
		end := begin.Add(60 * time.Hour)
		plan := compiled(t, fmt.Sprintf(`
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  timeZone: %s
  holidaySets: {some: ["%s", "11-01", "2029-12-24"]}
  calendars: {c: %s, rest: {complementOf: c}}
  serviceLevels:
    - {name: a, indicator: {events: {bad: b, total: t}}, target: "99", serviceHours: c, period: 1d}
    - {name: b, indicator: {events: {bad: b, total: t}}, target: "99", serviceHours: rest, period: 1d}
    - {name: m, indicator: {events: {bad: b, total: t}}, target: "99", serviceHours: c, period: month}
`, zone, holiday.Format(time.DateOnly), hours))
		isMask := func(r rulegen.Rule) bool {
			return strings.HasPrefix(r.Record, "sla:clock") || strings.HasPrefix(r.Record, "sla:service_hours")
		}
		record(t, w, plan, begin, end, isMask)
		record(t, w, plan, end.Add(-2*time.Minute), end, func(r rulegen.Rule) bool {
			return !isMask(r) && strings.HasPrefix(r.Record, "sla:calendar") || strings.HasPrefix(r.Record, "sla:period_clock") ||
				strings.HasPrefix(r.Record, "sla:agreed:seconds") && !strings.HasSuffix(r.Record, "_period")
		})
		for at := begin; at.Before(end); at = at.Add(time.Minute) {
			if m := at.Minute() % 15; m > 0 && m < 14 {
				continue // all edges are at quarters
			}
			want := 0.
			if in(at.In(loc)) {
				want = 1
			}
			if got := value(t, w, `sla:service_hours:mask{calendar="c"}`, at); got != want {
				t.Fatalf("%s, hours %s: at %s the mask is %v", zone, hours, at.In(loc), got)
			}
			if got := value(t, w, `sla:service_hours:mask{calendar="rest"}`, at); got != 1-want {
				t.Fatalf("%s, hours %s: at %s the complement's mask is %v", zone, hours, at.In(loc), got)
			}
		}
		count := func(from, to time.Time) (seconds float64) {
			for at := from; at.Before(to); at = at.Add(time.Minute) {
				if in(at.In(loc)) {
					seconds += 60
				}
			}
			return seconds
		}
		at := end.Truncate(time.Minute)
		counted := at.Add(-5 * time.Minute)
		if got, want := value(t, w, `sla:agreed:seconds{agreed="c",period="1d"}`, at), count(counted.Add(-24*time.Hour), counted); got != want {
			t.Errorf("%s, hours %s: a day to %s has %v agreed seconds, want %v", zone, hours, at.In(loc), got, want)
		}
		from, to := sla.Period{Calendar: sla.Month, Zone: zone}.Bounds(counted)
		month := fmt.Sprintf(`{agreed="c",period="month %s"}`, zone)
		if got, want := value(t, w, `sla:agreed:seconds`+month, at), count(from, to); got != want {
			t.Errorf("%s, hours %s: the month of %s has %v agreed seconds, want %v", zone, hours, at.In(loc), got, want)
		}
		if got, want := value(t, w, `sla:agreed:seconds_left`+month, at), count(counted, to); got != want {
			t.Errorf("%s, hours %s: after %s the month has %v agreed seconds left, want %v", zone, hours, at.In(loc), got, want)
		}
	}
}

// minutely is a counter that grows by so much a second in each minute since a
// beginning, as scrapes every half minute see it.
type minutely struct {
	begin time.Time
	sums  []float64 // until each minute
}

func newMinutely(begin time.Time, minutes int, perSecond func(minute int) float64) *minutely {
	m := &minutely{begin, make([]float64, minutes+1)}
	for i := range minutes {
		m.sums[i+1] = m.sums[i] + 60*perSecond(i)
	}
	return m
}

func (m *minutely) Len() int { return 2 * (len(m.sums) - 1) }

func (m *minutely) At(i int) (int64, float64) {
	half := float64(i%2) / 2
	return m.begin.Add(time.Duration(i) * 30 * time.Second).UnixMilli(), m.sums[i/2]*(1-half) + m.sums[i/2+1]*half
}

// Four days around the end of October in New York, where Friday the 30th is a
// holiday, Sunday begins a month and has 25 hours, with outages at any time.
// What is recorded as raw, excluded and counted, of every period, is compared
// with sums over minutes that know nothing of the project's calendars: service
// hours and their complement, hours across midnight, windows that recur across
// the change of the clock, and one that overlaps them, counted once.
func TestFiguresOfAgreedTime(t *testing.T) {
	t.Parallel()
	testsize.Skip(t, "the figures of agreed time over four days in which the clock changes")
	york, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 10, 29, 10, 0, 0, 0, time.UTC)
	const minutes = 4*1440 + 720
	end := begin.Add(minutes * time.Minute)
	r := rand.New(rand.NewPCG(3, 4))
	down := make([]bool, minutes)
	for i := 0; i < minutes; { // outages of up to an hour, up to three hours apart
		i += 1 + r.IntN(180)
		for range r.IntN(60) {
			if i < minutes {
				down[i] = true
			}
			i++
		}
	}
	clock := func(minute int) time.Time { return begin.Add(time.Duration(minute) * time.Minute).In(york) }
	prime := func(l time.Time) bool {
		weekend := l.Weekday() == time.Saturday || l.Weekday() == time.Sunday
		return !weekend && l.Hour() >= 8 && l.Hour() < 20 && (l.Month() != 10 || l.Day() != 30)
	}
	night := func(l time.Time) bool { return l.Hour() >= 22 || l.Hour() < 6 }
	always := func(time.Time) bool { return true }
	// Four hours from one o'clock on Sunday: until four, since the day has an hour more.
	maintained := func(l time.Time) bool {
		start := time.Date(l.Year(), l.Month(), l.Day(), 1, 0, 0, 0, york)
		sunday := l.Weekday() == time.Sunday && !l.Before(start) && l.Before(start.Add(4*time.Hour))
		once := !l.Before(time.Date(2026, 10, 29, 23, 0, 0, 0, york)) && l.Before(time.Date(2026, 10, 30, 3, 30, 0, 0, york))
		return sunday || once
	}
	excused := func(l time.Time) bool { return l.Hour() >= 2 && l.Hour() < 9 } // every day, overlapping the windows
	linkDown := func(minute int) bool { return minute%700 >= 600 }

	plan := compiled(t, `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  timeZone: America/New_York
  holidaySets: {de: ["2026-10-30", "2027-12-31"]}
  calendars:
    prime: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "08:00", to: "20:00"}], holidays: [de]}
    rest: {complementOf: prime}
    night: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri, Sat, Sun], from: "22:00", to: "06:00"}]}
  maintenance:
    effect: remove_from_agreed_time
    windows:
      - {rrule: "FREQ=WEEKLY;BYDAY=SU", start: "2026-01-04T01:00", duration: 4h}
      - {from: "2026-10-29T23:00", to: "2026-10-30T03:30"}
  exclusions:
    - {name: early, effect: treat_as_up, windows: [{rrule: "FREQ=DAILY", start: "2026-01-01T02:00", duration: 7h}]}
    - {name: link, category: customer_caused, effect: remove_from_agreed_time, condition: "link_up == 0"}
  alerting: {enabled: false}
  period: [2d, month]
  serviceLevels:
    - {name: all, exclusions: [], indicator: &i {events: {bad: bad_total, total: requests_total}}, target: "99"}
    - {name: prime, exclusions: [], indicator: *i, target: "99", serviceHours: prime}
    - {name: rest, exclusions: [], indicator: *i, target: "99", serviceHours: rest}
    - {name: maintained, exclusions: [maintenance, early], indicator: *i, target: "99", serviceHours: night}
    - {name: linked, exclusions: [link, maintenance], indicator: *i, target: "99"}
    - {name: state, exclusions: [maintenance, early], indicator: {condition: {expr: "up_now == 1"}}, target: "99", serviceHours: night}
`)
	const rate = 10
	bad := func(m int) float64 {
		if down[m] {
			return rate
		}
		return 0
	}
	w := replay.New()
	add := func(name string, s replay.Samples) { w.Add(labels.FromStrings(labels.MetricName, name), s) }
	add("requests_total", newMinutely(begin, minutes, func(int) float64 { return rate }))
	add("bad_total", newMinutely(begin, minutes, bad))
	gauge := func(up func(minute int) bool) replay.Stored {
		var points replay.Stored
		for m := range minutes {
			v := 0.
			if up(m) {
				v = 1
			}
			for half := range 2 {
				points = append(points, promql.FPoint{T: begin.Add(time.Duration(60*m+30*half) * time.Second).UnixMilli(), F: v})
			}
		}
		return points
	}
	add("up_now", gauge(func(m int) bool { return !down[m] }))
	add("link_up", gauge(func(m int) bool { return !linkDown(m) }))
	record(t, w, plan, begin, end, func(r rulegen.Rule) bool { return !strings.HasPrefix(r.Record, "sla:error:ratio_rate") })

	type figures struct{ raw, rawBad, bad, total, excluded, excludedBad, agreed float64 } // in minutes
	count := func(from, to time.Time, hours, removes, ups func(time.Time) bool, link bool) (f figures) {
		for m := range minutes {
			at := begin.Add(time.Duration(m) * time.Minute)
			if at.Before(from) || !at.Before(to) {
				continue
			}
			l, b := clock(m), 0.
			if down[m] {
				b = 1
			}
			f.raw, f.rawBad = f.raw+1, f.rawBad+b
			removed, up := removes != nil && removes(l) || link && linkDown(m), ups != nil && ups(l)
			switch {
			case !hours(l):
			case removed:
				f.excluded, f.excludedBad = f.excluded+1, f.excludedBad+b
			case up:
				f.total, f.excludedBad, f.agreed = f.total+1, f.excludedBad+b, f.agreed+1
			default:
				f.total, f.bad, f.agreed = f.total+1, f.bad+b, f.agreed+1
			}
		}
		return f
	}
	novemberBegins := time.Date(2026, 11, 1, 0, 0, 0, 0, york)
	for _, level := range []struct {
		slo                 string
		hours, removes, ups func(time.Time) bool
		link                bool
		unit                float64 // of what is counted in a minute
	}{
		{"all", always, nil, nil, false, 600},
		{"prime", prime, nil, nil, false, 600},
		{"rest", func(l time.Time) bool { return !prime(l) }, nil, nil, false, 600},
		{"maintained", night, maintained, excused, false, 600},
		{"linked", always, maintained, nil, true, 600},
		{"state", night, maintained, excused, false, 60},
	} {
		for _, period := range []struct {
			name     string
			from, to time.Time
			at       time.Time
		}{
			{"2d", end.Add(-48*time.Hour - 5*time.Minute), end.Add(-5 * time.Minute), end},
			{"month", begin, novemberBegins.Add(-30 * time.Minute), novemberBegins.Add(-25 * time.Minute)}, // before its edge
			{"month", novemberBegins, end.Add(-5 * time.Minute), end},
		} {
			want := count(period.from, period.to, level.hours, level.removes, level.ups, level.link)
			masked := level.slo != "all"
			for name, minutes := range map[string]float64{
				"total:sum_period": want.total, "bad:sum_period": want.bad, "raw_total:sum_period": want.raw, "raw_bad:sum_period": want.rawBad,
				"excluded_total:sum_period": want.excluded, "excluded_bad:sum_period": want.excludedBad,
			} {
				if strings.HasPrefix(name, "raw") && !masked || strings.HasPrefix(name, "excluded") && (!masked || level.removes == nil) {
					continue
				}
				got := value(t, w, fmt.Sprintf(`sla:%s{slo=%q,period=%q}`, name, level.slo, period.name), period.at) / level.unit
				// Half a minute for each edge at which an outage goes on, and they even out.
				if math.Abs(got-minutes) > 5+0.001*minutes {
					t.Errorf("%s of %s over %s: %.1f minutes, want %.0f", name, level.slo, period.name, got, minutes)
				}
			}
			if !masked {
				continue
			}
			whole := count(period.from, period.to, level.hours, level.removes, nil, level.link).agreed * 60
			coverage := value(t, w, fmt.Sprintf(`sla:coverage:ratio_period{slo=%q,period=%q}`, level.slo, period.name), period.at)
			agreed := value(t, w, fmt.Sprintf(`sla:agreed:seconds_period{slo=%q,period=%q}`, level.slo, period.name), period.at)
			if period.name == "2d" && math.Abs(agreed-whole) > 300 {
				t.Errorf("%s: %v agreed seconds in 2d, want %v", level.slo, agreed, whole)
			}
			if math.Abs(coverage-whole/agreed) > 0.01 {
				t.Errorf("%s over %s: coverage %v, want %v", level.slo, period.name, coverage, whole/agreed)
			}
			left := value(t, w, fmt.Sprintf(`sla:budget_remaining:ratio_period{slo=%q,period=%q}`, level.slo, period.name), period.at)
			if spent := want.bad * 60 / agreed / 0.01; math.Abs(1-left-spent) > 0.03*spent+0.05 {
				t.Errorf("%s over %s: %v of the budget spent, want %v", level.slo, period.name, 1-left, spent)
			}
		}
	}
	// What is bad within the hours and outside of them is what is bad.
	of := func(slo string) float64 {
		return value(t, w, fmt.Sprintf(`sla:bad:sum_period{slo=%q,period="2d"}`, slo), end)
	}
	if both, all := of("prime")+of("rest"), of("all"); math.Abs(both-all) > 1e-6*all {
		t.Errorf("prime and the rest have %v bad, all time has %v", both, all)
	}
}

// docs/service-hours.md explains every series of masks and no other.
func TestServiceHoursDocumentation(t *testing.T) {
	content, err := os.ReadFile("../docs/service-hours.md")
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{}
	names := func(plan *rulegen.Plan, add bool) {
		for _, l := range plan.Levels {
			for _, g := range l.Groups {
				for _, r := range g.Rules {
					if name := r.Record + r.Alert; add {
						made[name] = true
					} else {
						delete(made, name)
					}
				}
			}
		}
	}
	const levels = `
  serviceLevels:
    - {name: a, indicator: {events: {bad: b, total: t}}, target: "99"}
    - {name: b, indicator: {events: {bad: b, total: t}}, target: "99", aggregation: {method: bad_minute, errorThreshold: "5"}}
    - {name: c, indicator: {events: {bad: b, total: t}}, target: "99", period: month}
`
	const head = "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n"
	names(compiled(t, head+`
  calendars: {c: {timeZone: Europe/Berlin, weekly: [{days: [Mon], from: "08:00", to: "20:00"}]}}
  serviceHours: c
  exclusions:
    - {name: early, effect: treat_as_up, windows: [{rrule: "FREQ=DAILY", start: "2026-01-01T08:00", duration: 1h}]}
    - {name: link, effect: remove_from_agreed_time, condition: "link_up == 0"}
`+levels), true)
	names(compiled(t, head+`
  exclusions: [{name: tests, effect: treat_as_up, condition: "tests == 1", cap: {excludedDowntime: 4h, per: month}}]
  serviceLevels: [{name: d, indicator: {ratio: {bad: x}}, target: "99", period: month}]
`), true)
	names(compiled(t, head+levels), false)
	suffix := regexp.MustCompile(`(increase|sum)_period(_by_start|_previous|_to_hour|_since_hour)?$|(agreed:ratio_rate)(6h|1d|3d)$`)
	for name := range made {
		text := suffix.ReplaceAllStringFunc(name, func(s string) string {
			if strings.HasPrefix(s, "agreed") {
				return "agreed:ratio_rate1h"
			}
			return "sum_period"
		})
		if !strings.Contains(string(content), "`"+text+"`") {
			t.Errorf("docs/service-hours.md does not explain %s", name)
		}
	}
	names(compiled(t, head+levels), true)
	for _, m := range regexp.MustCompile("`(sla:[a-z0-9:_]+|SLA[A-Za-z]+)`").FindAllStringSubmatch(string(content), -1) {
		if !made[m[1]] && m[1] != "sla:clock:day_seconds" && m[1] != "SLACalendarEnds" {
			t.Errorf("docs/service-hours.md explains %s, which is not made", m[1])
		}
	}
}
