package rulegen_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// Hours of a service that fails five times: for 4 minutes, 70 minutes, 25 minutes over a gap of the server, and over midnight.
const recoverySpec = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: NAME}
spec:
  timeZone: UTC
  period: [7d, month]
  alerting: {tiers: {page-fast: {enabled: false}, page-slow: {enabled: false}, ticket-fast: {enabled: false}, ticket-slow: {enabled: false}}}
  calendars: {day: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri, Sat, Sun], from: "20:00", to: "23:00"}]}}
  recovery:
    objectives:
      - {metric: time_to_restore, le: 1h}
      - {metric: time_to_restore, statistic: share, percent: "50", le: 20m}
      - {metric: outage_count, le: 3}
      - {metric: longest_outage, le: 2h}
      - {metric: recovery_point, le: 1h, age: time() - backup_timestamp_seconds}
      - {metric: restored_backup_age, le: 7d, age: restored_age_seconds}
  serviceLevels:
    - {name: errors, target: "99", indicator: &events {events: {bad: 'requests_total{code="500"}', total: requests_total}}}
    - {name: good, target: "99", indicator: {events: {good: 'requests_total{code="200"}', total: requests_total}}}
    - {name: minutes, target: "99", indicator: *events, aggregation: {method: bad_minute, errorThreshold: "50"}}
    - {name: runs, target: "99", indicator: *events, aggregation: {method: qualified_run, errorThreshold: "50", minRun: 3m}}
    - {name: slots, target: "99", indicator: *events, aggregation: {method: mean_slot_error_rate}}
    - {name: state, target: "99", indicator: {condition: {expr: requests_up == 1}}}
    - {name: probe, target: "99", indicator: {probe: {http: "https://shop.example/", interval: 15s}}}
    - {name: seldom, target: "99", indicator: {probe: {http: "https://shop.example/", interval: 1m}}}
    - {name: whole, target: "99", indicator: {composite: {all: [NAME/errors, NAME/state]}}}
    - {name: hours, target: "99", indicator: *events, serviceHours: day}
    - {name: grouped, target: "99", indicator: *events, groupBy: [tenant], recovery: {objectives: [{metric: time_to_restore, le: 1h}]}}
    - {name: silent, target: "99", indicator: *events, recovery: {methods: [{scenario: fire, method: restore}]}}
