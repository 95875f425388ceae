package emit

import (
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Texts that YAML's library does not print as it reads them are printed so that
// they read back.
func TestTextsReadBack(t *testing.T) {
	for _, text := range []string{"\nx", "\n\nx\n", " \nx", "\tx\ny", "x\n", "x\n\n", "x \n y", "\n", "a: b\n# c", "{{ if x }}\n  y\n{{ end }}\n"} {
		y := &yamlText{}
		y.line(0, "labels:")
		if err := y.pair(2, false, "who", text); err != nil {
			t.Fatal(err)
		}
		var back map[string]map[string]string
		if err := yaml.Unmarshal(y.out, &back); err != nil || back["labels"]["who"] != text {
			t.Errorf("%q reads back as %q (%v):\n%s", text, back["labels"]["who"], err, y.out)
		}
	}
}

// What a block cannot hold as it is stands in another style: every text reads back,
// with the comment above it, whatever that is.
func TestBlocksReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(words, 1, 3).Draw(t, "lines")
		value := strings.Join(lines, "\n")
		y := &yamlText{}
		y.line(0, "rules:")
		y.comment(2, words.Draw(t, "comment"))
		if err := y.block(2, "expr", value); err != nil {
			t.Fatal(err)
		}
		y.line(2, "after: it")
		var back map[string]map[string]string
		if err := yaml.Unmarshal(y.out, &back); err != nil || back["rules"]["expr"] != value || back["rules"]["after"] != "it" {
			t.Fatalf("%q reads back as %q (%v):\n%s", value, back["rules"]["expr"], err, y.out)
		}
	})
}

// An expression of several operands, or a long one, stands in a block below the comment
// of its rule; a short one of one operand beside its key.
func TestRulesAreLaidOutForPeople(t *testing.T) {
	a, b := promql.Series("a").Now(), promql.Series("b", promql.Eq("name", strings.Repeat("x", 80))).Now()
	var out strings.Builder
	w := NewRuleWriter(&out, RuleOptions{})
	group := rulegen.Group{Name: "g", Interval: time.Minute, Rules: []rulegen.Rule{
		{Record: "one", Expr: a, Comment: "One operand.\n3 = 1 + 2"},
		{Record: "two", Expr: promql.Add(a, promql.Num(sla.NewDecimal(1, 1)))},
		{Record: "long", Expr: b},
		{Record: "ratio", Expr: promql.Div(promql.Mul(a, b), promql.Gt(b, promql.Num(sla.NewDecimal(0, 1))))},
	}}
	if err := w.Level(rulegen.LevelPlan{Groups: []rulegen.Group{group}}); err != nil {
		t.Fatal(err)
	}
	long := `b{name="` + strings.Repeat("x", 80) + `"}`
	want := `groups:
  - name: g
    interval: 1m
    rules:
      # One operand.
      # 3 = 1 + 2
      - record: one
        expr: a
      - record: two
        expr: |-
          a + 1
      - record: long
        expr: |-
          ` + long + `
      - record: ratio
        expr: |-
          (a * ` + long + `)
          /
          (` + long + ` > 0)
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}
