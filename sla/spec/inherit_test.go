package spec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// terms is an agreement in a file of its name.
func terms(name, metadata, section string) spec.Text {
	return spec.Text{File: name + ".yaml", Text: "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: " + name + metadata + "}\nspec:\n" + section}
}

const probedLevel = `  serviceLevels: [{name: up, target: "99.9", indicator: {probe: {http: "https://shop.example/"}}, credits: {tiers: [{below: "99.9", percent: "10"}]}}]
`

var corporate = terms("corporate", "", `  timeZone: Europe/Berlin
  period: month
  calendars: {prime: {weekly: [{days: [Mon, Tue], from: "08:00", to: "18:00"}]}}
  serviceHours: prime
  exclusions: [{name: force-majeure, category: force_majeure, effect: treat_as_up, approval: both}]
  recovery: {objectives: [{metric: outage_count, le: 3}]}
  creditPolicy: {fee: {amount: "100.00", currency: EUR, per: month}}
`)

func TestAgreementsTakeFromTheirParentsWhatTheyDoNotSay(t *testing.T) {
	all, findings := spec.LoadTexts(
		terms("shop", "", "  inherits: acme\n  calendars: {nights: {complementOf: prime}}\n"+probedLevel),
		terms("acme", "", "  inherits: corporate\n  period: quarter\n"),
		corporate,
	)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	if len(all) != 1 || all[0].Name != "shop" {
		t.Fatalf("%d agreements; those without levels are terms of others", len(all))
	}
	a, l := all[0], all[0].Levels[0]
	if a.Zone != "Europe/Berlin" || l.Period.Calendar != sla.Quarter || l.ServiceHours == nil || l.ServiceHours.Name != "prime" || len(l.OnClaim) != 1 || l.Recovery == nil || len(a.Calendars) != 2 {
		t.Errorf("zone %s, period %s, hours %v, %d exclusions to claim, recovery %v, %d calendars", a.Zone, l.Period, l.ServiceHours, len(l.OnClaim), l.Recovery, len(a.Calendars))
	}
	var words []string
	for _, i := range a.Inherited {
		words = append(words, fmt.Sprintf("%s at %s", i.Words(), i.Pos))
	}
	want := []string{
		"period from acme at acme.yaml:6:3", "timeZone from corporate at corporate.yaml:5:3", "calendars (prime) from corporate at corporate.yaml:7:3",
		"serviceHours from corporate at corporate.yaml:8:3", "exclusions from corporate at corporate.yaml:9:3", "recovery from corporate at corporate.yaml:10:3", "creditPolicy from corporate at corporate.yaml:11:3",
	}
	if diff := cmp.Diff(want, words); diff != "" {
		t.Error(diff)
	}
}

func TestParentsWithLevelsAreAgreementsThemselves(t *testing.T) {
	all, findings := spec.LoadTexts(terms("shop", "", "  inherits: base\n"+probedLevel), terms("base", "", "  period: month\n"+probedLevel))
	if err := findings.Err(); err != nil || len(all) != 2 || all[0].Levels[0].Period.Calendar != sla.Month || len(all[0].Levels) != 1 {
		t.Errorf("%d agreements, %v", len(all), err)
	}
}

func TestRevisionsOfParentsThatNobodyNamesAnyMoreMayBeLoaded(t *testing.T) {
	second := terms("base", `, revision: 2, effectiveFrom: "2026-10-01"`, "  period: quarter\n")
	second.File = "second.yaml"
	all, findings := spec.LoadTexts(terms("shop", "", "  inherits: base@2\n"+probedLevel), terms("base", ", revision: 1", "  period: month\n"), second)
	if len(findings) > 0 || len(all) != 1 || all[0].Levels[0].Period.Calendar != sla.Quarter {
		t.Errorf("%d agreements, %v", len(all), findings)
	}
}

func TestMistakesOfInheriting(t *testing.T) {
	chain := []spec.Text{terms("shop", "", "  inherits: a1\n"+probedLevel)}
	for i := 1; i <= 4; i++ {
		chain = append(chain, terms(fmt.Sprint("a", i), "", fmt.Sprintf("  inherits: a%d\n", i+1)))
	}
	chain = append(chain, terms("a5", "", "  period: month\n"))
	for name, c := range map[string]struct {
		texts []spec.Text
		want  string
	}{
		"no parent":        {[]spec.Text{terms("shop", "", "  inherits: corporate\n"+probedLevel)}, `shop.yaml:5:13: error: no agreement "corporate" is loaded; name its file too`},
		"misspelt":         {[]spec.Text{terms("shop", "", "  inherits: corporat\n"+probedLevel), corporate}, `did you mean "corporate"?`},
		"itself":           {[]spec.Text{terms("shop", "", "  inherits: shop\n"+probedLevel)}, "shop.yaml:5:13: error: the agreement inherits from itself: shop from shop"},
		"a circle":         {[]spec.Text{terms("shop", "", "  inherits: a\n"+probedLevel), terms("a", "", "  inherits: b\n"), terms("b", "", "  inherits: a\n")}, "a.yaml:5:13: error: the agreement inherits from itself: a from b from a"},
		"too far":          {chain, "shop.yaml:5:13: error: the agreement inherits through more than 4 others"},
		"no revision":      {[]spec.Text{terms("shop", "", "  inherits: corporate@3\n"+probedLevel), corporate}, `revision "3" of "corporate" is not loaded, only corporate`},
		"two revisions":    {[]spec.Text{terms("shop", "", "  inherits: base\n"+probedLevel), terms("base", ", revision: 1", "  period: month\n"), {File: "new.yaml", Text: terms("base", `, revision: 2, effectiveFrom: "2026-10-01"`, "  period: month\n").Text}}, "several revisions of \"base\" are loaded: base@1 and base@2; name one of them"},
		"two meanings":     {[]spec.Text{terms("shop", "", "  inherits: corporate\n  calendars: {prime: {weekly: [{days: [Sun], from: \"08:00\", to: \"09:00\"}]}}\n"+probedLevel), corporate}, `shop.yaml:6:15: error: "prime" in calendars is another one in "corporate", which the agreement inherits from, at corporate.yaml:7:15`},
		"wrong in parent":  {[]spec.Text{terms("shop", "", "  inherits: base\n"+probedLevel), terms("base", "", "  period: mnth\n")}, "base.yaml:5:11: error: period \"mnth\""},
		"unknown in it":    {[]spec.Text{terms("shop", "", "  inherits: base\n"+probedLevel), terms("base", "", "  perod: month\n")}, `base.yaml:5:3: error: unknown key "perod"`},
		"no name":          {[]spec.Text{terms("shop", "", "  inherits: [a, b]\n"+probedLevel)}, "shop.yaml:5:13: error: inherits must be text"},
		"levels of nobody": {[]spec.Text{terms("shop", "", "  period: month\n")}, `"serviceLevels" is missing`},
	} {
		_, findings := spec.LoadTexts(c.texts...)
		err := findings.Err()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
			continue
		}
		if lines := strings.Split(err.Error(), "\n"); len(lines) > 1 {
			t.Errorf("%s: %d findings: %v", name, len(lines), err)
		}
	}
}
