package rulegen

import (
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

func ofBlackbox(i *sla.Blackbox) indicator {
	return indicator{
		count: func(c counting) ([]Rule, sla.Findings) { return c.blackbox(i.Success) },
		results: func(counting) lastResults {
			return lastResults{of: countedOf(i.Success)[0].Now()}
		},
	}
}

// blackbox averages a gauge that is 1 for a probe that succeeded. Scrapes that
// failed have no sample, so they are unknown and not bad.
func (c counting) blackbox(q sla.Query) ([]Rule, sla.Findings) {
	selectors, findings := counterSelectors(q)
	if findings.HasErrors() {
		return nil, findings
	}
	if len(selectors) > 1 {
		return nil, sla.Findings{{
			Severity: sla.Error, Rule: "not-a-selector", Pos: q.Pos,
			Message: "a blackbox level reads one selector, not a sum", Remedy: "give each its own service level, or select both with =~",
		}}
	}
	good := c.atCut(promql.Avg(selectors[0].AvgOverTime(c.into.window), c.groupLabels()...))
	return []Rule{
		c.limitsGroups(c.totalRule(c.admitted(is1(good), c.present(selectors[0])), "1 where there were probes")),
		c.badFromRest(good, "share of probes that did not succeed,"),
	}, findings
}
