package sla_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/sla"
)

// levelOf is a level that promises a target.
func levelOf(name, target string) *sla.ServiceLevel {
	return &sla.ServiceLevel{
		ID: sla.ID{SLA: "a", Service: name, SLO: "up"}, Target: sla.MustDecimal(target),
		Aggregation: sla.Time, Indicator: &sla.Condition{}, Period: sla.Period{Rolling: 30 * 24 * 3600e9},
	}
}

func leafOf(l *sla.ServiceLevel) *sla.Node { return &sla.Node{Op: sla.OpLevel, Of: l.ID, Level: l} }

func combined(op sla.Operator, members ...*sla.Node) *sla.Node {
	return &sla.Node{Op: op, Members: members}
}

func compositeOf(t *testing.T, root *sla.Node, shared ...sla.SharedDependency) *sla.Composite {
	t.Helper()
	c := &sla.Composite{Root: root, Shared: shared}
	own := &sla.ServiceLevel{ID: sla.ID{SLA: "a", Service: "whole", SLO: "up"}, Indicator: c}
	if findings := c.Resolve(own); findings.HasErrors() {
		t.Fatal(findings)
	}
	return c
}

func predict(t *testing.T, c *sla.Composite) sla.Prediction {
	t.Helper()
	p, err := c.Predict()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPredictedByTheBook holds the prediction to figures that others publish.
func TestPredictedByTheBook(t *testing.T) {
	web, sql := levelOf("web", "99.95"), levelOf("sql", "99.99")
	queue := levelOf("queue", "99.9")
	traffic := levelOf("traffic", "99.99")
	region := func(name string) *sla.Node {
		return combined(sla.OpAll, leafOf(levelOf("web-"+name, "99.95")), leafOf(levelOf("sql-"+name, "99.99")))
	}
	three := func(op sla.Operator, k int) *sla.Node {
		n := combined(op, leafOf(levelOf("x", "99")), leafOf(levelOf("y", "99")), leafOf(levelOf("z", "99")))
		n.K = k
		return n
	}
	dns := levelOf("dns", "99.9")
	for _, tc := range []struct {
		name, want string
		root       *sla.Node
	}{
		// Microsoft, "Composite SLA": a web app and a database.
		{"microsoft: web app and database", "99.940005", combined(sla.OpAll, leafOf(web), leafOf(sql))},
		// With a queue to fall back to: 99.95 × (1 - 0.0001 × 0.001).
		{"microsoft: queue as fallback", "99.949990005", combined(sla.OpAll, leafOf(web), combined(sla.OpAny, leafOf(sql), leafOf(queue)))},
		// N regions behind a traffic manager: (1 - (1 - A)^2) × 99.99.
		{"microsoft: two regions behind a traffic manager", "99.989964009599150025", combined(sla.OpAll, leafOf(traffic), combined(sla.OpAny, region("east"), region("west")))},
		// AWS, "Reliability Pillar": 99.99 with two hard dependencies of 99.99.
		{"aws: two hard dependencies", "99.970002999900", combined(sla.OpAll, leafOf(levelOf("own", "99.99")), leafOf(levelOf("d1", "99.99")), leafOf(levelOf("d2", "99.99")))},
		{"any of two copies of 99", "99.99", combined(sla.OpAny, leafOf(levelOf("x", "99")), leafOf(levelOf("y", "99")))},
		{"two of three of 99", "99.9702", three(sla.OpAtLeast, 2)},
		{"one of three of 99", "99.9999", three(sla.OpAtLeast, 1)},
		// A dependency counts once wherever it stands (Google, "The Calculus of
		// Service Availability"): not 99.9 × 99.9.
		{"google: a dependency that two parts have", "99.9", combined(sla.OpAll, combined(sla.OpAll, leafOf(dns)), combined(sla.OpAll, leafOf(dns)))},
		{"no redundancy in the same thing twice", "99.9", combined(sla.OpAny, leafOf(dns), leafOf(dns))},
		// Unequal members: 0.9·0.8·0.3 + 0.9·0.2·0.7 + 0.1·0.8·0.7 + 0.9·0.8·0.7.
		{"two of three unequal", "90.2", func() *sla.Node {
			n := combined(sla.OpAtLeast, leafOf(levelOf("x", "90")), leafOf(levelOf("y", "80")), leafOf(levelOf("z", "70")))
			n.K = 2
			return n
		}()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := predict(t, compositeOf(t, tc.root))
			if got := p.Independent.Mul(sla.NewDecimal(100, 1)); got.Cmp(sla.MustDecimal(tc.want)) != 0 {
				t.Errorf("predicted %s %%, want %s %%", got, tc.want)
			}
			if p.Low.Cmp(p.Independent) > 0 || p.High.Cmp(p.Independent) < 0 {
				t.Errorf("%s is not between %s and %s", p.Independent, p.Low, p.High)
			}
		})
	}
}

// TestSharedDependency holds A = A_d · A(φ | d up) to the cases written out.
func TestSharedDependency(t *testing.T) {
	web, a, b := levelOf("web", "99.9"), levelOf("psp-a", "99.5"), levelOf("psp-b", "99")
	c := compositeOf(t, combined(sla.OpAll, leafOf(web), combined(sla.OpAny, leafOf(a), leafOf(b))),
		sla.SharedDependency{Name: "dns", Availability: sla.MustDecimal("99.95"), Affects: []sla.ID{web.ID, a.ID, b.ID}})
	p := predict(t, c)
	dns, one := sla.MustDecimal("0.9995"), sla.NewDecimal(1, 1)
	own := func(ratio string) sla.Decimal { return sla.MustDecimal(ratio).Quo(dns) }
	bothDown := one.Sub(own("0.995")).Mul(one.Sub(own("0.99")))
	want := dns.Mul(own("0.999")).Mul(one.Sub(bothDown))
	if p.Independent.Cmp(want) != 0 {
		t.Errorf("predicted %s, want %s", p.Independent, want)
	}
	if len(p.Shared) != 1 || p.Shared[0].IfDown.Sign() != 0 || p.Shared[0].Label != "dns" {
		t.Errorf("the dependency is %+v", p.Shared)
	}
	if weakest := p.Weakest().Label; weakest != "web/up" { // 99.95 % of its own, and the others stand in for each other
		t.Errorf("the weakest is %s", weakest)
	}
}

