package ruletest_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/ruletest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

// mutants are ways to alter a rule, by kind. Each gives the altered rules.
var mutants = []struct {
	kind  string
	alter func(rule map[string]string) []map[string]string
}{
	{"dropped", func(map[string]string) []map[string]string { return []map[string]string{nil} }},
	{"another number", changed(regexp.MustCompile(`([<>*/-]=? )([0-9.]+)\b`), func(m []string) string {
		f, _ := strconv.ParseFloat(m[2], 64)
		if f == 0 {
			f = 0.05
		}
		return m[1] + strconv.FormatFloat(f*1.1, 'g', 6, 64)
	})},
	{"another window", changed(regexp.MustCompile(`\[(\d+)([mhd])\]`), func(m []string) string {
		n, _ := strconv.Atoi(m[1])
		return fmt.Sprintf("[%d%s]", 2*n, m[2])
	})},
	{"another ratio", changed(regexp.MustCompile(`sla:error:ratio_rate(\d+[mhd])`), func(m []string) string {
		if m[1] == "2h" {
			return "sla:error:ratio_rate6h"
		}
		return "sla:error:ratio_rate2h"
	})},
	{"bad and total swapped", swapped("sla:bad:", "sla:total:")},
	{"comparison turned", swapped(" > ", " < ")},
	{"division turned", changed(regexp.MustCompile(` / `), func([]string) string { return " * " })},
	{"another label", func(r map[string]string) []map[string]string {
		if r["tier"] == "" && r["alert"] == "" {
			return nil
		}
		return []map[string]string{with(r, "severity", "other")}
	}},
	{"waits longer", func(r map[string]string) []map[string]string {
		if r["alert"] == "" {
			return nil
		}
		return []map[string]string{with(r, "for", "3h")}
	}},
}

// changed alters each match of the expression once.
func changed(re *regexp.Regexp, to func(m []string) string) func(map[string]string) []map[string]string {
	return func(r map[string]string) []map[string]string {
		var all []map[string]string
		for _, at := range re.FindAllStringIndex(r["expr"], -1) {
			m := re.FindStringSubmatch(r["expr"][at[0]:at[1]])
			all = append(all, with(r, "expr", r["expr"][:at[0]]+to(m)+r["expr"][at[1]:]))
		}
		return all
	}
}

func swapped(a, b string) func(map[string]string) []map[string]string {
	return func(r map[string]string) []map[string]string {
		if !strings.Contains(r["expr"], a) && !strings.Contains(r["expr"], b) {
			return nil
		}
		return []map[string]string{with(r, "expr", strings.NewReplacer(a, b, b, a).Replace(r["expr"]))}
	}
}

func with(r map[string]string, key, value string) map[string]string {
	altered := maps.Clone(r)
	if altered == nil {
		altered = map[string]string{}
	}
	altered[key] = value
	return altered
}

// mutant is a rule file with one rule altered.
type mutant struct {
	what string
	file func() []byte // of many, few are made
}

func mutantsOf(t *testing.T, file []byte) []mutant {
	t.Helper()
	var all []mutant
	var groups struct{ Groups []map[string]any }
	if err := yaml.Unmarshal(file, &groups); err != nil {
		t.Fatal(err)
	}
	for _, kind := range mutants {
		for g, group := range groups.Groups {
			for i, rule := range group["rules"].([]any) {
				for n, altered := range kind.alter(flat(rule.(map[string]any))) {
					what := fmt.Sprintf("%s %d: %v", kind.kind, n, flat(rule.(map[string]any)))
					all = append(all, mutant{what, func() []byte { return replaced(t, file, g, i, altered) }})
				}
			}
		}
	}
	return all
}

