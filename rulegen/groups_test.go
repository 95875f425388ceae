package rulegen_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// tenants is the counted truth of several groups: what each was asked, and what
// of it was bad, in every second of its life.
type tenants map[string]*tenant

type tenant struct {
	*traffic
	from, to time.Duration // its series exist
	lateBad  bool          // its error series exists only once there are errors
}

func (ts tenants) scrape(at time.Time) []enginetest.Sample {
	var samples []enginetest.Sample
	for _, name := range slices.Sorted(maps.Keys(ts)) {
		t := ts[name]
		if d := at.Sub(enginetest.Start); d < t.from || d >= t.to {
			continue
		}
		labels := ""
		if name != "" {
			labels = ",tenant=" + strconv.Quote(name)
		}
		good, bad := t.at(at)
		samples = append(samples, enginetest.Sample{Series: `requests_total{code="200"` + labels + `}`, Value: good})
		if bad > 0 || !t.lateBad {
			samples = append(samples, enginetest.Sample{Series: `requests_total{code="500"` + labels + `}`, Value: bad})
		}
	}
	return samples
}

// between are the events of a tenant's life in (t-w, t], as counted.
func (t *tenant) between(now time.Time, w time.Duration) (total, bad float64) {
	last := enginetest.Start.Add(t.to)
	from, to := now.Add(-w), now
	if from.Before(enginetest.Start) {
		from = enginetest.Start
	}
	if to.After(last) {
		to = last
	}
	if !from.Before(to) {
		return 0, 0
	}
	g1, b1 := t.at(to)
	g0, b0 := t.at(from)
	return g1 + b1 - g0 - b0, b1 - b0
}

const oddTenant = `o"neil \ söhne {{x}}`

func shopTenants(total time.Duration) tenants {
	whole := func(perSecond func(s int) (float64, float64)) *tenant {
		return &tenant{traffic: simulate(total, perSecond), to: total + time.Hour}
	}
	after := func(s int, h float64) bool { return float64(s) >= h*3600 }
	ts := tenants{
		"acme": whole(func(s int) (float64, float64) { // 2 % bad from the second hour on
			if after(s, 2) {
				return 9.8, 0.2
			}
			return 10, 0
		}),
		"globex": whole(func(s int) (float64, float64) { // the same, in waves, and of a stricter target
			rate := 6 + 5*math.Sin(2*math.Pi*float64(s)/5000)
			if after(s, 2) {
				return 0.98 * rate, 0.02 * rate
			}
			return rate, 0
		}),
		"idle":    whole(func(int) (float64, float64) { return 0, 0 }),
		oddTenant: whole(func(s int) (float64, float64) { return 3, 0.001 * float64(s%7) }),
		"":        whole(func(s int) (float64, float64) { return 1, 0.05 }),
		"leaver":  whole(func(s int) (float64, float64) { return 4, 0.004 }),
	}
	ts["acme"].lateBad = true
	ts["leaver"].to = 150 * time.Minute
	return ts
}

func groupedLevel(name string, indicator sla.Indicator) *sla.ServiceLevel {
	l := level(name, "99", indicator)
	l.GroupBy = sla.GroupBy{Labels: []string{"tenant"}, Limit: sla.DefaultGroupLimit, Targets: []sla.GroupTarget{
		{Match: map[string]string{"tenant": "globex"}, Target: sla.MustDecimal("99.5"), Objective: sla.MustDecimal("99.9")},
		{Match: map[string]string{"tenant": oddTenant}, Target: sla.MustDecimal("90"), Objective: sla.MustDecimal("90")},
	}}
	return l
}

