package promql

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/sla"
)

// expression draws a random tree of the constructors.
func expression(depth int) *rapid.Generator[Expr] {
	return rapid.Custom(func(t *rapid.T) Expr {
		if depth == 0 || rapid.IntRange(0, 3).Draw(t, "leaf") == 0 {
			return leaf(t)
		}
		sub := expression(depth - 1)
		a := sub.Draw(t, "a")
		b := sub.Draw(t, "b")
		joins := []func(a, b Expr) Expr{
			Add, Sub, Mul, Div, Gt, Or,
			func(a, b Expr) Expr { return SubOn(a, b, "x", "y") },
			func(a, b Expr) Expr { return OrOn(a, b) },
			func(a, b Expr) Expr { return AndOn(a, b, "x") },
			func(a, b Expr) Expr { return AndIgnoring(a, b, "le") },
			func(a, b Expr) Expr { return UnlessIgnoring(a, b, "le") },
			func(a, _ Expr) Expr { return AtStep(a, time.Hour, time.Second) },
			func(a, _ Expr) Expr { return SumOverSteps(a, time.Hour-time.Millisecond, time.Minute) },
			func(a, b Expr) Expr { return And(a, b) },
			GtBool, GeBool, Ge,
			func(a, _ Expr) Expr { return Sum(a) },
			func(a, _ Expr) Expr { return Avg(a) },
			func(a, _ Expr) Expr { return Min(a) },
			func(a, _ Expr) Expr { return Sum(a, "x", "le") },
			func(a, _ Expr) Expr {
				return HistogramFraction(sla.NewDecimal(0, 1), sla.NewDecimal(3, 10), HistogramCount(a))
			},
			func(a, _ Expr) Expr { return ClampMin(a, sla.NewDecimal(-1, 2)) },
			func(a, _ Expr) Expr { return SetLabel(a, "l", `q"\uote`) },
		}
		return rapid.SampledFrom(joins).Draw(t, "join")(a, b)
	})
}

func leaf(t *rapid.T) Expr {
	value := rapid.StringMatching(`[a-z\\"'{}=, é\n]*`).Draw(t, "value")
	s := Series(rapid.SampledFrom([]string{"m", "sla:total:rate5m"}).Draw(t, "name"), Eq("a", value), Re("b", "x|y"))
	window := time.Duration(rapid.IntRange(1, 5000).Draw(t, "minutes")) * time.Minute
	leaves := []Expr{
		s.Now(), s.Rate(window), s.SumOverTime(window), s.CountOverTime(window), s.AvgOverTime(window), Absent(s),
		Vector(sla.NewDecimal(rapid.Int64Range(-1000, 1000).Draw(t, "n"), 7)),
	}
	return rapid.SampledFrom(leaves).Draw(t, "leaf kind")
}

// Whatever is joined, the text means the tree.
func TestEveryJoinPrintsWhatItMeans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := expression(4).Draw(t, "expression")
		if _, err := e.Prove(); err != nil {
			t.Fatal(err)
		}
	})
}

// The proof can fail: a tree that was not made here, without parentheses.
func TestProveRefusesATreeThatPrintsAsAnother(t *testing.T) {
	a, b, c := Series("a").Now(), Series("b").Now(), Series("c").Now()
	sum := &parser.BinaryExpr{Op: parser.ADD, LHS: a.node, RHS: b.node, VectorMatching: &parser.VectorMatching{}}
	wrong := Expr{&parser.BinaryExpr{Op: parser.MUL, LHS: sum, RHS: c.node, VectorMatching: &parser.VectorMatching{}}}
	if text, err := wrong.Prove(); err == nil {
		t.Errorf("%s was let through", text)
	}
	if _, err := (Expr{}).Prove(); err == nil {
		t.Error("an empty expression was let through")
	}
}

func TestParentheses(t *testing.T) {
	a, b, c := Series("a").Now(), Series("b").Now(), Series("c").Now()
	two := Num(sla.NewDecimal(2, 1))
	for want, e := range map[string]Expr{
		"(a + b) * c":         Mul(Add(a, b), c),
		"a - (b - c)":         Sub(a, Sub(b, c)),
		"a - b - c":           Sub(Sub(a, b), c),
		"a / (b > 2)":         Div(a, Gt(b, two)),
		"a * b or on () c":    OrOn(Mul(a, b), c),
		"a * (b or on (x) c)": Mul(a, OrOn(b, c, "x")),
	} {
		if got := e.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestSelectorsOfAUsersQuery(t *testing.T) {
	for text, want := range map[string]string{
		`a{x="1"}`:             "a",
		`a + b{x=~"y"}`:        "a b",
		`(a + (b + c))`:        "a b c",
		`{__name__="a",b="c"}`: "a",
	} {
		e, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		selectors, err := e.Selectors()
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var names []string
		for _, s := range selectors {
			names = append(names, s.Name())
			if _, err := s.Rate(time.Minute).Prove(); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
		if got := strings.Join(names, " "); got != want && text[0] != '{' {
			t.Errorf("%s: selectors %q, want %q", text, got, want)
		}
	}
	for text, offset := range map[string]int{`sum(a)`: 0, `a - b`: 0, `a + rate(b[5m])`: 4, `a offset 5m`: 0, `a +`: 3, `a{x=}`: 4, `a + on (x) b`: 0, `c + (a + ignoring (x) b)`: 5} {
		e, err := Parse(text)
		if err == nil {
			_, err = e.Selectors()
		}
		var at *ParseError
		if !errors.As(err, &at) || at.Offset != offset {
			t.Errorf("%s: got %v, want an error at %d", text, err, offset)
		}
	}
}

// What a user writes either is refused, or comes out as the query it was.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`a`, `a{b="c"} + d`, `sum by (x) (rate(a[5m])) / on (x) group_left (y) b`, `-a ^ 2`, `a offset -5m`, `"a" == bool 1`, `a[5m:1m] @ start()`, `1e1000`, `{"utf.8"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			return
		}
		selectors, err := e.Selectors()
		if err != nil {
			return
		}
		for _, s := range selectors {
			if _, err := Sum(s.Rate(time.Minute)).Prove(); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
