package promql

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/sla"
)

// Whatever is joined or parsed, its layout means the same, no line of it begins with a
// tab or ends with a space, and the first has no indent, so that it can stand in a block of YAML.
func TestEveryLayoutMeansWhatItIsOf(t *testing.T) {
	check := func(e Expr) string {
		text, _, err := new(Layout).Prove(e)
		if err != nil {
			return err.Error()
		}
		for i, line := range strings.Split(text, "\n") {
			if line != strings.TrimRight(line, " ") || strings.HasPrefix(line, "\t") || i == 0 && strings.HasPrefix(line, " ") {
				return "a line that YAML may not keep: " + line
			}
		}
		return ""
	}
	rapid.Check(t, func(t *rapid.T) {
		if wrong := check(expression(5).Draw(t, "expression")); wrong != "" {
			t.Fatal(wrong)
		}
	})
	long := strings.Repeat("long_", 20)
	for _, text := range []string{
		`-(A + B * C)`, `A ^ B ^ C`, `(A ^ B) ^ -C`, `topk(3, A or B or C)`, `quantile(0.9, A / B)`, `count_values("v", A + B)`, `A * on (x) group_left (y) (B - C)`,
		`max_over_time((A - B)[1h:5m] offset 1d)`, `max_over_time((A - B)[1h:5m] @ end())`, `label_replace(A > bool B, "a", "$1", "b", "(.*)")`,
		`A unless on () (B and C)`, `time() - A > 1e3`, `A - B + 1 - C`, `A - (B + 1)`, `2 * A + B`, `-A * B`, `sum without (a) (A % B)`, `1 + 2 * 3`,
		`A == bool -1`, `vector(time() - 5 * 3)`, `absent(A > B)`, `A atan2 B`, `A[5m] offset -5m`, `-1 - -A`,
	} {
		e, err := Parse(strings.NewReplacer("A", long+"a", "B", long+"b", "C", long+"c").Replace(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if wrong := check(e); wrong != "" {
			t.Errorf("%s: %s", text, wrong)
		}
	}
}

func TestLayout(t *testing.T) {
	of := func(name string) Selector {
		return Series(name, Eq("service", "storefront"), Eq("sla", "smallest"), Eq("slo", "availability"))
	}
	a, b, num := of("sla:bad:rate5m"), of("sla:total:rate5m"), func(n int64) Expr { return Num(sla.NewDecimal(n, 1)) }
	const labels = `{service="storefront",sla="smallest",slo="availability"}`
	for name, c := range map[string]struct {
		e    Expr
		want string
	}{
		"short": {Add(Mul(num(0), Series("a").Now()), num(1)), "(0 * a) + 1"},
		"a row": {Sub(Add(Series("a").Now(), Series("b").Now()), Series("c").Now()), "a + b - c"},
		"a ratio": {Div(a.Now(), Gt(b.Now(), num(0))), `
sla:bad:rate5m` + labels + `
/
(sla:total:rate5m` + labels + ` > 0)`},
		"one selector": {
			Gt(Sum(of("a_metric_with_quite_a_long_name").Rate(5*time.Minute), "sla", "service"), num(0)),
			`sum by (sla, service) (rate(a_metric_with_quite_a_long_name` + labels + `[5m])) > 0`,
		},
		"a number beside": {Mul(Add(a.Now(), b.Now()), num(15)), `
(
  sla:bad:rate5m` + labels + `
  +
  sla:total:rate5m` + labels + `
) * 15`},
		"a row of lines": {Or(Or(a.Now(), b.Now()), Mul(b.Now(), num(2))), `
sla:bad:rate5m` + labels + `
or
sla:total:rate5m` + labels + `
or
(sla:total:rate5m` + labels + ` * 2)`},
		"nested": {AndOn(Max(OrOn(Gt(a.Now(), num(3)), b.Now(), "sla"), "slo"), AtStep(Sub(a.Now(), b.Now()), time.Minute, 15*time.Second), "slo"), `
max by (slo) (
  (sla:bad:rate5m` + labels + ` > 3)
  or on (sla)
  sla:total:rate5m` + labels + `
)
and on (slo)
last_over_time(
  (
    sla:bad:rate5m` + labels + `
    -
    sla:total:rate5m` + labels + `
  )[1m:1m] offset 15s
)`},
		"arguments": {ClampMax(Sub(a.Now(), b.Now()), sla.NewDecimal(1, 2)), `
clamp_max(
  sla:bad:rate5m` + labels + `
  -
  sla:total:rate5m` + labels + `,
  0.5
)`},
	} {
		got, _, err := new(Layout).Prove(c.e)
		if want := strings.TrimPrefix(c.want, "\n"); got != want || err != nil {
			t.Errorf("%s: got %v\n%s\nwant\n%s", name, err, got, want)
		}
	}
}

func TestLayoutTellsWhatJoins(t *testing.T) {
	for text, want := range map[string]bool{"a": false, "rate(a[5m])": false, "vector(1)": false, "a > 0": true, "max(a or b)": true, "-a": false} {
		e, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, joins, err := new(Layout).Prove(e); joins != want || err != nil {
			t.Errorf("%s joins: %t, %v", text, joins, err)
		}
	}
}

func TestAnEmptyExpressionHasNoLayout(t *testing.T) {
	if _, _, err := new(Layout).Prove(Expr{}); err == nil {
		t.Error("an empty expression was let through")
	}
}

func BenchmarkLayout(b *testing.B) {
	series := func(name string) Selector {
		return Series(name, Eq("sla", "shop"), Eq("service", "storefront"), Eq("slo", "availability"))
	}
	e := OrOn(Gt(series("sla:error:ratio_rate5m").Now(), Num(sla.NewDecimal(1, 1000))), AndOn(Gt(series("sla:error:ratio_rate1h").Now(), Num(sla.NewDecimal(1, 1000))), series("b").Now(), "sla"), "sla")
	for name, prove := range map[string]func() (string, error){
		"line":   e.Prove,
		"layout": func() (string, error) { text, _, err := new(Layout).Prove(e); return text, err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := prove(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