// Each group's figures are those counted for it alone: with waves, an error
// series born late, no traffic at all, no label, a label full of quotes, and one
// that leaves. Its budget and thresholds are its own.
func TestGroupsMatchTheirOwnCount(t *testing.T) {
	t.Parallel()
	const total = 7 * time.Hour
	ts := shopTenants(total)
	w := enginetest.New(t, 15*time.Second, ts.scrape)
	levels := []*sla.ServiceLevel{
		groupedLevel("bad", events(`requests_total{code="500"}`, "", `requests_total`)),
		groupedLevel("good", events("", `requests_total{code="200"}`, `requests_total`)),
		groupedLevel("sum", events(`requests_total{code="500"} + requests_total{code="503"}`, "", `requests_total{code="200"} + requests_total{code="500"} + requests_total{code="503"}`)),
	}
	levels = levels[:testsize.Of(1, len(levels))]
	var slos []string
	for _, l := range levels {
		slos = append(slos, l.ID.SLO)
	}
	w.Load(generate(t, rulegen.Options{}, levels...))
	value := func(name, slo, tenant string) float64 {
		t.Helper()
		return w.Value(fmt.Sprintf(`%s{sla="shop",service="api",slo=%q,tenant=%q}`, name, slo, tenant))
	}
	check := func(after time.Duration, windows ...time.Duration) {
		t.Helper()
		w.Run(after - w.Now().Sub(enginetest.Start))
		for _, slo := range slos {
			for name, tn := range ts {
				gone := tn.to < after
				for _, win := range windows {
					all, bad := tn.between(w.Now(), win)
					metric := "sla:error:ratio_rate" + sla.FormatDuration(win)
					if gone || all == 0 {
						continue
					}
					near(t, fmt.Sprintf("%s of %s of %q after %s", metric, slo, name, after), value(metric, slo, name), bad/all, 0.04)
				}
				all, bad := tn.between(w.Now(), 30*24*time.Hour)
				lag := 0.04 + float64(8*time.Minute)/float64(min(after, tn.to)) // sums trail, and the second tier is evaluated every five minutes
				near(t, fmt.Sprintf("total of %s of %q", slo, name), value("sla:total:sum_period", slo, name), all, lag)
				near(t, fmt.Sprintf("bad of %s of %q", slo, name), value("sla:bad:sum_period", slo, name), bad, 2*lag)
				want := map[string]float64{"globex": 0.995, oddTenant: 0.9}[name]
				if want == 0 {
					want = 0.99
				}
				near(t, "target of "+name, value("sla:target:ratio", slo, name), want, 1e-12)
				if all == 0 {
					continue
				}
				burn := value("sla:burn_rate:ratio_period", slo, name)
				near(t, "burn rate of "+name, burn, value("sla:error:ratio_period", slo, name)/(1-want), 1e-9)
				near(t, "budget of "+name, value("sla:budget_remaining:ratio_period", slo, name), 1-burn*value("sla:coverage:ratio_period", slo, name), 1e-9)
			}
		}
	}
	check(110*time.Minute, 30*time.Minute, time.Hour) // acme has no error series
	check(4*time.Hour, 30*time.Minute, time.Hour, 2*time.Hour)
	near(t, "leaver is seen", value("sla:group:seen", "bad", "leaver"), 0, 0)
	if got := w.Query(`{__name__=~"sla:group:seen|sla:target:ratio|sla:objective:ratio",period!=""}`); len(got) > 0 {
		t.Errorf("a period is on %v, which no join has", got)
	}
	near(t, "acme is seen", value("sla:group:seen", "bad", "acme"), 1, 0)
	near(t, "objective of globex", value("sla:objective:ratio", "bad", "globex"), 0.999, 1e-12)
	if got := w.Query(`sla:error:ratio_rate1h{slo="bad",tenant=~"idle|leaver"}`); len(got) != 0 {
		t.Errorf("groups without events have a ratio: %v", got)
	}
	check(total, 2*time.Hour, 6*time.Hour)
	if nans := w.NaNs(total); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
	// 2 % is 20 times what 99.9 % allows, and only twice what 99 % does.
	pages := map[string]bool{}
	for _, tr := range w.Transitions() {
		if tr.Labels["slo"] != "bad" || !tr.Firing {
			continue
		}
		if tr.Labels["severity"] == "page" {
			pages[tr.Labels["tenant"]] = true
		}
		if tr.Name == sla.AlertMeasurementLost.Name || tr.Name == sla.AlertGroupLimit.Name {
			t.Errorf("unexpected %v", tr)
		}
	}
	if !maps.Equal(pages, map[string]bool{"globex": true}) {
		t.Errorf("pages for %v, want globex alone", pages)
	}
}