`

// span of an outage, in minutes from the start of the world.
type minuteSpan struct{ from, to float64 }

func (s minuteSpan) seconds() float64 { return 60 * (s.to - s.from) }

// recoveryStart is six hours before a month begins; recoveryOutages are in minutes from it.
var (
	recoveryStart   = time.Date(2026, 9, 30, 18, 0, 0, 0, time.UTC)
	recoveryOutages = []minuteSpan{
		{20, 24},     // before the service hours
		{90, 160},    // into the hours, which begin at 120
		{200, 215},   // before which and after which the server is away
		{250, 275},   // over a gap of the server
		{350.5, 370}, // over midnight, and the month's end
		{400, 1e9},   // goes on
	}
	recoveryAway = []minuteSpan{{190, 196}, {226, 236}, {255, 265}, {420, 430}}
)

func outageAt(minute float64) bool {
	return slices.ContainsFunc(recoveryOutages, func(s minuteSpan) bool { return s.from <= minute && minute < s.to })
}

// recoveryTarget counts a request a second, four of five of which fail in an outage, and
// backups every 90 minutes.
func recoveryTarget(names ...string) enginetest.Target {
	sums := map[string]float64{}
	done := 0
	return func(at time.Time) []enginetest.Sample {
		now := int(at.Sub(recoveryStart) / time.Second)
		for ; done < now; done++ {
			down := outageAt(float64(done) / 60)
			code := "200"
			if down && done%5 != 0 {
				code = "500"
			}
			sums[code]++
			for _, every := range []int{15, 60} {
				outcome := "good"
				if down {
					outcome = "bad"
				}
				if done%every == 0 {
					sums[fmt.Sprint(outcome, every)]++
				}
			}
		}
		up := 1.
		if outageAt(float64(now) / 60) {
			up = 0
		}
		samples := []enginetest.Sample{
			{Series: `requests_total{code="200",tenant="acme"}`, Value: sums["200"]},
			{Series: `requests_total{code="500",tenant="acme"}`, Value: sums["500"]},
			{Series: `requests_up`, Value: up},
			{Series: `backup_timestamp_seconds{db="a"}`, Value: float64(recoveryStart.Unix()) + math.Floor(float64(now)/5400)*5400},
			{Series: `backup_timestamp_seconds{db="b"}`, Value: float64(at.Unix())},
			{Series: `restored_age_seconds{db="a"}`, Value: 3 * 86400},
			{Series: `restored_age_seconds{db="b"}`, Value: math.NaN()},
		}
		for _, name := range names {
			for slo, every := range map[string]int{"probe": 15, "seldom": 60} {
				for _, outcome := range []string{"good", "bad"} {
					samples = append(samples, enginetest.Sample{Value: sums[fmt.Sprint(outcome, every)], Series: fmt.Sprintf(
						`upheld_probe_results_total{sla=%q,service=%q,slo=%q,target="x",location="ams",outcome=%q}`, name, name, slo, outcome)})
				}
			}
		}
		return samples
	}
}

// recoverySpecOf is recoverySpec under a name, with these levels alone.
func recoverySpecOf(name string, levels ...string) string {
	var kept []string
	for line := range strings.Lines(strings.ReplaceAll(recoverySpec, "NAME", name)) {
		level, isLevel := strings.CutPrefix(line, "    - {name: ")
		level, _, _ = strings.Cut(level, ",")
		if !isLevel || slices.Contains(levels, level) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// recoveryRules is the rule file of a specification, or of these series of it alone.
func recoveryRules(t testing.TB, text string, only ...string) []byte {
	t.Helper()
	agreements, findings := spec.LoadText("shop.yaml", text)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	plan, findings := rulegen.Compile(agreements[0], generated2026)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	if len(only) > 0 {
		keepFor(plan, only...)
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// margins are by how much a recorded length of a level may be shorter, and longer, than
// the outage was, in seconds: minutes and slots are whole ones, and cut by scrapes of 15 s.
func margins(slo string) (shorter, longer float64) {
	switch slo {
	case "errors", "good", "minutes", "hours", "grouped", "whole", "state":
		return 75, 75
	case "runs":
		return 75, 75
	case "slots":
		return 15, 2*300 + 75
	case "seldom":
		return 60 + 15, 60 + 120 + 15
	}
	return 15, 135
}

// What is recorded of outages is what happened, under several names and so at several
// offsets of evaluation, through restarts of the server, and by the month in which they
// ended. A short run takes one name, one level of each way in which outages are found, and
// the rules of what is read of them.
func TestOutagesAreRecordedAsTheyWere(t *testing.T) {
	t.Parallel()
	names := []string{"a", "shop", "web"}[:testsize.Repeats(1, 2, 3)]
	w := enginetest.NewAt(t, recoveryStart, 15*time.Second, recoveryTarget(names...))
	levels := testsize.Of([]string{"errors", "runs", "probe", "hours"},
		[]string{"errors", "good", "minutes", "runs", "slots", "state", "probe", "seldom", "whole", "hours", "grouped"})
	checked := []string{"sla:outage:age_seconds", "sla:outage:count_period", "sla:outage:longest_seconds_period", "sla:outage:mean_seconds_period"}
	var files [][]byte
	for i, name := range names {
		read := checked
		if i == 0 && testsize.Every() {
			read = nil // all
		}
		files = append(files, recoveryRules(t, recoverySpecOf(name, append(levels, "silent")...), read...))
	}
	w.Load(files...)
	minute := func() float64 { return w.Now().Sub(recoveryStart).Minutes() }
	check := func(m float64) {
		t.Helper()
		for _, away := range recoveryAway {
			if away.from > minute() && away.to <= m {
				w.Run(time.Duration((away.from - minute()) * float64(time.Minute)))
				w.Restart(time.Duration((away.to - away.from) * float64(time.Minute)))
			}
		}
		if next := slices.IndexFunc(recoveryAway, func(away minuteSpan) bool { return away.from > minute() }); next >= 0 {
			w.Foresee(time.Duration((recoveryAway[next].from - minute()) * float64(time.Minute)))
		}
		w.Run(time.Duration((m - minute()) * float64(time.Minute)))
		for _, name := range names {
			for _, slo := range levels {
				checkOutages(t, w, name, slo, m)
			}
		}
	}
	for _, m := range []float64{18, 40, 80, 150, 175, 212, 249, 270, 290, 340, 365, 385, 415, 445} {
		check(m)
	}
	for _, name := range names {
		if got := w.Query(`count by (slo) ({__name__=~"sla:outage.*",slo="silent",sla="` + name + `"})`); len(got) > 0 {
			t.Errorf("outages of a level without objectives are recorded: %v", got)
		}
	}
	if nans := w.NaNs(24 * time.Hour); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}

// asSeen is an outage as the level sees it: what begins in the last slot before a gap is
// first seen after it.
func asSeen(slo string, o minuteSpan) minuteSpan {
	if slo == "slots" && o.from == 250 {
		o.from = 265
	}
	return o
}

// countsFor returns whether an outage of the world is one of the level.
func countsFor(slo string, o minuteSpan) bool { return slo != "hours" || o.to > 120 && o.from < 300 }

func checkOutages(t *testing.T, w *enginetest.World, name, slo string, m float64) {
	t.Helper()
	what := fmt.Sprintf("%s/%s at minute %v", name, slo, m)
	one := func(series, more string) (float64, bool) {
		v := w.Query(fmt.Sprintf(`%s{sla=%q,service=%q,slo=%q%s}`, series, name, name, slo, more))
		if len(v) > 1 {
			t.Errorf("%s: %d of %s", what, len(v), series)
		}
		if len(v) == 0 {
			return 0, false
		}
		return v[0].F, true
	}
	const evaluation = 60 // for so long an age is not evaluated
	shorter, longer := margins(slo)
	inOutage := false
	for _, o := range recoveryOutages {
		if o = asSeen(slo, o); o.from < m && m < o.to && countsFor(slo, o) {
			inOutage = true
			age, ok := one("sla:outage:age_seconds", "")
			if want := 60 * (m - o.from); m-o.from >= 10 && (!ok || age < want-shorter-evaluation || age > want+longer) {
				t.Errorf("%s: the outage's age is %v (%t), want %v", what, age, ok, want)
			}
		}
	}
	if age, ok := one("sla:outage:age_seconds", ""); ok && !inOutage && settledFor(m, 12) {
		t.Errorf("%s: an outage is %v s old, and there is none", what, age)
	}
	for period, begins := range map[string]float64{"7d": 0, "month": 0} {
		if period == "month" && m > 360 {
			begins = 360
		}
		if !settledFor(m, 12) || period == "month" && m > 360 && m < 370 { // calendars count what is seven minutes old
			continue
		}
		var ended []float64
		for _, o := range recoveryOutages {
			if o = asSeen(slo, o); o.to <= m && o.to > begins && countsFor(slo, o) {
				ended = append(ended, o.seconds())
			}
		}
		of := fmt.Sprintf(`,period=%q`, period)
		count, ok := one("sla:outage:count_period", of)
		if !ok || count != float64(len(ended)) {
			t.Errorf("%s: %v outages (%t) in %s, want %d", what, count, ok, period, len(ended))
			continue
		}
		longest, some := one("sla:outage:longest_seconds_period", of)
		mean, _ := one("sla:outage:mean_seconds_period", of)
		if some != (len(ended) > 0) {
			t.Errorf("%s: a longest outage in %s: %t", what, period, some)
		}
		if len(ended) == 0 {
			continue
		}
		most, sum := slices.Max(ended), 0.
		for _, s := range ended {
			sum += s
		}
		if longest < most-shorter || longest > most+longer {
			t.Errorf("%s: the longest outage in %s is %v, want %v", what, period, longest, most)
		}
		if avg := sum / float64(len(ended)); mean < avg-shorter || mean > avg+longer {
			t.Errorf("%s: the mean outage in %s is %v, want %v", what, period, mean, avg)
		}
	}
}

// settledFor returns whether the last edge of an outage or of a gap is so many minutes ago.
func settledFor(m, minutes float64) bool {
	for _, s := range slices.Concat(recoveryOutages, recoveryAway) {
		for _, edge := range []float64{s.from, s.to} {
			if edge <= m && m < edge+minutes {
				return false
			}
		}
	}
	return true
}

// Alerts about outages and about ages come before the limit, and at it.
func TestAlertsOfRecoveryComeBeforeAndAtTheLimit(t *testing.T) {
	t.Parallel()
	w := enginetest.NewAt(t, recoveryStart, 15*time.Second, recoveryTarget("shop"))
	w.Load(recoveryRules(t, recoverySpecOf("shop", "errors", "probe", "hours"))) // errors has what hours refers to
	w.Run(189 * time.Minute)
	type edge struct {
		fires bool
		at    float64
	}
	got := map[string][]edge{}
	for _, tr := range w.Transitions() {
		if slo := tr.Labels["slo"]; tr.Labels["recovery"] != "" && (slo == "probe" || slo == "hours") {
			key := slo + " " + tr.Name + " " + tr.Labels["recovery"] + " " + tr.Labels["severity"]
			got[key] = append(got[key], edge{tr.Firing, tr.At.Sub(recoveryStart).Minutes()})
		}
	}
	want := map[string][]edge{}
	for _, slo := range []string{"probe", "hours"} {
		near, beyond := slo+" "+sla.AlertRestoreTimeNear.Name+" ", slo+" "+sla.AlertRestoreTimeExceeded.Name+" "
		want[near+"time_to_restore ticket"] = []edge{{true, 135}, {false, 150}}
		want[beyond+"time_to_restore page"] = []edge{{true, 150}, {false, 160}}
		want[near+"time_to_restore-2 ticket"] = []edge{{true, 105}, {false, 110}}
		want[beyond+"time_to_restore-2 page"] = []edge{{true, 110}, {false, 160}}
		if slo == "hours" { // in which it counts from 20:00 on
			want[near+"time_to_restore-2 ticket"] = nil
			want[beyond+"time_to_restore-2 page"] = []edge{{true, 120}, {false, 160}}
		}
		near, beyond = slo+" "+sla.AlertRecoveryAgeNear.Name+" ", slo+" "+sla.AlertRecoveryAgeExceeded.Name+" "
		for i := range 2 {
			n := float64(i)
			want[near+"recovery_point ticket"] = append(want[near+"recovery_point ticket"], edge{true, 90*n + 45}, edge{false, 90*n + 60})
			want[beyond+"recovery_point page"] = append(want[beyond+"recovery_point page"], edge{true, 90*n + 60}, edge{false, 90*n + 90})
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s: %v", key, got[key])
		}
	}
	for key, edges := range want {
		same := len(edges) == len(got[key])
		for i := 0; same && i < len(edges); i++ {
			late := got[key][i].at - edges[i].at
			same = got[key][i].fires == edges[i].fires && late >= -1.5 && late <= 3
		}
		if !same {
			t.Errorf("%s: %v, want %v", key, got[key], edges)
		}
	}
}

// An age whose query has no result has neither of its alerts. One of its own says so: from
// ten minutes after the last result on, until there is one.
func TestAlertWhenAnAgeIsUnknown(t *testing.T) {
	t.Parallel()
	spec := `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - name: state
      target: "99"
      indicator: {condition: {expr: requests_up == 1}}
      recovery:
        objectives:
          - {metric: recovery_point, le: 1h, age: backup_age_seconds}
          - {metric: recovery_point, le: 5m, age: lag_seconds}
      alerting: {recoveryAgeUnknown: {severity: page}}
