package enginetest_test

import (
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/enginetest"
)

const unitRules = `groups:
- name: second
  rules:
  - {record: twice, expr: 'half * 4'}
- name: first
  rules:
  - {record: half, expr: 'x / 2'}
  - {alert: High, expr: 'half > 4', for: 4m, labels: {severity: page}}
- name: alone
  rules:
  - {record: 'alone', expr: 'y + on () y'}
`

func unitTests(more, expect string) []byte {
	return []byte(`rule_files: [rules.yaml]
evaluation_interval: 2m
group_eval_order: [first, second, alone]
tests:
  - interval: 1m
    input_series:
      - {series: 'x{a="b"}', values: '0+2x10 _x3 7 8'}
` + more + `
    promql_expr_test:
` + expect)
}

// Groups are evaluated in their order at each step, and the first expectation that does
// not hold is named.
func TestUnitTestsAreThoseOfPromtool(t *testing.T) {
	for name, c := range map[string]struct{ more, expect, want string }{
		"they hold": {"", `
      - {expr: twice, eval_time: 4m, exp_samples: [{labels: 'twice{a="b"}', value: 16}]}
      - {expr: twice, eval_time: 14m, exp_samples: [{labels: 'twice{a="b"}', value: 14}]}
      - {expr: 'ALERTS{alertstate="firing"}', eval_time: 8m, exp_samples: []}
      - {expr: 'ALERTS{alertstate="firing"}', eval_time: 10m, exp_samples: [{labels: 'ALERTS{alertname="High",alertstate="firing",severity="page",a="b"}', value: 1}]}`, ""},
		"another value":    {"", `      - {expr: twice, eval_time: 4m, exp_samples: [{labels: 'twice{a="b"}', value: 15}]}`, "twice at 4m"},
		"another label":    {"", `      - {expr: twice, eval_time: 4m, exp_samples: [{labels: 'twice{a="c"}', value: 16}]}`, "twice at 4m"},
		"nothing expected": {"", `      - {expr: twice, eval_time: 4m, exp_samples: []}`, "twice at 4m"},
		"nothing there":    {"", `      - {expr: thrice, eval_time: 4m, exp_samples: [{labels: 'thrice', value: 16}]}`, "thrice at 4m"},
		"a rule that fails, and is read": {"      - {series: 'y{a=\"1\"}', values: '1x9'}\n      - {series: 'y{a=\"2\"}', values: '1x9'}", `
      - {expr: alone, eval_time: 4m, exp_samples: []}`, "rule alone at 0s"},
	} {
		got := enginetest.UnitTest(t, []byte(unitRules), unitTests(c.more, c.expect))
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
