package rulegen_test

import (
	"strings"
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

// Minutes are counted from one scrape each, but for native histograms.
func TestFewScrapesOfJudgedMinutes(t *testing.T) {
	bad, total, histogram := sla.Query{Text: "bad_total"}, sla.Query{Text: "all_total"}, sla.Query{Text: "x_seconds"}
	for _, test := range []struct {
		indicator sla.Indicator
		every     time.Duration
		want      string
	}{
		{&sla.Events{Bad: bad, Total: total}, time.Minute, ""},
		{&sla.Events{Bad: bad, Total: total}, 90 * time.Second, "leaves 0 scrapes; one is needed"},
		{&sla.NativeLatency{Histogram: histogram, Threshold: time.Second}, 15 * time.Second, ""},
		{&sla.NativeLatency{Histogram: histogram, Threshold: time.Second}, 30 * time.Second, "leaves 2 scrapes; 4 are needed"},
	} {
		l := level("l", "99", test.indicator)
		l.Aggregation, l.Slots = sla.BadMinute, sla.Slots{Width: time.Minute, ErrorThreshold: sla.MustDecimal("5")}
		_, findings := rulegen.Compile(&sla.Agreement{Name: "a", Levels: []*sla.ServiceLevel{l}}, rulegen.Options{ScrapeInterval: test.every})
		if len(findings) > 0 != (test.want != "") || len(findings) > 0 && !strings.Contains(findings[0].Message, test.want) {
			t.Errorf("%s every %s: got %v, want %q", test.indicator.Kind(), test.every, findings, test.want)
		}
	}
}
