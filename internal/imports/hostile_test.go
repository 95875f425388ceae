package imports_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/sla/spec"
)

// TestHostileFiles reads files that are large, deep or refer to themselves. None takes
// memory or time out of proportion. The longest line is whole in make ci-all, and a fifth of
// it otherwise.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	slo := func(name, rest string) string {
		return "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: " + name + "}\nspec:\n  service: s\n" + rest
	}
	const indicator = "  indicatorRef: sli\n  budgetingMethod: Occurrences\n  timeWindow: [{duration: 30d, isRolling: true}]\n"
	const sli = "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: sli}\nspec: {ratioMetric: {rawType: failure, raw: {metricSource: {type: Prometheus, spec: {query: bad}}}}}\n---\n"
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for i := 'b'; i < 'j'; i++ {
		p := string(i - 1)
		bomb += fmt.Sprintf("%c: &%c [%s]\n", i, i, strings.TrimSuffix(strings.Repeat("*"+p+",", 9), ","))
	}
	var many strings.Builder
	many.WriteString(sli)
	for i := range 3000 {
		many.WriteString(slo(fmt.Sprintf("n%d", i), indicator+"  objectives: [{target: 0.9}]\n") + "---\n")
	}
	sloth := func(names, long string) string {
		return "version: prometheus/v1\nservice: " + names + "\nslos: [{name: a, objective: 99, sli: {raw: {error_ratio_query: 'x{w=\"{{.window}}\"}'}}}]\n" +
			"---\napiVersion: sloth.slok.dev/v1\nkind: AlertWindows\nspec:\n  sloPeriod: 30d\n" +
			"  page: {quick: {errorBudgetPercent: 2, shortWindow: 5m, longWindow: " + long + "}, slow: {errorBudgetPercent: 5, shortWindow: 30m, longWindow: 6h}}\n" +
			"  ticket: {quick: {errorBudgetPercent: 10, shortWindow: 2h, longWindow: 1d}, slow: {errorBudgetPercent: 20, shortWindow: 6h, longWindow: 3d}}\n"
	}
	objects := 3_000
	if testsize.Every() {
		objects = 15_000
	}
	for name, c := range map[string]struct {
		text string
		rule string // of a finding; "" if there is no error
	}{
		"windows longer than any":    {sloth("s", "999999999d"), "bad-number"},
		"windows of nothing":         {sloth("s", "0"), "bad-number"},
		"windows of two units":       {sloth("s", "1h30m"), ""},
		"a template in quotes":       {sloth("'{{ .Values.name }}'", "1h"), "bad-name"},
		"an environment variable":    {sloth("${NAME}-shop", "1h"), "bad-name"},
		"all in one line":            {"{\"version\": \"prometheus/v1\", \"service\": \"s\", \"slos\": [" + strings.TrimSuffix(strings.Repeat(`{"name":"a","description":"é","objective":99,"sli":{"raw":{"error_ratio_query":"x[1m]"}}},`, objects), ",") + "]}", "duplicate-level"},
		"aliases of aliases":         {slo("x", indicator+"  objectives: [{target: 0.9}]\n") + bomb, "alias-expansion"},
		"alias of itself":            {slo("x", "  objectives: &o [{a: *o}]\n"), "alias-cycle"},
		"deep":                       {slo("x", "  objectives: "+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+"\n"), "missing-key"},
		"too deep":                   {slo("x", "  objectives: "+strings.Repeat("[", 50_000)+strings.Repeat("]", 50_000)+"\n"), "yaml-syntax"},
		"deep query":                 {slo("x", "  indicator: {metadata: {name: i}, spec: {ratioMetric: {rawType: failure, raw: {metricSource: {spec: {query: '"+strings.Repeat("(", 20_000)+"a"+strings.Repeat(")", 20_000)+"'}}}}}}\n  budgetingMethod: Occurrences\n  objectives: [{target: 0.9}]\n"), "*"},
		"long names":                 {slo(strings.Repeat("n", 100_000), indicator+"  objectives: [{target: 0.9}]\n"), "unknown-reference"},
		"policies in circles":        {slo("x", indicator+"  objectives: [{target: 0.9}]\n  alertPolicies: [{alertPolicyRef: p}]\n") + "---\n" + sli + "apiVersion: openslo/v1\nkind: AlertPolicy\nmetadata: {name: p}\nspec: {conditions: [{conditionRef: p}], alertPolicyRef: p}\n", "unknown-reference"},
		"annotation that is no YAML": {strings.Replace(slo("x", indicator+"  objectives: [{target: 0.9}]\n"), "{name: x}", `{name: x, annotations: {upheld.dev/level: "{[&a *a"}}`, 1), "bad-annotation"},
		"annotation of aliases":      {strings.Replace(slo("x", indicator+"  objectives: [{target: 0.9}]\n"), "{name: x}", `{name: x, annotations: {upheld.dev/level: "{a: &a [x], b: [*a, *a]}"}}`, 1), "bad-annotation"},
		"annotation too long":        {strings.Replace(slo("x", indicator+"  objectives: [{target: 0.9}]\n"), "{name: x}", `{name: x, annotations: {upheld.dev/level: "`+strings.Repeat("a", 2<<20)+`"}}`, 1), "bad-annotation"},
		"many objects":               {many.String(), ""},
		"many objectives":            {sli + slo("x", indicator+"  objectives: ["+strings.Repeat("{target: 0.9},", 3000)+"]\n"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, findings := files.ConvertTexts(nil, spec.Text{File: "slo.yaml", Text: c.text})
			if c.rule == "*" {
				return
			}
			found := ""
			for _, f := range findings {
				if f.Rule == c.rule {
					found = c.rule
				}
				if len(f.Message) > 1000 {
					t.Errorf("a message of %d bytes", len(f.Message))
				}
			}
			if found != c.rule || c.rule == "" && findings.HasErrors() {
				t.Errorf("no finding %q: %.3000s", c.rule, printed(findings))
			}
		})
	}
}
