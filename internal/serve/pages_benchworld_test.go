package serve

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/internal/closing"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/statuspage"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// What the benchmark of pages has: 500 levels in ten agreements, of each one a composite of
// all probed levels and one with groups, and a month of the series that pages read. Of each
// agreement there are a year of reports, and a status page of twenty levels.
const (
	benchAgreements = 10
	benchProbed     = 48
	benchGroups     = 20
	benchPublic     = 20
	benchReports    = 12
	benchDays       = 30
)

// benchWorld is a server without running parts over a storage with a month of samples.
type benchWorld struct {
	*testing.B
	server   *server
	report   string // the name of a report's file, without its extension
	live     map[liveKey]liveReport
	rendered *statuspage.Pages
}

func newBenchWorld(b *testing.B) *benchWorld {
	s := &server{
		Options: Options{RulesInterval: time.Minute, ScrapeInterval: 15 * time.Second, StoragePath: b.TempDir(), SettlingTime: 24 * time.Hour, Logger: slog.New(slog.DiscardHandler)},
		started: time.Now(), registry: prometheus.NewRegistry(), exporter: exporter.New(exporter.Options{Logger: slog.New(slog.DiscardHandler)}),
	}
	if err := s.makeEngines(); err != nil {
		b.Fatal(err)
	}
	agreements := benchSpecs(b)
	s.state.Store(&desired{agreements: agreements})
	fill := &benchFill{B: b, random: rand.New(rand.NewPCG(1, 2)), now: time.Now()}
	fill.storage(s.StoragePath, agreements)
	db, err := tsdb.Open(s.StoragePath, s.Logger, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		b.Fatal(err)
	}
	db.DisableCompactions()
	b.Cleanup(func() {
		_ = s.engine.Close()
		_ = s.apiEngine.Close()
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	s.db = db
	s.rules = s.newRules()
	w := &benchWorld{B: b, server: s, live: map[liveKey]liveReport{}}
	w.makeReports(agreements)
	w.rendered = w.statusPages()
	w.rendered.Render(b.Context())
	return w
}

// closer has the reports on disk, and has read none of them yet.
func (w *benchWorld) closer() *closer {
	return &closer{
		s: w.server, archive: &closing.Archive{Dir: w.folder()}, wake: make(chan struct{}, 1), live: w.live,
		failed: map[closingKey]failedClosing{}, restated: map[string]error{},
	}
}

func (w *benchWorld) folder() string { return filepath.Join(w.server.StoragePath, reportsFolder) }

// makeReports closes a year of periods, and judges the one that runs.
func (w *benchWorld) makeReports(agreements []*sla.Agreement) {
	now := time.Now()
	archive := &closing.Archive{Dir: w.folder()}
	for _, a := range agreements {
		period := a.Levels[0].Period
		names := closing.Closings(period, now.AddDate(0, -benchReports, 0), now.Add(-24*time.Hour))
		for _, name := range names {
			all, err := closing.JudgementsOf(agreements, a.Name, name, now)
			if err != nil {
				w.Fatal(err)
			}
			e := benchEvidence(a, all[0].Start, all[0].End)
			r, err := all[0].JudgeEvidence(e, nil, now)
			if err != nil {
				w.Fatal(err)
			}
			kept, err := archive.Freeze(r, e)
			if err != nil {
				w.Fatal(err)
			}
			w.report = strings.TrimSuffix(kept.File, ".json")
		}
		running, err := closing.Current(agreements, a, period, now)
		if err != nil {
			w.Fatal(err)
		}
		r, err := running[0].JudgeEvidence(benchEvidence(a, running[0].Start, now), nil, now)
		if err != nil {
			w.Fatal(err)
		}
		w.live[liveKey{a.Name, period}] = liveReport{reports: []*verdict.Report{r}, at: now}
	}
}

// benchEvidence is that of levels which were bad for an hour in the middle.
func benchEvidence(a *sla.Agreement, from, to time.Time) verdict.Evidence {
	e := verdict.Evidence{Sources: []string{"a benchmark"}}
	middle := from.Add(to.Sub(from) / 2).Truncate(time.Minute)
	for _, l := range a.Levels {
		if _, made := l.Indicator.(*sla.Composite); made {
			continue
		}
		stretch := func(from, to time.Time, bad float64) verdict.Stretch {
			n := to.Sub(from).Seconds()
			return verdict.Stretch{From: from, To: to, State: verdict.Known, Total: n, Bad: bad * n}
		}
		of := verdict.LevelEvidence{Level: l.ID}
		stretches := []verdict.Stretch{stretch(from, middle, 0), stretch(middle, middle.Add(time.Hour), 1), stretch(middle.Add(time.Hour), to, 0)}
		for _, group := range benchGroupsOf(l) {
			of.Groups = append(of.Groups, verdict.GroupEvidence{Labels: group, Places: []verdict.Place{{Stretches: stretches}}})
		}
		e.Levels = append(e.Levels, of)
	}
	return e
}

// benchGroupsOf are the labels of the groups of a level: nil for one without groups.
func benchGroupsOf(l *sla.ServiceLevel) []map[string]string {
	if len(l.GroupBy.Labels) == 0 {
		return []map[string]string{nil}
	}
	var all []map[string]string
	for i := range benchGroups {
		all = append(all, map[string]string{l.GroupBy.Labels[0]: fmt.Sprintf("customer%d", i)})
	}
	return all
}

func benchSpecs(b *testing.B) []*sla.Agreement {
	var all []*sla.Agreement
	for i := range benchAgreements {
		var levels, public strings.Builder
		var parts []string
		for j := range benchProbed {
			fmt.Fprintf(&levels, "    - {name: availability, service: service%d, description: It answers its customers, target: \"99.9\", period: %dd, indicator: {probe: {http: \"https://shop.example/%d\", interval: 15s}}}\n", j, benchDays, j)
			parts = append(parts, fmt.Sprintf("service%d/availability", j))
			if j < benchPublic {
				fmt.Fprintf(&public, "      - {level: service%d/availability, name: Part %d of the shop}\n", j, j)
			}
		}
		text := fmt.Sprintf(`
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop%d, description: "A shop, as its customers meet it"}
spec:
  timeZone: Europe/Berlin
  statusPage:
    title: The shop
    levels:
%s  serviceLevels:
%s    - {name: requests, service: tenants, target: "99.9", period: 30d, groupBy: [tenant], indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}}
    - {name: paying, service: checkout, impact: Nobody can pay, target: "99.5", period: 30d, indicator: {composite: {all: [%s]}}}
`, i, public.String(), levels.String(), strings.Join(parts, ", "))
		agreements, findings := spec.LoadText("shop"+strconv.Itoa(i)+".yaml", text)
		if err := findings.Err(); err != nil {
			b.Fatal(err)
		}
		all = append(all, agreements...)
	}
	return all
}

// benchFill writes samples.
type benchFill struct {
	*testing.B
	random   *rand.Rand
	now, day time.Time
	app      storage.Appender
}

// storage writes a block a day. What pages read only of the last hours is in the last one.
func (f *benchFill) storage(dir string, agreements []*sla.Agreement) {
	ctx := context.Background()
	begin := f.now.Add(-benchDays * 24 * time.Hour).Truncate(24 * time.Hour)
	for f.day = begin; f.day.Before(f.now); f.day = f.day.Add(24 * time.Hour) {
		w, err := tsdb.NewBlockWriter(slog.New(slog.DiscardHandler), dir, (48 * time.Hour).Milliseconds())
		if err != nil {
			f.Fatal(err)
		}
		for i, a := range agreements {
			f.app = w.Appender(ctx)
			for j, l := range a.Levels {
				down := i == 0 && (j == 0 || j == len(a.Levels)-1) // a component, and the composite
				for _, group := range benchGroupsOf(l) {
					f.level(l.ID, group, down)
				}
				if c, ok := l.Indicator.(*sla.Composite); ok {
					f.tree(l.ID, c, down)
				}
			}
			if err := f.app.Commit(); err != nil {
				f.Fatal(err)
			}
		}
		if _, err := w.Flush(ctx); err != nil {
			f.Fatal(err)
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
	}
}

// write writes a series of a day from a time on.
func (f *benchFill) write(id sla.ID, name string, more map[string]string, every time.Duration, from time.Time, value func(at time.Time) float64) {
	b := labels.NewBuilder(labels.FromStrings(labels.MetricName, name, metricnames.SLA, id.SLA, metricnames.Service, id.Service, metricnames.SLO, id.SLO))
	for name, of := range more {
		b.Set(name, of)
	}
	ls := b.Labels()
	for at := from; at.Before(f.day.Add(24*time.Hour)) && !at.After(f.now); at = at.Add(every) {
		if _, err := f.app.Append(0, ls, at.UnixMilli(), value(at)); err != nil {
			f.Fatal(err)
		}
	}
}

// with are labels and one more.
func with(of map[string]string, name, value string) map[string]string {
	all := map[string]string{name: value}
	maps.Copy(all, of)
	return all
}

func constant(v float64) func(time.Time) float64 { return func(time.Time) float64 { return v } }

// down is when the outage that goes on began.
func (f *benchFill) down() time.Time { return f.now.Add(-20 * time.Hour) }

// recent is from when on series are written of which pages read the last hours; ok is false
// on a day before.
func (f *benchFill) recent() (from time.Time, ok bool) {
	from = f.now.Add(-90 * time.Minute)
	if from.Before(f.day) {
		from = f.day
	}
	return from, from.Before(f.day.Add(24 * time.Hour))
}

// level writes a day of a level, or of a group of one. One in two hundred minutes is bad.
func (f *benchFill) level(id sla.ID, group map[string]string, down bool) {
	period := with(group, metricnames.Period, fmt.Sprintf("%dd", benchDays))
	f.write(id, metricnames.ServiceState, group, time.Minute, f.day, func(at time.Time) float64 {
		if down && at.After(f.down()) || f.random.IntN(200) == 0 {
			return float64(sla.StateDown.Code())
		}
		return float64(sla.StateUp.Code())
	})
	f.write(id, metricnames.BadIncrease, group, 5*time.Minute, f.day, func(time.Time) float64 { return float64(f.random.IntN(40) / 39 * 12) })
	f.write(id, metricnames.TotalIncrease, group, 5*time.Minute, f.day, constant(300))
	left := f.random.Float64()
	f.write(id, metricnames.BudgetRemaining, period, 5*time.Minute, f.day, func(time.Time) float64 { left -= 0.00001; return left })
	if down { // the counter that says why
		n := 0.0
		f.write(id, metricnames.ProbeFailures, with(group, metricnames.Reason, "status"), 15*time.Second, f.day, func(time.Time) float64 { n++; return n })
	}
	recent, ok := f.recent()
	if !ok {
		return
	}
	for _, name := range []string{metricnames.ErrorPeriod, metricnames.BadPeriod, metricnames.TotalPeriod, metricnames.CoveragePeriod} {
		f.write(id, name, period, 5*time.Minute, recent, constant(0.0004))
	}
	for _, window := range []string{"5m", "30m", "1h", "2h", "6h", "1d", "3d"} {
		f.write(id, metricnames.ErrorRatio+window, group, time.Minute, recent, constant(0.0001))
	}
	f.write(id, metricnames.BadRate, group, time.Minute, recent, constant(0.0001))
	f.write(id, metricnames.TotalRate, group, time.Minute, recent, constant(1))
}

// tree writes what is recorded of the tree of a composite, of which the first component is
// down if the whole is.
func (f *benchFill) tree(id sla.ID, c *sla.Composite, down bool) {
	recent, ok := f.recent()
	if !ok {
		return
	}
	c.Tree.Walk(func(n *sla.Node) {
		bad := 0.0
		if down && (n == c.Tree || n == c.Tree.Members[0]) {
			bad = 1
		}
		for _, assume := range []string{metricnames.UnknownGood, metricnames.UnknownBad} {
			f.write(id, metricnames.NodeBad, map[string]string{metricnames.Node: n.Path, metricnames.Assume: assume}, time.Minute, recent, constant(bad))
		}
		if !n.Leaf() {
			return
		}
		if bad > 0 {
			f.write(id, metricnames.DownSince, map[string]string{metricnames.Component: n.Component.Label}, time.Minute, recent, constant(float64(f.down().Unix())))
		}
		f.write(id, metricnames.BlameBudget, map[string]string{
			metricnames.Component: n.Component.Label, metricnames.How: metricnames.Alone, metricnames.Period: fmt.Sprintf("%dd", benchDays),
		}, 5*time.Minute, recent, constant(0.01))
	})
}