// A level without targets of single groups compares with numbers: its rules
// join nothing more than those of a level without groups.
func TestGroupsWithOneTarget(t *testing.T) {
	l := groupedLevel("bad", events(`requests_total{code="500"}`, "", `requests_total`))
	l.GroupBy.Targets = nil
	file := string(generate(t, rulegen.Options{}, l))
	if !strings.Contains(file, "> 0.144") {
		t.Errorf("no threshold of 0.144 in\n%s", file)
	}
	if strings.Contains(file, "1 - sla:objective:ratio") {
		t.Error("thresholds are asked of series though they are one number")
	}
}

// Label values without end are cut at the limit: those that were measured stay,
// newcomers are in no figure, and an alert said so before.
func TestGroupLimit(t *testing.T) {
	t.Parallel()
	const limit = 10
	l := groupedLevel("bad", events(`requests_total{code="500"}`, "", `requests_total`))
	l.GroupBy.Limit, l.GroupBy.Targets = limit, nil
	before, lasts := testsize.Of(40*time.Minute, 2*time.Hour), testsize.Of(30*time.Minute, time.Hour)
	flood := enginetest.Start.Add(before)
	ebb := flood.Add(lasts)
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		n := at.Sub(enginetest.Start).Seconds()
		var samples []enginetest.Sample
		add := func(tenant string, rate float64) {
			samples = append(samples,
				enginetest.Sample{Series: fmt.Sprintf(`requests_total{code="200",tenant=%q}`, tenant), Value: rate * n},
				enginetest.Sample{Series: fmt.Sprintf(`requests_total{code="500",tenant=%q}`, tenant), Value: rate * n / 50})
		}
		for i := range 6 {
			add(fmt.Sprintf("old-%d", i), 1)
		}
		if !at.Before(flood) && at.Before(ebb) { // busier than anybody, and others every ten minutes
			for i := range 200 {
				add(fmt.Sprintf("new-%d-%d", int(at.Sub(flood)/(10*time.Minute)), i), 100)
			}
		}
		return samples
	})
	w.Live() // a range query would be over the series of all ten minutes
	w.Load(generate(t, rulegen.Options{}, l))
	w.Run(before)
	if fired := w.Transitions(); slices.ContainsFunc(fired, func(tr enginetest.Transition) bool { return tr.Name == sla.AlertGroupLimit.Name }) {
		t.Errorf("6 of 10 groups are told of: %v", fired)
	}
	for range 2 * lasts / (10 * time.Minute) {
		w.Run(10 * time.Minute)
		for _, series := range []string{"sla:total:rate5m", "sla:bad:rate5m", "sla:error:ratio_rate6h", "sla:total:sum_period", "sla:target:ratio", "sla:group:seen"} {
			if n := w.Value("count(" + series + ")"); n > limit {
				t.Fatalf("%s has %v series, the limit is %d", series, n, limit)
			}
		}
		if n := w.Value(`count(sla:total:rate5m{tenant=~"old-.*"})`); n != 6 {
			t.Fatalf("%v of the 6 groups that were there are measured", n)
		}
		near(t, "a group that was there", w.Value(`sla:error:ratio_rate30m{tenant="old-3"}`), 1./51, 0.001)
	}
	var near []enginetest.Transition
	for _, tr := range w.Transitions() {
		if tr.Name == sla.AlertGroupLimit.Name {
			near = append(near, tr)
		}
	}
	if len(near) != 1 || near[0].At.Sub(flood) > 5*time.Minute || near[0].Labels["tenant"] != "" || near[0].Labels["severity"] != "ticket" {
		t.Errorf("the limit was told of so: %v, want once and soon", near)
	}
}

