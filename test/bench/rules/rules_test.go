// Package rules measures what the rules of one service level cost a Prometheus, and how
// exact they are, compared with those of Sloth and Pyrra for the same objective: a
// month of traffic with outages, restarts and error series that appear late, in the
// real engine.
package rules

import (
	"cmp"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/replaytest"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

const agreement = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: checkout}
spec:
  serviceLevels:
    - name: availability
      indicator: {events: {bad: 'http_requests_total{job="checkout",code=~"5.."}', total: 'http_requests_total{job="checkout"}'}}
      target: "99.9"
`

// slow and probed are the same promise for other counters.
const slow = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: checkout}
spec:
  serviceLevels:
    - name: availability
      indicator: {latency: {histogram: 'http_request_duration_seconds{job="checkout"}', threshold: 300ms}}
      target: "99.9"
`

const probed = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: checkout}
spec:
  serviceLevels:
    - {name: availability, service: shop, indicator: {probe: {http: "https://shop.example", interval: 15s}}, target: "99.9"}
`

// inHours has service hours that always apply and an exclusion that never does, so its
// figures equal those of the level without them.
const inHours = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: checkout}
spec:
  calendars: {open: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri, Sat, Sun], from: "00:00", to: "24:00"}]}}
  exclusions: [{name: link, effect: remove_from_agreed_time, condition: "link_up == 0"}]
  serviceLevels:
    - name: availability
      serviceHours: open
      indicator: {events: {bad: 'http_requests_total{job="checkout",code=~"5.."}', total: 'http_requests_total{job="checkout"}'}}
      target: "99.9"
`

// byPod makes one promise of the level for each of ten pods.
const byPod = agreement + "      groupBy: [pod]\n"

// BenchmarkRules reports, for each generator and number of raw series, the samples that
// the engine reads per second, CPU milliseconds per hour of rules, samples and bytes
// recorded per day, and the error of the 30-day bad ratio in per cent of it.
func BenchmarkRules(b *testing.B) {
	for _, raw := range []int{20, 200} {
		for _, of := range sides {
			b.Run(fmt.Sprintf("%s/%d series", of.name, raw), func(b *testing.B) {
				file := of.rules(b)
				for b.Loop() {
					run(b, file, raw, usual, of.period, of.throughout)
				}
			})
		}
	}
}

// BenchmarkMasked is BenchmarkRules of one level with service hours and an exclusion.
func BenchmarkMasked(b *testing.B) {
	for b.Loop() {
		run(b, upheldRules(b, inHours), 20, usual, `sla:error:ratio_period`, func(rulefmt.Rule) bool { return true })
	}
}

// BenchmarkGroups is BenchmarkRules of one level with ten groups, each of two of the
// raw series, to compare with ten times the level without groups.
func BenchmarkGroups(b *testing.B) {
	for b.Loop() {
		run(b, upheldRules(b, byPod), 20, usual, `sum(sla:bad:sum_period) / sum(sla:total:sum_period)`, func(rulefmt.Rule) bool { return true })
	}
}

// BenchmarkHard is BenchmarkRules of servers that are hard to count: scraped out of
// phase, restarted daily, with errors only in outages.
func BenchmarkHard(b *testing.B) {
	for _, of := range []struct {
		name, agreement string
		counts          exposed
	}{{"events", agreement, requests}, {"latency", slow, durations}, {"probes", probed, probes}} {
		for _, every := range []time.Duration{15 * time.Second, time.Minute} {
			k := hard
			k.scrape, k.counts = every, of.counts
			b.Run(of.name+" scraped every "+every.String(), func(b *testing.B) {
				for b.Loop() {
					run(b, upheldRules(b, of.agreement), 20, k, `sla:error:ratio_period`, func(rulefmt.Rule) bool { return true })
				}
			})
		}
	}
}

func upheldRules(b *testing.B, agreement string) []byte {
	agreements, findings := spec.LoadText("checkout.yaml", agreement)
	if err := findings.Err(); err != nil {
		b.Fatal(err)
	}
	plan, findings := rulegen.Compile(agreements[0], rulegen.Options{})
	if err := findings.Err(); err != nil {
		b.Fatal(err)
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		b.Fatal(err)
	}
	return file
}

