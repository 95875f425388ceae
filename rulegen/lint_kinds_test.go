package rulegen_test

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Whatever is counted from scrapes needs enough of them in its window; what is
// looked at when rules are evaluated does not.
func TestFewScrapesForEveryKindThatIsCounted(t *testing.T) {
	q := sla.Query{Text: "x"}
	up, fast := probeLevels()
	for name, test := range map[string]struct {
		indicator sla.Indicator
		counted   bool
	}{
		"events":        {&sla.Events{Bad: sla.Query{Text: "x_errors"}, Total: q}, true},
		"histogram":     {&sla.HistogramLatency{Histogram: q, Threshold: time.Second}, true},
		"native":        {&sla.NativeLatency{Histogram: q, Threshold: time.Second}, true},
		"probe":         {up.Indicator, true},
		"probe latency": {fast.Indicator, true},
		"blackbox":      {&sla.Blackbox{Success: q}, true},
		"condition":     {&sla.Condition{Expr: sla.Query{Text: "x > 1"}}, false},
		"ratio":         {&sla.Ratio{Bad: q}, false},
	} {
		l := level("l", "99", test.indicator)
		_, findings := rulegen.Compile(&sla.Agreement{Name: "a", Levels: []*sla.ServiceLevel{l}}, rulegen.Options{ScrapeInterval: 2 * time.Minute})
		found := false
		for _, f := range findings {
			found = found || f.Rule == "few-scrapes"
		}
		if found != test.counted {
			t.Errorf("%s: few-scrapes is %v, want %v: %v", name, found, test.counted, findings)
		}
	}
}
