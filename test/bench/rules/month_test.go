package rules

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/replay"
)

// BenchmarkMonth runs the rules of each side over one month of ten pods, in worlds that
// are increasingly hard to count. It reports how much of the 30 days' budget is used,
// according to the rules and by the true counts, the error of the former, the samples
// that the engine reads per second, and the number of rules.
func BenchmarkMonth(b *testing.B) {
	released := hard
	released.releaseEvery = 3 * day
	away := released
	away.away = peakOutageUnseen
	for _, of := range []struct {
		name   string
		kind   kind
		scrape []time.Duration
	}{
		{"usual", usual, []time.Duration{15 * time.Second}},
		{"restarts and releases", released, []time.Duration{15 * time.Second, time.Minute}},
		{"restarts, releases, server away", away, []time.Duration{15 * time.Second, time.Minute}},
	} {
		for _, every := range of.scrape {
			k := of.kind
			k.scrape = every
			for _, s := range sides {
				b.Run(of.name+", scraped every "+every.String()+"/"+s.name, func(b *testing.B) {
					file := s.rules(b)
					for b.Loop() {
						s.month(b, file, k)
					}
				})
			}
		}
	}
}

// objective is the promise of all sides, as a share.
const objective = 0.999

// month simulates a month of a server that is away at times.
func (s side) month(b *testing.B, file []byte, k kind) {
	b.Helper()
	groups, errs := rulefmt.Parse(file, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		b.Fatal(errs[0])
	}
	world, truth := replay.New(), month(10, k)
	truth.add(world)
	plan := replay.Plan{From: start, To: end.Add(time.Millisecond), Files: []replay.File{{Name: s.name + ".yaml", Text: s.played(b, groups.Groups)}}}
	if k.away != (replay.Span{}) {
		plan.Away = []replay.Span{k.away}
	}
	if _, err := world.Run(context.Background(), plan); err != nil {
		b.Fatal(err)
	}
	rules := 0
	for _, r := range inOrder(groups.Groups) {
		if rules++; r.Alert != "" || s.throughout(r.Rule) {
			continue
		}
		if _, err := evaluate(world, r.Rule, end.Add(-sampled), r.interval); err != nil {
			b.Fatal(err)
		}
	}
	got, err := world.Value(s.period, end)
	if err != nil {
		b.Fatal(err)
	}
	want := truth.ratio(30 * day)
	perSecond, _ := atTheEnd(b, world, groups.Groups)
	b.ReportMetric(100*got/(1-objective), "%budget")
	b.ReportMetric(100*want/(1-objective), "%counted")
	b.ReportMetric(100*(got/want-1), "%error")
	b.ReportMetric(perSecond, "samples/s")
	b.ReportMetric(float64(rules), "rules")
}

// played is a file with the rules that are evaluated all month.
func (s side) played(b *testing.B, groups []rulefmt.RuleGroup) []byte {
	b.Helper()
	var kept rulefmt.RuleGroups
	for _, g := range groups {
		all := g.Rules
		g.Rules = nil
		for _, r := range all {
			if r.Alert == "" && s.throughout(r) {
				g.Rules = append(g.Rules, r)
			}
		}
		if len(g.Rules) > 0 {
			kept.Groups = append(kept.Groups, g)
		}
	}
	text, err := yaml.Marshal(kept)
	if err != nil {
		b.Fatal(err)
	}
	return text
}
