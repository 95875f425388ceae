package rulegen_test

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/upheld-sla/upheld/rulegen"
)

// recordedName is the name of a recorded series where an expression reads one.
var recordedName = regexp.MustCompile(`\bsla[:_][a-zA-Z0-9_:]+`)

// nameOf is the series that a rule records, or the alert that it fires.
func nameOf(r rulegen.Rule) string { return cmp.Or(r.Record, r.Alert) }

// keepFor leaves only those rules of a plan that record these series or fire these
// alerts, and what they are made of. A rule reads nothing else, so the series are the same without
// the others: a test that reads a few series through a long history need not have all
// of them evaluated.
func keepFor(plan *rulegen.Plan, series ...string) {
	wanted := map[string]bool{}
	for len(series) > 0 {
		name := series[0]
		series = series[1:]
		if wanted[name] {
			continue
		}
		wanted[name] = true
		for _, l := range plan.Levels {
			for _, g := range l.Groups {
				for _, r := range g.Rules {
					if nameOf(r) == name {
						series = append(series, recordedName.FindAllString(r.Expr.String(), -1)...)
					}
				}
			}
		}
	}
	for i, l := range plan.Levels {
		for j, g := range l.Groups {
			l.Groups[j].Rules = slices.DeleteFunc(g.Rules, func(r rulegen.Rule) bool { return !wanted[nameOf(r)] })
		}
		plan.Levels[i].Groups = slices.DeleteFunc(l.Groups, func(g rulegen.Group) bool { return len(g.Rules) == 0 })
	}
}
