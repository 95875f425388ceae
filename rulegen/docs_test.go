package rulegen_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Every series and every alert that is made is explained, and nothing is
// explained that is not made.
func TestDocumentationNamesWhatIsMade(t *testing.T) {
	content, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	l := level("bad", "99.9", events("bad_total", "", "requests_total"))
	l.Alerting.MinimumEvents, l.Alerting.MinimumBadEvents = 100, 3
	levels := []*sla.ServiceLevel{l, level("good", "99.9", events("", "good_total", "requests_total"))}
	for _, a := range l.Indicator.Aggregations()[1:] {
		slotted := level(strings.ReplaceAll(string(a), "_", "-"), "99.9", l.Indicator)
		slotted.Aggregation, slotted.Slots = a, sla.Slots{Width: 5 * time.Minute, MinRun: 5 * time.Minute}
		levels = append(levels, slotted)
	}
	credited := withCredits(level("credits", "99.9", l.Indicator), "99.9", "10")
	credited.Period = sla.Period{Calendar: sla.Month}
	levels = append(levels, withCredits(level("rolling-credits", "99.9", l.Indicator), "99.9", "10"))
	calendar, findings := rulegen.Compile(&sla.Agreement{Name: "shop", Levels: []*sla.ServiceLevel{credited}}, rulegen.Options{})
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	levels = append(levels, groupedLevel("groups", l.Indicator))
	traffic := level("traffic", "99.9", l.Indicator)
	traffic.Alerting.WeighByTraffic = true
	levels = append(levels, traffic)
	filled := level("filled", "99.9", &sla.Probe{Check: &sla.TCPCheck{Address: "db:5432"}, Interval: 5 * time.Second})
	filled.MissingData = sla.MissingBad
	state := level("state", "99.9", &sla.Condition{Expr: sla.Query{Text: "queue_age < 60"}})
	state.MissingData = sla.MissingBad
	levels = append(levels, filled, state)
	plan, findings := rulegen.Compile(&sla.Agreement{Name: "shop", Levels: levels}, rulegen.Options{})
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	made := map[string]bool{}
	window := regexp.MustCompile(`^(sla:(?:error|traffic):ratio_rate|sla:(?:bad|total):sum_)(30m|1h|2h|6h|1d|3d)$`)
	parts := regexp.MustCompile(`^sla:[a-z_]+:(sum_period_(to|since)_hour)$`)
	for _, g := range calendar.Levels[0].Groups {
		for _, r := range g.Rules {
			if strings.HasPrefix(r.Record, "sla:credit") {
				made[r.Record] = true
			}
		}
	}
	for _, l := range plan.Levels {
		for _, g := range l.Groups {
			for _, r := range g.Rules {
				made[parts.ReplaceAllString(window.ReplaceAllString(r.Record+r.Alert, "$1"), "sla:*:$1")] = true
			}
		}
	}
	made["sla:total:sum_1h"], made["sla:bad:sum_1h"] = true, true
	made["sla:*:sum_period"] = true
	made["sla:traffic:ratio_rate1h"] = made["sla:traffic:ratio_rate"]
	made["sla:error:ratio_rate5m"], made["sla:error:ratio_rate30m"], made["sla:error:ratio_rate1d"] = true, true, true
	for name := range made {
		if !strings.Contains(string(content), "`"+name) {
			t.Errorf("docs/rules.md does not explain %s", name)
		}
	}
	for _, name := range regexp.MustCompile("`(sla:[a-z0-9:_*]+|SLA[A-Za-z]+)`").FindAllStringSubmatch(string(content), -1) {
		if !made[name[1]] {
			t.Errorf("docs/rules.md explains %s, which is not made", name[1])
		}
	}
}
