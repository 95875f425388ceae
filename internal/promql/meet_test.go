package promql

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

func TestSelectorsThatCannotMeet(t *testing.T) {
	for _, test := range []struct{ a, b, want string }{
		{`x{code=~"2.."}`, `x{code=~"5.."}`, "code"},
		{`x{code=~"2.."}`, `x{code=~"(2|5).."}`, ""},
		{`x{code="200"}`, `x{code=~"5.."}`, "code"},
		{`x{code="500"}`, `x{code=~"5.."}`, ""},
		{`x{code=~"200|201"}`, `x{code=~"500|503"}`, "code"},
		{`x{code=~"200|503"}`, `x{code=~"500|503"}`, ""},
		{`x{code!~"5.."}`, `x{code=~"5.."}`, "code"},
		{`x{code!="500"}`, `x{code="500"}`, "code"},
		{`x{code!="500"}`, `x{code!="200"}`, ""},
		{`x{code=""}`, `x{code=~".+"}`, "code"},
		{`x{code=~".*"}`, `x`, ""},
		{`x`, `y`, "__name__"},
		{`x{a=~"(?i)ok"}`, `x{a="OK"}`, ""},
		{`x{a=~"(?i)o.*"}`, `x{a=~"O[a-z]+"}`, ""},
		{`x{a=~"a+b"}`, `x{a=~"a+c"}`, "a"},
		{`x{a=~"a{1000}.*"}`, `x{a=~"b{1000}.*"}`, ""}, // too much to look at
		{`x{a="1",a="2"}`, `x`, "a"},
		{`x{a=~"^ab$"}`, `x{a=~"a.*"}`, ""},
	} {
		if got := one(t, test.a).Apart(one(t, test.b)); got != test.want {
			t.Errorf("%s and %s: apart by %q, want %q", test.a, test.b, got, test.want)
		}
	}
	if !one(t, `x{b="1",a="2"}`).Same(one(t, `{a="2",__name__="x",b="1"}`)) || one(t, `x{b="1"}`).Same(one(t, `x{b="2"}`)) {
		t.Error("selectors are the same by their conditions, whatever the order")
	}
}

// Whatever two expressions match in common, they are not said to be apart.
func TestExpressionsOverlapInWhatBothMatch(t *testing.T) {
	parts := []string{"a", "b", ".", "a?", "b*", "[ab]", "(a|bb)", "(?i:A)", "a{2}", "[^a]", "^", "$"}
	draw := rapid.Custom(func(t *rapid.T) string {
		text := ""
		for _, p := range rapid.SliceOfN(rapid.SampledFrom(parts), 1, 4).Draw(t, "parts") {
			text += p
		}
		return text
	})
	word := rapid.StringMatching(`[abA]{0,4}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, text := draw.Draw(t, "a"), draw.Draw(t, "b"), word.Draw(t, "text")
		whole := func(re string) *regexp.Regexp { return regexp.MustCompile("^(?s:" + re + ")$") }
		if whole(a).MatchString(text) && whole(b).MatchString(text) && !overlap(a, b) {
			t.Fatalf("%q matches %s and %s", text, a, b)
		}
	})
}
