package promql

import (
	"testing"

	"pgregory.net/rapid"
)

func one(t *testing.T, text string) Selector {
	t.Helper()
	e, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return e.Reads()[0]
}

func TestExample(t *testing.T) {
	for _, test := range []struct{ selector, not, want string }{
		{`a{b="c"}`, ``, `a{b="c"}`},
		{`a{code=~"5.."}`, ``, `a{code="500"}`},
		{`a{job="x"}`, `a{job="x",code=~"5.."}`, `a{job="x"}`},
		{`a{job="x"}`, `a{job="x",code!="500"}`, `a{code="500", job="x"}`},
		{`a{job="x"}`, `a{code!~"2.."}`, `a{code="200", job="x"}`},
		{`a{code=~"4..|5.."}`, `a{code=~"4.."}`, `a{code="500"}`},
		{`a{code=~"(get|put)_[0-9]+",x!=""}`, ``, `a{code="get_0", x="200"}`},
		{`{__name__=~"a|b",x=~"y.*"}`, `a`, ``},
		{`a{b=~"x{2,3}"}`, ``, `a{b="xx"}`},
		{`a{b="c"}`, `a`, ``},
		{`a{b="c",b!="c"}`, ``, ``},
		{`{b="c"}`, ``, ``},
	} {
		var not []Selector
		if test.not != "" {
			not = append(not, one(t, test.not))
		}
		got := ""
		if m, ok := one(t, test.selector).Example(not...); ok {
			got = m.String()
		}
		if got != test.want {
			t.Errorf("%s but not %s: %s, want %s", test.selector, test.not, got, test.want)
		}
	}
}

// Whatever is asked for, an example is what it is said to be.
func TestExamplesAreSelected(t *testing.T) {
	matchers := rapid.SampledFrom([]string{`a="x"`, `a!="x"`, `a=~"x|y"`, `a!~"x.*"`, `b=""`, `b!=""`, `b=~"[0-9]{3}"`, `b=~".+"`, `a=~"(5|4)..?"`, `b!~"200|500"`})
	rapid.Check(t, func(t *rapid.T) {
		draw := func(what string) Selector {
			text := "m{"
			for _, m := range rapid.SliceOfN(matchers, 1, 3).Draw(t, what) {
				text += m + ","
			}
			e, err := Parse(text + "}")
			if err != nil {
				t.Skip(err)
			}
			return e.Reads()[0]
		}
		s, not := draw("selector"), draw("not")
		if m, ok := s.Example(not); ok && (!s.Matches(m) || not.Matches(m)) {
			t.Fatalf("%s is no example", m)
		}
	})
}

func TestOutOfNothing(t *testing.T) {
	for text, want := range map[string]bool{
		`a > 1`: false, `absent(a)`: true, `a or vector(0)`: true, `a and on () hour() > 8`: true, `time()`: true, `sum(rate(a[5m]))`: false, `1`: true,
	} {
		e, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.OutOfNothing(); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