// TestNeeds gives each component the availability that Needs returns for it. The composite
// then has exactly its target.
func TestNeeds(t *testing.T) {
	web, a, b := levelOf("web", "99.9"), levelOf("psp-a", "97"), levelOf("psp-b", "95")
	root := combined(sla.OpAll, leafOf(web), combined(sla.OpAny, leafOf(a), leafOf(b)))
	target := sla.MustDecimal("0.9985")
	p := predict(t, compositeOf(t, root))
	reached := 0
	for i, l := range []*sla.ServiceLevel{web, a, b} {
		needs, ok := p.Parts[i].Needs(target)
		if !ok {
			continue
		}
		reached++
		was := l.Target
		l.Target = needs.Mul(sla.NewDecimal(100, 1))
		if got := predict(t, compositeOf(t, root)).Independent; got.Cmp(target) != 0 {
			t.Errorf("with %s at %s: %s, want %s", p.Parts[i].Label, l.Target, got, target)
		}
		l.Target = was
	}
	if reached < 2 {
		t.Errorf("only %d components could reach the target", reached)
	}
}

// TestFailoverIsSubtracted: four switches of 90 s in 30 days.
func TestFailoverIsSubtracted(t *testing.T) {
	root := combined(sla.OpAny, leafOf(levelOf("x", "99")), leafOf(levelOf("y", "99")))
	root.Failover = sla.Failover{Time: 90e9, Expected: sla.NewDecimal(4, 1)}
	want := sla.MustDecimal("0.9999").Sub(sla.NewDecimal(360, 30*86400))
	if got := predict(t, compositeOf(t, root)).Independent; got.Cmp(want) != 0 {
		t.Errorf("predicted %s, want %s", got, want)
	}
}

// TestPredictionByEnumeration draws trees, weighted parts inside others among
// them, and compares the prediction with the sum over every state of the
// components.
func TestPredictionByEnumeration(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var levels []*sla.ServiceLevel
		for i := range rapid.IntRange(1, 5).Draw(r, "levels") {
			levels = append(levels, levelOf(fmt.Sprintf("l%d", i), fmt.Sprintf("%d", rapid.IntRange(1, 99).Draw(r, "target"))))
		}
		c := compositeOf(t, drawTree(r, levels, 3))
		p, err := c.Predict()
		if err != nil {
			r.Skip(err)
		}
		var want sla.Decimal
		for state := range 1 << len(c.Component) {
			chance, good := sla.NewDecimal(1, 1), map[*sla.Component]bool{}
			for i, x := range c.Component {
				if good[x] = state>>i&1 == 1; good[x] {
					chance = chance.Mul(x.Level.TargetRatio())
				} else {
					chance = chance.Mul(x.Level.TargetBudget())
				}
			}
			want = want.Add(goodness(c.Tree, good).Mul(chance))
		}
		if p.Independent.Cmp(want) != 0 {
			r.Fatalf("%s: predicted %s, want %s", c.Words(), p.Independent, want)
		}
		if p.Low.Cmp(want) > 0 || p.High.Cmp(want) < 0 {
			r.Fatalf("%s: %s is not between %s and %s", c.Words(), want, p.Low, p.High)
		}
	})
}

// goodness is that of a node in a state of the components, by sorting.
func goodness(n *sla.Node, good map[*sla.Component]bool) sla.Decimal {
	if n.Op == sla.OpLevel {
		if good[n.Component] {
			return sla.NewDecimal(1, 1)
		}
		return sla.Decimal{}
	}
	var of []sla.Decimal
	var sum sla.Decimal
	for i, m := range n.Members {
		of = append(of, goodness(m, good))
		if n.Op == sla.OpWeighted {
			sum = sum.Add(of[i].Mul(n.Weights[i]))
		}
	}
	slices.SortFunc(of, sla.Decimal.Cmp)
	switch n.Op {
	case sla.OpWeighted:
		return sum
	case sla.OpAny:
		return of[len(of)-1]
	case sla.OpAtLeast:
		return of[len(of)-n.K]
	}
	return of[0]
}

func drawTree(r *rapid.T, levels []*sla.ServiceLevel, depth int) *sla.Node {
	if depth == 0 || rapid.IntRange(0, 2).Draw(r, "leaf") == 0 {
		return leafOf(rapid.SampledFrom(levels).Draw(r, "level"))
	}
	n := combined(rapid.SampledFrom([]sla.Operator{sla.OpAll, sla.OpAny, sla.OpAtLeast, sla.OpWeighted, sla.OpJourney}).Draw(r, "op"))
	size := rapid.IntRange(1, 3).Draw(r, "members")
	left := int64(10)
	for i := range size {
		n.Members = append(n.Members, drawTree(r, levels, depth-1))
		weight := left
		if i < size-1 {
			weight = int64(rapid.IntRange(1, int(left)-(size-1-i)).Draw(r, "weight"))
		}
		n.Weights, left = append(n.Weights, sla.NewDecimal(weight, 10)), left-weight
	}
	n.K = rapid.IntRange(1, size).Draw(r, "k")
	return n
}
