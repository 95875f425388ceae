package spec

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

func TestKeysThatOnlyVerdictsFollowSaySo(t *testing.T) {
	marked := 0
	for _, s := range sections() {
		for _, f := range s.fields {
			if f.verdictOnly {
				marked++
			}
			if says := strings.Contains(f.doc, "Verdict only"); says != f.verdictOnly {
				t.Errorf("%s.%s is for verdicts only: %v; its text says so: %v", s.name, f.key, f.verdictOnly, says)
			}
		}
	}
	if marked < 10 {
		t.Errorf("only %d keys are for verdicts only", marked)
	}
}

func TestTermsOfVerdictsAreRead(t *testing.T) {
	agreements, findings := Load("testdata/valid/verdicts.yaml")
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	a := agreements[0]
	want := sla.Settlement{
		Outage:  sla.OutageRule{ConfirmAfter: 3 * time.Minute, FromConfirmation: true, RecoverAfter: 2 * time.Minute, MergeGap: 5 * time.Minute, Minimum: time.Minute},
		NotSeen: sla.MissingGood, MinCoverage: sla.MustDecimal("99"), BelowCoverage: sla.CountsAsBreach, Partial: sla.AssumeUp, FixedMinutes: 43200,
	}
	got := a.Levels[0].Settlement
	if got.MinCoverage.Cmp(want.MinCoverage) != 0 {
		t.Errorf("coverage %s", got.MinCoverage)
	}
	got.MinCoverage = want.MinCoverage
	if got != want || a.Levels[0].MissingData != sla.MissingBad {
		t.Errorf("read %+v, want %+v", got, want)
	}
	if other := a.Levels[1].Settlement; other.FixedMinutes != 43200 || other.BelowCoverage != sla.InsufficientData || a.Levels[1].MissingData != sla.MissingExcluded {
		t.Errorf("read %+v", other)
	}
	if len(a.Declared) != 2 || a.Declared[0].Service != "hosting" || a.Declared[1].Service != "shop" {
		t.Errorf("declared %+v", a.Declared)
	}
	var keys []string
	for _, k := range a.VerdictOnly {
		keys = append(keys, k.Key)
	}
	for _, key := range []string{"outage", "confirmAfter", "fixedMinutes", "declared", "minCoverage", "partialPeriod"} {
		if !strings.Contains(" "+strings.Join(keys, " ")+" ", " "+key+" ") {
			t.Errorf("%s is not among the keys for verdicts only: %q", key, keys)
		}
	}
}
