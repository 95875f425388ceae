package promql

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Whatever parses is proven: it prints as what it is.
func TestWhatParsesIsProven(t *testing.T) {
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
		if _, err := e.Prove(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Two texts are the same query exactly if nothing differs but parentheses and the
// order of matchers.
func TestQueriesAreToldApart(t *testing.T) {
	apart := []string{
		`m{a="x"}`, `m{a="y"}`, `m{b="x"}`, `n{a="x"}`, `m{a=~"x"}`, `m{a!="x"}`, `m{a="x",b="y"}`, `m{a=""}`, `m{a="\""}`,
		`m offset 5m`, `m offset -5m`, `m @ 12`, `m @ 13`, `m @ start()`, `m @ end()`, `m[5m]`, `m[1h]`, `m[1h:]`, `m[1h:5m]`, `m[1h:5m] offset 5m`, `m[1h:5m] @ 12`,
		`1`, `-1`, `2`, `0`, `-0`, `Inf`, `-Inf`, `NaN`, `"1"`, `"2"`, `-m`, `+m`, `m + 1`, `m + -1`, `m - 1`, `1 - m`, `m > 1`, `m > bool 1`,
		`m + n`, `m + on () n`, `m + on (a) n`, `m + ignoring (a) n`, `m + on (a) group_left () n`, `m + on (a) group_left (b) n`, `m + on (a) group_right () n`,
		`sum(m)`, `avg(m)`, `sum by (a) (m)`, `sum by (a, b) (m)`, `sum without (a) (m)`, `sum(n)`, `topk(1, m)`, `topk(2, m)`,
		`abs(m)`, `ceil(m)`, `abs(n)`, `round(m)`, `round(m, 2)`, `vector(1)`, `time()`, `(m + n) * o`, `m + n * o`, `m - n - o`, `m - (n - o)`,
	}
	parsed := func(text string) Expr {
		e, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return e
	}
	for i, a := range apart {
		for j, b := range apart {
			if got := same(parsed(a).node, parsed(b).node); got != (i == j) {
				t.Errorf("%s and %s are the same query: %t", a, b, got)
			}
		}
	}
	for a, b := range map[string]string{
		`m`: `((m))`, `m{a="x",b="y"}`: `m{b="y",a="x"}`, `{__name__="m"}`: `m`, `m + n * o`: `m + (n * o)`, `rate(m[60s])`: `rate(m[1m])`, `1e3`: `1000`,
	} {
		if !same(parsed(a).node, parsed(b).node) {
			t.Errorf("%s and %s are not the same query", a, b)
		}
	}
}

func BenchmarkProve(b *testing.B) {
	e := OrOn(Sum(Series("m", Eq("job", "x")).Rate(5*time.Minute)), Mul(Num(sla.NewDecimal(0, 1)), Series("sla:total:rate5m", Eq("sla", "x"), Eq("service", "y"), Eq("slo", "z")).Now()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Prove(); err != nil {
			b.Fatal(err)
		}
	}
}