// sampled is the end of the month, over which costs are measured: then every window is
// full, as on a server from its second month on.
const sampled = 2 * time.Hour

// run replays a rule file. Rules that are not needed throughout are recorded in the
// last hours only, and their costs are counted as if they had been recorded throughout.
func run(b *testing.B, file []byte, raw int, k kind, period string, throughout func(rulefmt.Rule) bool) {
	b.Helper()
	groups, errs := rulefmt.Parse(file, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		b.Fatal(errs[0])
	}
	world, truth := replay.New(), month(raw/2, k)
	truth.add(world)
	var recorded, bytes float64
	for _, r := range inOrder(groups.Groups) {
		from := start.Add(r.interval)
		if !throughout(r.Rule) {
			from = end.Add(-sampled)
		}
		cost, err := evaluate(world, r.Rule, from, r.interval)
		if err != nil {
			b.Fatal(err)
		}
		share := 1 / float64(cost.Evaluations) / r.interval.Seconds()
		recorded += float64(cost.Recorded) * share * day.Seconds()
		bytes += float64(cost.Bytes) * share * day.Seconds()
	}
	got, err := world.Value(period, end)
	if err != nil {
		b.Fatal(err)
	}
	want := truth.ratio(30 * day)
	perSecond, cpu := atTheEnd(b, world, groups.Groups)
	b.ReportMetric(perSecond, "samples/s")
	b.ReportMetric(cpu, "cpu-ms/h")
	b.ReportMetric(recorded, "recorded/day")
	b.ReportMetric(bytes/1000, "kB/day")
	b.ReportMetric(100*(got/want-1), "%error")
}

// played is a rule with the name and the interval of its group.
type played struct {
	rulefmt.Rule
	group    string
	interval time.Duration
}

// inOrder returns the rules of groups, each after those that it reads: the third layer
// reads increases of the second, and the second's sums read the third.
func inOrder(groups []rulefmt.RuleGroup) []played {
	var all []played
	for turn := range 4 {
		for _, g := range groups {
			for _, r := range g.Rules {
				if turnOf(g.Name, r.Record) == turn {
					all = append(all, played{r, g.Name, intervalOf(g)})
				}
			}
		}
	}
	return all
}

// intervalOf is how often a group is evaluated, by default a server's default.
func intervalOf(g rulefmt.RuleGroup) time.Duration {
	return cmp.Or(time.Duration(g.Interval), time.Minute)
}

func turnOf(group, record string) int {
	switch {
	case strings.HasSuffix(group, ":hours"):
		return 2
	case !strings.HasSuffix(group, ":long"):
		return 0
	case strings.Contains(record, ":increase"), record == metricnames.CountedMark: // it is read by increases, and must be before them
		return 1
	}
	return 3
}

// atTheEnd is the cost of all rules in the last hours: samples that the engine reads
// per second, and milliseconds of CPU per hour.
func atTheEnd(b *testing.B, w *replay.World, groups []rulefmt.RuleGroup) (perSecond, cpu float64) {
	b.Helper()
	for _, g := range groups {
		interval := intervalOf(g)
		for _, r := range g.Rules {
			cost, err := replaytest.CostOf(w, r.Expr, end.Add(-sampled), end, interval)
			if err != nil {
				b.Fatal(err)
			}
			share := 1 / float64(cost.Evaluations) / interval.Seconds()
			perSecond += float64(cost.Samples) * share
			cpu += cost.CPU.Seconds() * share * 3600 * 1000
		}
	}
	return perSecond, cpu
}

func evaluate(w *replay.World, r rulefmt.Rule, from time.Time, interval time.Duration) (replaytest.Cost, error) {
	if r.Alert != "" {
		return replaytest.Evaluate(w, r.Expr, from, end, interval)
	}
	return replaytest.Record(w, r.Record, r.Expr, r.Labels, from, end, interval)
}
