package replay_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
)

// gambler makes rule files at random: few names, so that rules read each other, in
// any order, and what they record themselves.
type gambler struct{ *rand.Rand }

func (g gambler) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g gambler) selector() string {
	name := g.pick("x", "x", "y", "r0", "r1", "r2", "r3", "r4", "r5", "ALERTS", "ALERTS_FOR_STATE")
	if strings.HasPrefix(name, "ALERTS") {
		return name + g.pick("", `{alertname="A0"}`, `{alertname="A1",alertstate="firing"}`)
	}
	return name + g.pick("", "", "", `{pod="a"}`, `{l="1"}`, `{pod!="b"}`)
}

func (g gambler) offset() string {
	return g.pick("", "", "", "", " offset 1m", " offset 25s", " offset -20s", " @ end()", " @ 1772705300")
}

// vector is an expression with a bounded depth.
func (g gambler) vector(depth int) string {
	if depth == 0 {
		return g.selector() + g.offset()
	}
	inner := func() string { return g.vector(depth - 1) }
	over := g.pick("max_over_time", "sum_over_time", "last_over_time", "count_over_time", "rate", "delta", "changes", "avg_over_time")
	switch g.IntN(11) {
	case 0:
		return g.selector() + g.offset()
	case 1:
		return "sum by (pod) (" + inner() + ")"
	case 2:
		return over + "(" + g.selector() + g.pick("[1m]", "[3m]", "[10m]") + g.offset() + ")"
	case 3:
		return over + "((" + inner() + ")" + g.pick("[2m:20s]", "[5m:1m]", "[3m:]") + g.pick("", "", " offset 30s") + ")"
	case 4:
		return "(" + inner() + " or " + inner() + ")"
	case 5:
		return "(" + inner() + " unless on (pod) " + inner() + ")"
	case 6:
		return "(" + inner() + " + on (pod) group_left () max by (pod) (" + inner() + "))"
	case 7:
		return "(" + inner() + g.pick(" > 1", " < 4", " >= bool 2", " * 0.5") + ")"
	case 8:
		return "absent(" + g.selector() + ")"
	case 9:
		return "timestamp(" + g.selector() + ")"
	default:
		return "clamp_max(" + inner() + ", 1000)"
	}
}

// file is a rule file. Of odd seeds every rule has a name of its own.
func (g gambler) file(seed int) []byte {
	names := []string{"r0", "r1", "r2", "r3", "r4", "r5"}
	g.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var b strings.Builder
	b.WriteString("groups:\n")
	for i := range 1 + g.IntN(3) {
		fmt.Fprintf(&b, "- name: g%d-%d\n  interval: %s\n", i, g.IntN(1000), g.pick("20s", "30s", "1m", "1m", "5m"))
		if g.IntN(4) == 0 {
			fmt.Fprintf(&b, "  query_offset: %s\n", g.pick("30s", "1m", "45s"))
		}
		if g.IntN(6) == 0 {
			b.WriteString("  limit: 3\n")
		}
		fmt.Fprintf(&b, "  rules:\n  - {record: 'n%d', expr: 'sum(x)'}\n", i)
		for range 1 + g.IntN(5) {
			l := g.pick("{}", "{}", `{l: "1"}`, `{l: "2"}`, `{pod: a}`)
			if own := seed%2 == 1; own && len(names) > 0 {
				fmt.Fprintf(&b, "  - {record: %s, labels: %s, expr: '%s'}\n", names[0], l, g.vector(g.IntN(4)))
				names = names[1:]
				continue
			} else if own {
				continue
			}
			if g.IntN(4) > 0 {
				fmt.Fprintf(&b, "  - {record: r%d, labels: %s, expr: '%s'}\n", g.IntN(6), l, g.vector(g.IntN(4)))
				continue
			}
			if g.IntN(3) == 0 {
				l = g.pick(`{l: "{{ $value }}"}`, `{l: '{{ with query "r0" }}{{ len . }}{{ end }}'}`)
			}
			fmt.Fprintf(&b, "  - {alert: A%d, labels: %s, for: %s, keep_firing_for: %s, expr: '%s'}\n",
				g.IntN(3), l, g.pick("0s", "0s", "1m", "3m", "11m"), g.pick("0s", "0s", "2m"), g.vector(g.IntN(4)))
		}
	}
	return []byte(b.String())
}

// Rules that are made at random are evaluated as a server does: some in a short run, 400
// files in one that tries every case, and more when every case is repeated.
func TestRandomRulesAreAsInAServer(t *testing.T) {
	for seed := range testsize.Repeats(30, 400, 1500) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			g := gambler{rand.New(rand.NewPCG(uint64(seed), 1))}
			file := g.file(seed)
			comes, jumps := 3+g.Float64()*9, 2+g.Float64()*7
			target := func(at time.Time) []enginetest.Sample {
				m := at.Sub(enginetest.Start).Minutes()
				all := []enginetest.Sample{
					{Series: `x{pod="a"}`, Value: math.Floor(3 + 3*math.Sin(m/jumps))},
					{Series: `y{pod="a",l="1"}`, Value: 10 * math.Mod(m, 17)},
				}
				if math.Mod(m, comes) > comes/3 {
					all = append(all, enginetest.Sample{Series: `x{pod="b"}`, Value: math.Floor(m / 4)})
				}
				return all
			}
			b := both{
				t: t, target: target, files: [][]byte{file}, start: enginetest.Start, mayFail: true,
				runs: []time.Duration{20 * time.Minute, time.Duration(1+g.IntN(30)) * scrape, 25 * time.Minute},
			}
			b.compare()
			if t.Failed() {
				t.Logf("%s", file)
			}
		})
	}
}
