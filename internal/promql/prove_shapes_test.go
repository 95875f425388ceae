package promql

import (
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/sla"
)

// Whatever is let through for the shape of another tree would have been let
// through by itself, and prints as the parser's own printer does. The cache is
// shared by all draws, so most of them are proven by the shape of an earlier one.
func TestProofOfAShapeHoldsForItsTrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := expression(3).Draw(t, "expression")
		proof, err := e.Proof()
		if err != nil {
			t.Fatal(err)
		}
		if err := proveText(e.node, proof.Text); err != nil {
			t.Fatal(err)
		}
		if want := e.node.String(); proof.Text != want {
			t.Fatalf("printed %s, the parser prints %s", proof.Text, want)
		}
	})
}

// The printer is the parser's for everything that users and the generator
// write, and whatever parses is proven.
func TestPrinterIsTheParsers(t *testing.T) {
	for _, text := range []string{
		`sum by (a, b) (rate(m{x="1"}[5m]))`, `sum without (a) (m)`, `topk(3, m)`, `quantile(0.9, m)`,
		`count_values("v", m)`, `a * on (x) group_left (y) b`, `a / ignoring (x) group_right () b`,
		`a > bool 1`, `-a`, `-(1)`, `m offset 5m`, `m[5m] offset -5m`, `m[1h:5m]`, `rate(m[5m])[1h:] offset 1d`,
		`m @ 12.5`, `m[5m] @ end() offset 1h`, `m[1h:1m] @ start()`, `{x="1"}`, `{__name__=~"a|b",x!="y"}`,
		`m{x="",y!~"z+"}`, `m{b="1",a="2",a="1"}`, `{"utf.8", "la.bel"="x"}`, `a unless on () b`,
		`time() - 1e3`, `1e100`, `Inf`, `NaN`, `label_replace(m, "a", "$1", "b", "(.*)")`, `m{x="q\"uote\\ é"}`, `vector(5m)`,
	} {
		e, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for range 2 { // by itself, and by its shape
			proof, err := e.Proof()
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
			if want := e.node.String(); proof.Text != want {
				t.Errorf("printed %s, the parser prints %s", proof.Text, want)
			}
		}
	}
}

// Trees that differ in anything but plain literals have shapes of their own.
func TestShapesTellTreesApart(t *testing.T) {
	m := func(value string) Expr { return Series("m", Eq("a", value)).Now() }
	n := func(num, den int64) Expr { return Num(sla.NewDecimal(num, den)) }
	sum := &parser.BinaryExpr{Op: parser.ADD, LHS: m("x").node, RHS: m("y").node, VectorMatching: &parser.VectorMatching{}}
	groups := [][]Expr{
		{Add(m("x"), n(1, 1)), Add(m("other"), n(1, 3)), Add(m("sla:x{}"), n(0, 1))},
		{Add(m("x"), n(-1, 1))},
		{Sub(m("x"), n(1, 1))},
		{Series("m", Re("a", "x")).Now()},
		{Series("m", Re("a", "y")).Now()},
		{Series("n", Eq("a", "x")).Now()},
		{Series("m", Eq("b", "x")).Now()},
		{Series("m", Eq("a", "")).Now()},
		{Series("m", Eq("a", `"`)).Now()},
		{Series("m", Eq("a", "é")).Now()},
		{m("x"), m("y")},
		{Series("m").Rate(time.Minute)},
		{Series("m").Rate(time.Hour)},
		{SetLabel(m("x"), "l", "1")},
		{SetLabel(m("x"), "l", "2")},
		{SubOn(m("x"), m("y"))},
		{Sub(m("x"), m("y"))},
		{Mul(Add(m("x"), m("y")), m("z"))},
		{Add(m("x"), Mul(m("y"), m("z")))},
	}
	owner := map[*Shape]int{}
	for i, group := range groups {
		for _, e := range group {
			proof, err := e.Proof()
			if err != nil {
				t.Fatal(err)
			}
			if first, seen := owner[proof.Shape]; seen && first != i {
				t.Errorf("%s has the shape of %s", proof.Text, groups[first][0])
			}
			owner[proof.Shape] = i
		}
	}
	if len(owner) != len(groups) {
		t.Errorf("%d shapes for %d kinds of tree", len(owner), len(groups))
	}
	// The text of the wrong tree is that of a proven one; its shape is not.
	wrong := Expr{&parser.BinaryExpr{Op: parser.MUL, LHS: sum, RHS: m("z").node, VectorMatching: &parser.VectorMatching{}}}
	if proof, err := wrong.Proof(); err == nil {
		t.Errorf("%s was let through by another's proof", proof.Text)
	}
}

func BenchmarkProve(b *testing.B) {
	e := OrOn(Sum(Series("m", Eq("job", "x")).Rate(5*time.Minute)), Mul(Num(sla.NewDecimal(0, 1)), Series("sla:total:rate5m", Eq("sla", "x"), Eq("service", "y"), Eq("slo", "z")).Now()))
	b.Run("shape", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := e.Proof(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("full", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := proveText(e.node, e.node.String()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
