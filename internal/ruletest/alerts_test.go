package ruletest

import (
	"slices"
	"testing"

	"github.com/upheld-sla/upheld/sla"
)

// A kind of alert that nobody brings about would be tested by nothing.
func TestEveryKindOfAlertHasATest(t *testing.T) {
	for _, k := range sla.AlertKinds {
		if !slices.ContainsFunc(alertTests(), func(of alertTest) bool {
			return of.kind == k && (of.figures != nil || of.burn != nil || of.dated != nil)
		}) {
			t.Errorf("alertTests has no test of %s", k.Name)
		}
	}
}