// A group that has left pages nobody; one that must be there does, by its name;
// and when all are gone that is one alert, of the level.
func TestGroupsLost(t *testing.T) {
	t.Parallel()
	l := groupedLevel("bad", events(`requests_total{code="500"}`, "", `requests_total`))
	l.GroupBy.Targets = []sla.GroupTarget{
		{Match: map[string]string{"tenant": oddTenant}, Target: sla.MustDecimal("99"), Objective: sla.MustDecimal("99"), Required: true},
		{Match: map[string]string{"tenant": "other"}, Target: sla.MustDecimal("99"), Objective: sla.MustDecimal("99"), Required: true},
	}
	alive := func(tenant string, d time.Duration) bool {
		switch tenant {
		case "free":
			return d < time.Hour
		case oddTenant:
			return d < 2*time.Hour || d >= 3*time.Hour && d < 4*time.Hour
		}
		return d < 4*time.Hour
	}
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		d := at.Sub(enginetest.Start)
		var samples []enginetest.Sample
		for _, tenant := range []string{"free", oddTenant, "other"} {
			if alive(tenant, d) {
				samples = append(samples, enginetest.Sample{Series: `requests_total{code="200",tenant=` + strconv.Quote(tenant) + `}`, Value: d.Seconds()})
			}
		}
		return samples
	})
	w.KeepAnnotations()
	w.Load(generate(t, rulegen.Options{}, l))
	w.Run(150 * time.Minute)
	if a := w.Alerts(); len(a) != 1 || a[0].Annotations["summary"] != "api/bad of tenant "+oddTenant+" is not being measured" {
		t.Errorf("of the lost group is told so: %v", a)
	}
	w.Run(150 * time.Minute)
	if a := w.Alerts(); len(a) != 1 || a[0].Annotations["summary"] != "api/bad is not being measured" {
		t.Errorf("of the lost level is told so: %v", a)
	}
	var got []string
	for _, tr := range w.Transitions() {
		hour := int(tr.At.Sub(enginetest.Start) / time.Hour)
		got = append(got, fmt.Sprintf("%s of %s in hour %d: %t", tr.Name, tr.Labels["tenant"], hour, tr.Firing))
	}
	want := []string{
		"SLAMeasurementLost of " + oddTenant + " in hour 2: true",
		"SLAMeasurementLost of " + oddTenant + " in hour 3: false",
		"SLAMeasurementLost of  in hour 4: true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("alerts %q, want %q", got, want)
	}
}

// Annotations name the group and its own objective, in numbers, whatever its
// label holds.
func TestGroupsAreNamed(t *testing.T) {
	t.Parallel()
	ts := shopTenants(4 * time.Hour)
	ts[oddTenant].traffic = simulate(4*time.Hour, func(int) (float64, float64) { return 0, 3 })
	ts[""].traffic = simulate(4*time.Hour, func(int) (float64, float64) { return 0, 3 })
	w := enginetest.New(t, 15*time.Second, ts.scrape)
	file := generate(t, rulegen.Options{}, groupedLevel("bad", events(`requests_total{code="500"}`, "", `requests_total`)))
	w.Load(file)
	w.Run(4*time.Hour - 2*time.Minute)
	w.KeepAnnotations()
	w.Load(file)
	w.Run(2 * time.Minute)
	want := map[string]string{
		oddTenant: "api/bad of tenant " + oddTenant + " is down since 10:08 UTC: 100% of the events|The objective of 90% allows 10%",
		"globex":  "api/bad of tenant globex is degraded since 12:08 UTC: |The objective of 99.9% allows 0.1%",
		"":        "api/bad of tenant (none) is down since 10:08 UTC: 100% of the events|The objective of 99% allows 1%",
	}
	for tenant, text := range want {
		summary, rest, _ := strings.Cut(text, "|")
		found := false
		for _, a := range w.Alerts() {
			if a.Labels["alertname"] == sla.AlertBudgetBurn.Name && a.Labels["severity"] == "page" && a.Labels["tenant"] == tenant {
				found = true
				if !strings.HasPrefix(a.Annotations["summary"], summary) || !strings.Contains(a.Annotations["description"], rest) {
					t.Errorf("%q is told of so: %s. %s", tenant, a.Annotations["summary"], a.Annotations["description"])
				}
			}
		}
		if !found {
			t.Errorf("no page for %q", tenant)
		}
	}
}
