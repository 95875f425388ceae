package imports_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/replaytest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/sla"
)

// same is by how much, as a share, figures of the same events may differ.
const same = 0.001

// longer is by how much our rolling periods may be longer than their name, since they begin
// at a whole hour. It matters where every minute weighs the same.
const longer = 90 * time.Minute

func TestPyrrasErrorRatiosAreOurs(t *testing.T) {
	t.Parallel()
	all := map[string]pyrraCase{}
	for name, o := range fixturesOfPyrra(t) {
		all[name] = pyrraCase{o, checkedIn(t, name)}
	}
	for name, c := range testsize.Cases(t, all, "shop-days", "shop-native", "shop-cheap-up") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.compare(t)
		})
	}
}

// TestPyrrasExamplesAreOurs does the same with the examples that Pyrra's module has, and
// the rules that its program makes of them.
func TestPyrrasExamplesAreOurs(t *testing.T) {
	t.Parallel()
	program, examples := pyrraProgram(t), examplesOfPyrra(t)
	made := madeByPyrra(t, program, examples)
	for name, o := range testsize.Cases(t, examples, "prometheus-operator-http", "prometheus-blackbox-probe-success", "pyrra-connect-errors") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pyrraCase{o, ruleFilesOf(name, made)}.compare(t)
		})
	}
}

// pyrraCase is an object with the rule files that Pyrra makes of it.
type pyrraCase struct {
	object *pyrraObject
	theirs [][]byte
}

// checkedIn are the rule files of a fixture.
func checkedIn(t *testing.T, name string) [][]byte {
	t.Helper()
	found := ruleFilesOf(name, filesIn(t, pyrraRules))
	if len(found) == 0 {
		t.Fatalf("no rules of %s: PYRRA=bin/tools/pyrra go test ./internal/imports -update", name)
	}
	return found
}

// ruleFilesOf are those of an object, the one that others read before them.
func ruleFilesOf(name string, made map[string][]byte) [][]byte {
	var found [][]byte
	for _, suffix := range []string{"", "-short", "-long"} {
		if text, ok := made[name+suffix+".yaml"]; ok {
			found = append(found, text)
		}
	}
	return found
}

