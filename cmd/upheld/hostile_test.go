package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/testsize"
)

// hostile is a specification that would keep its reader busy for a long time
// if its work were not counted before it is done.
type hostile struct {
	text    string
	refused string // the rule of the finding, "" where it is worked through
}

func agreementOf(head string, levels ...string) string {
	return "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: x}\nspec:\n" + head + "  serviceLevels:\n" + strings.Join(levels, "")
}

// repeat joins what is written for each number below n.
func repeat(n int, separator string, write func(i int) string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = write(i)
	}
	return strings.Join(parts, separator)
}

func eventsLevel(name, bad string) string {
	return fmt.Sprintf("    - {name: %s, service: s, target: '99.9', indicator: {events: {bad: '%s', total: t}}}\n", name, bad)
}

func compositeLevel(name, composite string) string {
	return fmt.Sprintf("    - {name: %s, service: s, target: '90', indicator: {composite: {%s}}}\n", name, composite)
}

func plainLevels(n int) string {
	return repeat(n, "", func(i int) string { return eventsLevel(fmt.Sprintf("a%d", i), "e") })
}

// members are the names of n plain levels.
func members(n int) string {
	return repeat(n, ", ", func(i int) string { return fmt.Sprintf("s/a%d", i) })
}

// doubling is a chain of composites, each of which has the two before it twice.
func doubling(n int) string {
	before := []string{"s/a0", "s/a1"}
	return repeat(n, "", func(i int) string {
		a, b := before[len(before)-1], before[len(before)-2]
		before = append(before, fmt.Sprintf("s/l%d", i))
		return compositeLevel(fmt.Sprintf("l%d", i), fmt.Sprintf("any: [{all: [%s, %s]}, {all: [%s, %s]}]", a, b, b, a))
	})
}

func conditionLevel(expr string) string {
	return fmt.Sprintf("    - {name: a, service: s, target: '99.9', indicator: {condition: {expr: '%s'}}}\n", expr)
}

// maintenanceOf has windows that are written for each number below n.
func maintenanceOf(n int, write func(i int) string) string {
	return "  timeZone: Europe/Berlin\n  maintenance:\n      effect: treat_as_up\n      windows:\n" +
		repeat(n, "", func(i int) string { return "        - {" + write(i) + "}\n" })
}

// manyPlainLevels is how many a specification has that is as large as it may be: 200,000
// values that are written. Only make ci-all reads all of it.
const manyPlainLevels = 11_000

