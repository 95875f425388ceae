package rulegen_test

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Counts that cannot be what is meant are found by their selectors alone, and
// nothing is found of those that people have.
func TestCountsThatCannotBeMeant(t *testing.T) {
	q := func(text string) sla.Query { return sla.Query{Text: text} }
	for name, test := range map[string]struct {
		indicator sla.Indicator
		want      string
	}{
		"bad is total":  {events(`x{a="1",b="2"}`, "", `x{b="2",a="1"}`), "error same-as-total"},
		"good is total": {events("", `x`, `{__name__="x"}`), "error same-as-total"},
		"bad is total by another way to write a value": {events(`x{c=~"5"}`, "", `x{c="5"}`), "error same-as-total"},
		"bad is total by values in another order":      {events(`x{c=~"5|6"}`, "", `x{c=~"6|5"}`), "error same-as-total"},
		"total is written with any value":              {events(`x`, "", `x{c=~".*"}`), "error same-as-total"},
		"bad is more than total":                       {events(`x`, "", `x{job="a"}`), "error same-as-total"},
		"good is whatever total does not ask for":      {events("", `x{c!~"5.."}`, `x{c=~"2..|3.."}`), "error same-as-total"},
		"bad is most of total":                         {events(`x{c!="5"}`, "", `x`), ""},
		"bad is of another metric":                     {events(`y`, "", `x{job="a"}`), ""},
		"sums are the same":                            {events("", `x + y`, `y + x`), "error same-as-total"},
		"good apart":                                   {events("", `x{code=~"2.."}`, `x{code=~"5.."}`), "error not-of-total"},
		"bad apart":                                    {events(`x{code=~"5.."}`, "", `x{code!~"5.."}`), "error not-of-total"},
		"one term apart":                               {events(`x{code="500"} + x{code="200"}`, "", `x{code=~"5.."}`), "error not-of-total"},
		"a sum of the service":                         {events(`x{result="error"}`, "", `x{result="all"}`), "warning not-of-total"},
		"nothing":                                      {events(`x{code="500",code="503"}`, "", `x`), "error selects-nothing"},
		"twice":                                        {events(`x{code="500"} + x{code="500"}`, "", `x`), "error counted-twice"},
		"histogram apart":                              {&sla.HistogramLatency{Histogram: q(`h_seconds{code=~"5.."}`), Good: q(`h_seconds{code=~"2.."}`), Threshold: time.Second}, "error not-of-total"},
		"buckets":                                      {events("", `h_bucket{le="0.3"}`, `h_bucket{le="+Inf"}`), ""},
		"part":                                         {events(`x{code=~"5.."}`, "", `x`), ""},
		"part of a sum":                                {events(`x{code=~"5.."}`, "", `x{code=~"2.."} + x{code=~"5.."}`), ""},
		"another metric":                               {events(`errors_total{code="5"}`, "", `requests_total{code="2"}`), ""},
		"one term beside another":                      {events(`x{code="5"}`, "", `x{code="2"} + y`), ""},
		"several names":                                {events(`{__name__=~"x|y",code="5"}`, "", `{__name__=~"x|y",code="2"}`), ""},
	} {
		_, findings := rulegen.Compile(&sla.Agreement{Name: "a", Levels: []*sla.ServiceLevel{level("l", "99", test.indicator)}}, rulegen.Options{})
		got := ""
		if len(findings) > 0 {
			got = string(findings[0].Severity) + " " + findings[0].Rule
		}
		if got != test.want || len(findings) > 1 {
			t.Errorf("%s: %q, want %q: %v", name, got, test.want, findings)
		}
	}
}