// replaced is a rule file with a rule of a group as altered, or without it.
func replaced(t *testing.T, file []byte, group, rule int, altered map[string]string) []byte {
	t.Helper()
	var copied struct{ Groups []map[string]any }
	if err := yaml.Unmarshal(file, &copied); err != nil {
		t.Fatal(err)
	}
	of := copied.Groups[group]["rules"].([]any)
	if altered == nil {
		copied.Groups[group]["rules"] = append(of[:rule], of[rule+1:]...)
	} else {
		raise(of[rule].(map[string]any), altered)
	}
	content, err := yaml.Marshal(map[string]any{"groups": copied.Groups})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// flat is a rule with its labels beside its other keys.
func flat(rule map[string]any) map[string]string {
	texts := map[string]string{}
	for k, v := range rule {
		if text, ok := v.(string); ok {
			texts[k] = text
		}
	}
	for k, v := range rule["labels"].(map[string]any) {
		if k == "severity" || k == "tier" {
			texts[k] = v.(string)
		}
	}
	return texts
}

// raise puts altered texts back into the rule.
func raise(rule map[string]any, altered map[string]string) {
	for _, key := range []string{"expr", "for"} {
		if v := altered[key]; v != "" {
			rule[key] = v
		}
	}
	if v := altered["severity"]; v != "" {
		rule["labels"].(map[string]any)["severity"] = v
	}
}

// levels are agreements that are altered, each of a kind of rules.
var levels = map[string]string{
	// A least count, and a rolling period.
	"plain": `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - name: requests
      service: api
      indicator: {events: {bad: 'http_requests_total{job="api",code=~"5.."}', total: 'http_requests_total{job="api"}'}}
      target: "99"
      objective: "99.5"
      period: 7d
`,
	// Hours with a holiday, a weekly maintenance window that is removed from agreed
	// time, and one in which failures count as good.
	"masked": `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  holidaySets: {days: ["2026-12-25"]}
  calendars:
    prime: {weekly: [{days: [Mon, Tue, Wed, Thu, Fri], from: "08:00", to: "20:00"}], holidays: [days]}
  maintenance: {effect: remove_from_agreed_time, windows: [{rrule: "FREQ=WEEKLY;BYDAY=TH", start: "2026-01-01T10:00", duration: 1h}]}
  exclusions:
    - {name: tests, effect: treat_as_up, windows: [{rrule: "FREQ=WEEKLY;BYDAY=TH", start: "2026-01-01T13:00", duration: 1h}]}
  serviceLevels:
    - name: requests
      service: api
      serviceHours: prime
      indicator: {events: {bad: 'http_requests_total{job="api",code=~"5.."}', total: 'http_requests_total{job="api"}'}}
      target: "99"
      objective: "99.5"
      period: 7d
`,
	// Groups with a target of their own, and one that must be there.
	"grouped": `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - name: requests
      service: api
      indicator: {events: {bad: 'http_requests_total{job="api",code=~"5.."}', total: 'http_requests_total{job="api"}'}}
      target: "99"
      groupBy:
        labels: [tenant]
        limit: 10
        targets: [{match: {tenant: acme}, target: "99.5", required: true}]
      period: 7d
`,
	// Credits, and missing data that counts.
	"contract": `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  alerting: {tiers: {page-fast: {enabled: false}, page-slow: {enabled: false}, ticket-fast: {enabled: false}, ticket-slow: {enabled: false}}}
  serviceLevels:
    - name: credits
      indicator: {events: {bad: 'http_requests_total{job="api",code=~"5.."}', total: 'http_requests_total{job="api"}'}}
      target: "99"
      period: 7d
      credits: {tiers: [{below: "99", percent: "10"}, {atMost: "90", percent: "50"}]}
    - {name: missing, indicator: {probe: {http: "https://shop.example/"}}, target: "99", period: 7d, missingData: bad}
`,
	// Redundancy, weights, and an unknown state that is not left out.
	"composite": `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  period: 2d
  serviceLevels:
    - name: whole
      service: shop
      indicator: {composite: {all: [web/up, {any: [a/up, b/up]}], componentAlerts: inhibited}}
      target: "94"
    - {name: up, service: web, indicator: &a {probe: {http: "https://shop.example/"}}, target: "95", alerting: {tiers: {page-slow: {enabled: false}}}}
    - {name: up, service: a, indicator: *a, target: "99", alerting: {enabled: false}}
    - {name: up, service: b, indicator: *a, target: "99", alerting: {enabled: false}}
`,
}

// tests are the rules of an agreement and the files of their tests.
func tests(t *testing.T, text string, opts rulegen.Options) (rules []byte, tests [][]byte) {
	t.Helper()
	agreements, findings := spec.LoadText("shop.yaml", text)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	var out bytes.Buffer
	w, suite := emit.NewRuleWriter(&out, emit.RuleOptions{}), ruletest.New(opts)
	if err := w.Begin(agreements[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := rulegen.Each(agreements[0], opts, func(l rulegen.LevelPlan) error {
		suite.Add(l)
		return w.Level(l)
	}); err != nil {
		t.Fatal(err)
	}
	groups, err := w.End()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range suite.Files([]string{"rules.yaml"}, groups) {
		content, err := emit.Tests(agreements[0], f, "")
		if err != nil {
			t.Fatal(err)
		}
		tests = append(tests, content)
	}
	return out.Bytes(), tests
}

// only is the text of an agreement with these levels alone.
func only(text string, levels ...string) string {
	var kept []string
	for line := range strings.Lines(text) {
		level, isLevel := strings.CutPrefix(line, "    - {name: ")
		level, _, _ = strings.Cut(level, ",")
		if !isLevel || slices.Contains(levels, level) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// sampled is how many mutants of each agreement make test-all tries, and of the
// first alone make test;
// UPHELD_MUTANTS=all tries every one, UPHELD_MUTANTS=masked those of one, and
// UPHELD_MUTANTS=20 so many of each.
const sampled = 2

// Rules pass their tests, and do not with a rule altered. A short run alters rules of one
// agreement, and one that tries every case those of all. What is found in this process is
// what promtool finds: of that agreement's rules as they are in each run, of its altered
// ones in a run that tries every case, and of all in one that repeats every case, on an
// older promtool too.
func TestMutantsAreKilled(t *testing.T) {
	// The rules of contracts have a test of their own.
	for kind, text := range testsize.Cases(t, levels, "plain") {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			rules, tests := tests(t, text, rulegen.Options{Now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)})
			if failure := failureOf(t, rules, tests); failure != "" {
				t.Fatal(failure)
			}
			all := mutantsOf(t, rules)
			most, survivors := sampled, []string{}
			if which := os.Getenv("UPHELD_MUTANTS"); which == "all" || which == kind {
				most = len(all)
			} else if n, err := strconv.Atoi(which); err == nil {
				most = n
			}
			stride := max(1, len(all)/most)
			tried, killed := 0, map[bool][]byte{}
			for i := 0; i < len(all); i += stride {
				tried++
				file := all[i].file()
				failure := failureOf(t, file, tests)
				if failure == "" {
					survivors = append(survivors, all[i].what)
				}
				killed[failure != ""] = file
			}
			t.Logf("%d of %d mutants, tried of %d, are killed; survivors:\n%s", tried-len(survivors), tried, len(all), strings.Join(survivors, "\n"))
			if len(survivors) > max(1, tried/5) {
				t.Errorf("more than a fifth survives")
			}
			if kind != "plain" && !testsize.Every() {
				return
			}
			killed[false] = rules
			if !testsize.All() {
				delete(killed, true)
			}
			askPromtools(t, killed, tests)
		})
	}
}

// askPromtools compares what promtool finds with what was found of rules, of which some
// fail their tests.
func askPromtools(t *testing.T, fails map[bool][]byte, tests [][]byte) {
	t.Helper()
	tools := promtools(t)
	for _, tool := range tools[len(tools)-testsize.Repeats(1, 1, len(tools)):] {
		for want, rules := range fails {
			if passed, output := judge(t, tool, rules, tests); passed == want {
				t.Errorf("%s: passed %t, in this process %t: %.2000s", tool, passed, !want, output)
			}
		}
	}
}