`
	w := enginetest.NewAt(t, recoveryStart, 15*time.Second, func(at time.Time) []enginetest.Sample {
		m := at.Sub(recoveryStart).Minutes()
		samples := []enginetest.Sample{{Series: "requests_up", Value: 1}, {Series: "lag_seconds", Value: 3}}
		if m < 30 || m >= 35 && m < 60 || m >= 100 { // away for five minutes, and for forty
			samples = append(samples, enginetest.Sample{Series: "backup_age_seconds", Value: 60 * m / 3})
		}
		return samples
	})
	w.Load(recoveryRules(t, spec))
	w.Run(130 * time.Minute)
	var got []string
	for _, tr := range w.Transitions() {
		if tr.Labels["recovery"] == "" {
			continue
		}
		at := tr.At.Sub(recoveryStart).Minutes()
		near := 70.
		if !tr.Firing {
			near = 100
		}
		if at < near-1.5 || at > near+3 {
			t.Errorf("%s %v at minute %v, want %v", tr.Name, tr.Firing, at, near)
		}
		got = append(got, fmt.Sprintf("%s %s %s %t", tr.Name, tr.Labels["recovery"], tr.Labels["severity"], tr.Firing))
	}
	name := sla.AlertRecoveryAgeUnknown.Name + " recovery_point page "
	if want := []string{name + "true", name + "false"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