// hostiles are made when they are needed: the scripts start this binary hundreds of times.
func hostiles() map[string]hostile {
	manyPlain := manyPlainLevels / 4
	if testsize.Every() {
		manyPlain = manyPlainLevels
	}
	return map[string]hostile{
		"composites that double":     {agreementOf("", plainLevels(2), doubling(30)), "composite-size"},
		"a large composite in many":  {agreementOf("", plainLevels(199), compositeLevel("c", "all: ["+members(199)+"]"), repeat(100, "", func(i int) string { return compositeLevel(fmt.Sprintf("d%d", i), "any: [s/c]") })), "composite-size"},
		"the middle of many members": {agreementOf("", plainLevels(200), compositeLevel("c", "atLeast: {k: 100, of: ["+members(200)+"]}")), ""},
		"weighted parts within each other": {agreementOf("", plainLevels(40), compositeLevel("c", "all: ["+repeat(2, ", ", func(i int) string {
			return "{weighted: {normalize: true, of: [" + repeat(20, ", ", func(j int) string { return fmt.Sprintf("{weight: '%d', needs: s/a%d}", 1<<j, 20*i+j) }) + "]}}"
		})+"]")), ""},
		"a sum of many selectors":   {agreementOf("", eventsLevel("a", repeat(20_000, " + ", func(i int) string { return fmt.Sprintf("e%d", i) }))), "query-size"},
		"a condition of many parts": {agreementOf("", conditionLevel(repeat(1_000, " and ", func(int) string { return "e>1" }))), "query-size"},
		"a query of signs":          {agreementOf("", eventsLevel("a", strings.Repeat("-", 9_000)+"e")), "query-size"},
		"a query of parentheses":    {agreementOf("", eventsLevel("a", strings.Repeat("(", 4_000)+"e"+strings.Repeat(")", 4_000))), "query-size"},
		"queries of the allowed size": {agreementOf("", repeat(40, "", func(i int) string {
			return eventsLevel(fmt.Sprintf("a%d", i), repeat(promqlTerms, "+", func(i int) string { return fmt.Sprintf("e%d", i) }))
		})), ""},
		"windows without a pattern": {agreementOf(maintenanceOf(1_500, func(i int) string {
			return fmt.Sprintf("from: '2026-%02d-%02dT%02d:%02d', duration: 1m", 1+i%12, 1+i/12%28, i%24, i%59)
		}), plainLevels(1)), "missing-key"},
		"rules that begin often": {agreementOf(maintenanceOf(1_000, func(i int) string {
			return fmt.Sprintf("rrule: 'FREQ=DAILY;BYHOUR=3,4,5,6', start: '2026-01-01T%02d:%02d', duration: 1m", i%24, i/24)
		}), plainLevels(1)), "many-windows"},
		"a rule that began long ago": {agreementOf(maintenanceOf(1, func(int) string {
			return "rrule: 'FREQ=DAILY;BYHOUR=" + repeat(24, ",", func(i int) string { return fmt.Sprint(i) }) + ";BYMINUTE=0,30', start: '1900-01-01T00:00', duration: 1m"
		}), plainLevels(1)), "many-windows"},
		"hours that begin often": {agreementOf("  timeZone: UTC\n  calendars:\n    c:\n      weekly:\n"+repeat(350, "", func(i int) string {
			return fmt.Sprintf("        - {days: [Mon, Tue, Wed, Thu, Fri, Sat, Sun], from: '%02d:%02d', to: '%02d:%02d'}\n", i*2/60, i*2%60, (i*2+1)/60, (i*2+1)%60)
		}), "    - {name: a, service: s, target: '99.9', serviceHours: c, indicator: {events: {bad: e, total: t}}}\n"), "many-hours"},
		"many periods": {agreementOf("", repeat(30, "", func(i int) string {
			return fmt.Sprintf("    - {name: a%d, service: s, target: '99.9', period: [%s], indicator: {events: {bad: e, total: t}}}\n", i, repeat(300, ", ", func(j int) string { return fmt.Sprintf("%dd", j+1) }))
		})), "bad-period"},
		"a condition of the body": {agreementOf("", "    - {name: a, service: s, target: '99.9', indicator: {probe: {http: 'https://a.example/', json: '"+repeat(6_000, " && ", func(int) string { return "body.a == 1" })+"'}}}\n"), "bad-condition"},
		"aliases of aliases": {agreementOf("", "    - &l {name: l, service: s, target: '99.9', indicator: {events: {bad: e, total: t}}}\n",
			repeat(4_000, "", func(i int) string { return fmt.Sprintf("    - {<<: *l, name: a%d}\n", i) })), "alias-expansion"},
		"many plain levels": {agreementOf("", plainLevels(manyPlain)), ""},
	}
}

// promqlTerms is how many terms a sum may have.
const promqlTerms = 201

// TestHostileSpecificationsEnd has check read each. The verbs that read it as check does, and
// go on if it is accepted, are tried with all in make test-all, and with two otherwise.
func TestHostileSpecificationsEnd(t *testing.T) {
	for name, h := range hostiles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sampled := name == "the middle of many members" || name == "a condition of many parts"
			if h.refused == "" && !sampled {
				testsize.Skip(t, "what is large and accepted: it takes many seconds")
			}
			dir := t.TempDir()
			file := filepath.Join(dir, "spec.yaml")
			if err := os.WriteFile(file, []byte(h.text), 0o600); err != nil {
				t.Fatal(err)
			}
			found := runVerb(t, "check", file, "--format=json")
			switch refused := strings.Contains(found, `"severity": "error"`); {
			case h.refused == "" && refused:
				t.Errorf("refused: %.2000s", found)
			case h.refused != "" && !strings.Contains(found, `"rule": "`+h.refused+`"`):
				t.Errorf("not refused as %s: %.2000s", h.refused, found)
			}
			if name == "many plain levels" || !sampled && !testsize.All() {
				return // rules of the former take as long as they are many
			}
			runVerb(t, "explain", file)
			runVerb(t, "generate", file, "-o", filepath.Join(dir, "out"))
		})
	}
}

// runVerb runs a verb and returns what it printed; that it fails is no matter here.
func runVerb(t *testing.T, args ...string) string {
	t.Helper()
	var out, diagnostics bytes.Buffer
	root := newRoot(&out, &diagnostics)
	root.SetArgs(args)
	if err := root.Execute(); err != nil && strings.Contains(err.Error(), "fault") {
		t.Errorf("%s: %v", args[0], err)
	}
	return out.String()
}