// rules are Pyrra's, with the intervals of their groups. Those that read others are last.
func (c pyrraCase) rules(t *testing.T) []timedRule {
	t.Helper()
	var all []timedRule
	for _, text := range c.theirs {
		file, errs := rulefmt.Parse(text, false, model.UTF8Validation, promqlOf, slog.New(slog.DiscardHandler))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		for _, g := range file.Groups {
			for _, r := range g.Rules {
				all = append(all, timedRule{r, time.Duration(g.Interval)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b timedRule) int {
		last := func(r timedRule) int { return strings.Count(r.Record, "pyrra_") }
		return last(a) - last(b)
	})
	return all
}

type timedRule struct {
	rulefmt.Rule
	interval time.Duration
}

// ours are the level that an object becomes, and its rules. It is not ok if the object
// groups by a label that our rules set themselves, which must be reported.
func (c pyrraCase) ours(t *testing.T) (level *sla.ServiceLevel, rules []byte, ok bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "slo.yaml")
	if err := os.WriteFile(file, c.object.text, 0o600); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(c.object.grouping(), "service") {
		if _, findings := files.Load(file); len(findings) != 1 || !strings.Contains(findings[0].Message, `the label "service" is set by the rules themselves`) {
			t.Errorf("of a grouping by service is said: %v", findings)
		}
		return nil, nil, false
	}
	agreement, rules := compiled(t, file)
	return agreement.Levels[0], rules, true
}

// compare runs both sides' rules over the same raw series until a period has passed, and
// compares the shares of windows, and what is used of the budget. Only make ci-all evaluates
// those of our rules that none of these is made of, such as the alerts.
func (c pyrraCase) compare(t *testing.T) {
	level, ours, ok := c.ours(t)
	if !ok {
		return
	}
	rules := c.rules(t)
	windows := pairedWindows(t, rules, level)
	period := level.Period.Rolling
	begin := enginetest.Start.Truncate(time.Hour)
	end := begin.Add(period + 2*time.Hour)
	w := replay.New()
	c.object.feed(t, w, newPast(begin, end, slices.Concat(slices.Collect(maps.Keys(windows)), slices.Collect(maps.Values(windows)), []time.Duration{period})))
	if !testsize.Every() {
		ours = enginetest.Keep(t, ours, readByComparison(windows)...)
	}
	if _, err := w.Run(context.Background(), replay.Plan{Files: []replay.File{{Name: "ours.yaml", Text: ours}}, From: begin.Add(30 * time.Minute), To: end.Add(time.Second)}); err != nil {
		t.Fatal(err)
	}
	v := views{t: t, world: w, end: end, object: c.object, level: level}
	compared := 0
	for _, r := range rules {
		if r.Record == "" {
			continue
		}
		from := end
		if c.object.Spec.PerformanceOverAccuracy && strings.HasSuffix(r.Record, "5m") && !strings.Contains(r.Record, "rate5m") {
			from = begin // what sums of the whole period read
		}
		if _, err := replaytest.Record(w, r.Record, r.Expr, r.Labels, from, end, r.interval); err != nil {
			t.Fatal(err)
		}
		name, window, ok := strings.Cut(r.Record, ":burnrate")
		if !ok || name == "" {
			continue
		}
		if of, ok := windows[durationOf(t, window)]; ok {
			within := same
			if of > 6*time.Hour { // rounded to other steps, so that it has more or less in it
				within += math.Abs(1 - of.Seconds()/durationOf(t, window).Seconds())
			}
			v.alike("the last "+window, r.Record, `sla:error:ratio_rate`+sla.FormatDuration(of), within)
			compared++
		}
	}
	least := 1 // both have five minutes, or half an hour
	if len(level.Alerting.Tiers) > 0 {
		least = 5
	}
	if compared < least {
		t.Errorf("only %d windows were compared", compared)
	}
	within := same
	if c.object.Spec.Indicator.Gauge.Metric != nil {
		within += longer.Seconds() / period.Seconds()
	}
	v.alike("the budget", c.object.used(t), "sla:error:ratio_period", within)
}

// readByComparison are the series of ours that are compared.
func readByComparison(windows map[time.Duration]time.Duration) []string {
	all := []string{"sla:error:ratio_period"}
	for _, window := range windows {
		all = append(all, "sla:error:ratio_rate"+sla.FormatDuration(window))
	}
	return all
}

// pairedWindows are the windows of Pyrra's burn rates, and ours that stand for them: of
// the same tier, or else as long.
func pairedWindows(t *testing.T, rules []timedRule, level *sla.ServiceLevel) map[time.Duration]time.Duration {
	t.Helper()
	pairs := map[time.Duration]time.Duration{}
	recorded := slices.Clone(sla.StandardWindows)
	for i, theirs := range pyrraTiersOf(t, rules) {
		if i < len(level.Alerting.Tiers) {
			ours := level.Alerting.Tiers[i]
			pairs[theirs.long], pairs[theirs.short] = ours.Long, ours.Short
		}
	}
	for _, r := range rules {
		if _, text, ok := strings.Cut(r.Record, ":burnrate"); ok {
			if w := durationOf(t, text); pairs[w] == 0 && slices.Contains(recorded, w) {
				pairs[w] = w
			}
		}
	}
	return pairs
}

func durationOf(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := model.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(d)
}

// views are both sides of one world at its end.
type views struct {
	t      *testing.T
	world  *replay.World
	end    time.Time
	object *pyrraObject
	level  *sla.ServiceLevel
}

// alike demands that an expression of Pyrra's series and a series of ours are the same,
// for each group, within a share.
func (v views) alike(what, theirs, ours string, within float64) {
	v.t.Helper()
	a := v.byGroup(theirs)
	b := v.byGroup(fmt.Sprintf(`%s{sla=%q,slo=%q}`, ours, v.level.ID.SLA, v.level.ID.SLO))
	if groups := max(len(v.object.grouping()), 1); len(a) < groups {
		v.t.Fatalf("%s: only %d groups", what, len(a))
	}
	for group, share := range a {
		if got, ok := b[group]; !ok || math.Abs(got-share) > within*share {
			v.t.Errorf("%s of %s: %v here, %v by Pyrra (%+.3f %%)", what, group, got, share, 100*(got/share-1))
		}
	}
}

// byGroup are the values of an expression by the labels that the object groups by.
func (v views) byGroup(expr string) map[string]float64 {
	v.t.Helper()
	vector, err := v.world.Vector(expr, v.end)
	if err != nil {
		v.t.Fatalf("%s: %v", expr, err)
	}
	all := map[string]float64{}
	for _, s := range vector {
		all[groupOf(s, v.object.grouping())] = s.F
	}
	return all
}

func groupOf(s promql.Sample, grouping []string) string {
	return labels.NewBuilder(s.Metric).Keep(grouping...).Labels().String()
}

// used is an expression of Pyrra's series that is the bad share of the period: without
// groups of the one that it makes for others, with groups as its page computes it.
func (o *pyrraObject) used(t *testing.T) string {
	t.Helper()
	if len(o.grouping()) == 0 {
		return fmt.Sprintf("1 - pyrra_availability{slo=%q}", o.Metadata.Name)
	}
	of, window := o.Spec.Indicator, model.Duration(durationOf(t, o.Spec.Window)).String()
	sum := func(s *selector, kind string, more ...string) string {
		name := s.Name
		if kind == "increase" {
			for _, suffix := range []string{"_total", "_count", "_bucket"} {
				name = strings.TrimSuffix(name, suffix)
			}
		}
		conditions := append([]string{fmt.Sprintf("slo=%q", o.Metadata.Name)}, more...)
		for _, m := range s.LabelMatchers {
			if m.Name != labels.MetricName && m.Name != labels.BucketLabel {
				conditions = append(conditions, m.String())
			}
		}
		return fmt.Sprintf("sum by (%s) ({__name__=%q,%s})", strings.Join(o.grouping(), ","), name+":"+kind+window, strings.Join(conditions, ","))
	}
	switch {
	case of.Gauge.Metric != nil:
		return "1 - " + sum(of.Gauge.Metric, "sum") + " / " + sum(of.Gauge.Metric, "count")
	case of.Native.Total.Metric != nil:
		return "1 - " + sum(of.Native.Total.Metric, "increase", `le!=""`) + " / " + sum(of.Native.Total.Metric, "increase", `le=""`)
	case of.Latency.Total.Metric != nil:
		return "1 - " + sum(of.Latency.Success.Metric, "increase", `le!=""`) + " / " + sum(of.Latency.Total.Metric, "increase", `le=""`)
	}
	return sum(of.Ratio.Errors.Metric, "increase") + " / " + sum(of.Ratio.Total.Metric, "increase")
}
