package simulate_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/upheld-sla/upheld/internal/simulate"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

const booking = `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: booking}
spec:
  maintenance: {effect: remove_from_agreed_time, windows: [{from: "2026-10-04T01:00", to: "2026-10-04T05:00"}]}
  serviceLevels:
    - {name: requests, service: api, target: "99.9", indicator: {events: {bad: 'http_requests_total{code=~"5.."}', total: http_requests_total}}, exclusions: []}
    - {name: site, service: web, target: "99.9", indicator: {probe: {http: "https://booking.example/", interval: 15s, timeout: 5s}}}
    - {name: fast, service: web, target: "99", indicator: {latency: {probe: web/site, threshold: 500ms}}}
    - {name: native, service: api, target: "99", indicator: {latency: {histogram: rpc_seconds, native: true, threshold: 300ms}}}
    - {name: queue, service: mail, target: "99.5", indicator: {condition: {expr: 'max by (queue) (queue_age_seconds) < 60 and queue_consumers > 0'}}}
    - {name: all, service: booking, target: "99.5", indicator: {composite: {all: [web/site, mail/queue]}}}
`

// play plays what follows spec: of a scenario of the agreement.
func play(t *testing.T, agreement, scenario string) *simulate.Result {
	t.Helper()
	r, err := try(t, agreement, scenario)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func try(t *testing.T, agreement, scenario string) (*simulate.Result, error) {
	t.Helper()
	agreements, findings := spec.LoadText("spec.yaml", strings.TrimPrefix(agreement, "\n")+"---\napiVersion: upheld/v1\nkind: Scenario\nmetadata: {name: test, agreement: booking}\nspec: "+scenario+"\n")
	if findings.HasErrors() || len(agreements) != 1 || len(agreements[0].Scenarios) != 1 {
		t.Fatal(findings)
	}
	in := simulate.Input{Agreements: agreements, Scenario: agreements[0].Scenarios[0]}
	if in.Scenario.Spent.Sign() == 0 {
		in.WarmUp = 7 * time.Hour // enough for what is compared, and quick
	}
	return simulate.Run(context.Background(), in)
}

func level(t *testing.T, r *simulate.Result, name string) simulate.LevelResult {
	t.Helper()
	for _, l := range r.Levels {
		if l.Level.ID.SLO == name {
			return l
		}
	}
	t.Fatalf("no level %s", name)
	return simulate.LevelResult{}
}

func near(t *testing.T, what string, got, want, by float64) {
	t.Helper()
	if math.Abs(got-want) > by || math.IsNaN(got) {
		t.Errorf("%s is %v, not %v", what, got, want)
	}
}

// A total outage of twenty minutes spends 20 of the 43.2 minutes that 99.9 % of 30 days
// allow, however the level counts, and a page fires once 14.4 times the budget of an hour
// is gone: 52 s of outage, and what rates, scrapes and evaluations add.
func TestOutage(t *testing.T) {
	r := play(t, booking, `{steps: [{outage: {for: 20m}}], levels: [requests, site, fast, native, queue, all], expect: [page within 5m of requests, no ticket of requests, one page of site, budget spent < 47% of requests, budget spent > 45%]}`)
	for _, of := range []struct {
		name   string
		budget float64 // minutes of 30 days
	}{{"requests", 43.2}, {"site", 43.2}, {"fast", 432}, {"native", 432}, {"queue", 216}, {"all", 216}} {
		l := level(t, r, of.name)
		near(t, of.name+": spent", l.Budget.Spent, 20/of.budget, 0.005)
		near(t, of.name+": worst over 1h", l.Worst[1].Bad, 1./3, 0.02)
		if len(l.Alerts) == 0 || l.Alerts[0].Name != "SLABudgetBurn" || l.Alerts[0].Urgency != sla.Page || !l.Alerts[0].Ended {
			t.Errorf("%s: %+v", of.name, l.Alerts)
		}
	}
	if at := level(t, r, "requests").Alerts[0].Firing; at < 52*time.Second || at > 52*time.Second+150*time.Second+75*time.Second {
		t.Errorf("the page of requests fires after %s", at)
	}
	if len(r.Failed) != 1 || r.Failed[0].Expected.Text != "budget spent > 45%" || !strings.Contains(r.Failed[0].Seen, "web/fast spent 4.6") {
		t.Errorf("%+v", r.Failed)
	}
}

func TestSlowIsBadForLatencyAlone(t *testing.T) {
	r := play(t, booking, `{steps: [{slow: {share: "50", for: 1h}}], levels: [site, fast, native]}`)
	near(t, "site", level(t, r, "site").Budget.Spent, 0, 0)
	near(t, "fast", level(t, r, "fast").Budget.Spent, 30./432, 0.005)
	near(t, "native", level(t, r, "native").Budget.Spent, 30./432, 0.003)
}

// While nothing is measured nothing is spent, and an alert says so; while Prometheus is
// away it says nothing.
func TestLostMeasurement(t *testing.T) {
	r := play(t, booking, `{steps: [{lost: {for: 30m}}, {prometheusAway: {for: 30m, from: 3h}}], levels: [site], lookFor: 5h}`)
	l := level(t, r, "site")
	near(t, "spent", l.Budget.Spent, 0, 0.001)
	var lost []simulate.Alert
	for _, a := range l.Alerts {
		if a.Name == "SLAMeasurementLost" && a.Fired {
			lost = append(lost, a)
		}
	}
	if len(lost) != 1 || lost[0].Firing < 5*time.Minute || lost[0].Firing > 15*time.Minute || lost[0].Resolved < 30*time.Minute || lost[0].Resolved > 35*time.Minute {
		t.Errorf("%+v", l.Alerts)
	}
}

func TestMaintenanceIsNotCounted(t *testing.T) {
	r := play(t, booking, `{steps: [{maintenance: {for: 1h, levels: [site]}}], levels: [site]}`)
	l := level(t, r, "site")
	near(t, "spent", l.Budget.Spent, 0, 2.5/43.2) // the outage is in five-minute rates a little longer than the window
	if len(l.Alerts) > 0 {
		t.Errorf("%+v", l.Alerts)
	}
	if n := len(l.Level.Exclusions[0].Windows); n != 1 {
		t.Errorf("the agreement has %d windows afterwards", n)
	}
	_, err := try(t, booking, `{steps: [{maintenance: {for: 1h, levels: [requests]}}], levels: [requests]}`)
	if err == nil || !strings.Contains(err.Error(), "spec.yaml:17:17: the level api/requests has no maintenance") {
		t.Error(err)
	}
}

// A component that fails takes the composite with it; the alerts of both are shown.
func TestComponent(t *testing.T) {
	r := play(t, booking, `{steps: [{outage: {for: 20m, levels: [queue]}}]}`)
	if len(r.Levels) != 2 {
		t.Fatalf("%d levels", len(r.Levels))
	}
	near(t, "all", level(t, r, "all").Budget.Spent, 20./216, 0.006)
	r = play(t, booking, `{steps: [{burn: {rate: "20", for: 3h}}], levels: [all]}`)
	near(t, "all burns", level(t, r, "all").Budget.Spent, 20*3./720, 0.02) // two outages of ten minutes
}

func TestSpentBefore(t *testing.T) {
	daily := strings.ReplaceAll(booking, "name: requests, service: api,", "name: requests, service: api, period: 1d,")
	r := play(t, daily, `{steps: [{outage: {for: 20s}}], levels: [requests], spent: "40"}`)
	l := level(t, r, "requests")
	near(t, "before", l.Budget.Before, 0.6, 0.02)
	near(t, "left", l.Budget.Remaining, 0.6-20/86.4, 0.03)
}

// Series that cannot be imagined are named, unless the scenario gives them.
func TestGivenSeries(t *testing.T) {
	odd := strings.ReplaceAll(booking, "rpc_seconds, native: true, threshold: 300ms", `'{__name__=~"rpc_.+"}', native: true, threshold: 300ms`)
	odd = strings.ReplaceAll(odd, "max by (queue) (queue_age_seconds) < 60 and queue_consumers > 0", `topk(1, sum by (a) (x) * on (a) group_left y{b="1"}) - z + w < 60`)
	_, err := try(t, odd, `{steps: [{outage: {for: 20m}}], levels: [queue]}`)
	var problem *simulate.Problem
	if !errors.As(err, &problem) || !strings.Contains(problem.Message, "mail/queue") || problem.Pos.Line == 0 || problem.Remedy == "" {
		t.Fatal(err)
	}
	r := play(t, odd, `{levels: [queue], lookFor: 2h, series: [
    {series: 'x{a="1"}', values: 1}, {series: 'y{a="1",b="1"}', values: 1}, {series: 'z{a="1"}', values: 0}, {series: 'w{a="1"}', values: 0+0x3 100+0x19 0, every: 1m}]}`)
	near(t, "spent", level(t, r, "queue").Budget.Spent, 20./216, 0.01)
}

func TestBadGivenSeries(t *testing.T) {
	for series, want := range map[string]string{
		`{series: 'x{', values: 1}`:           "cannot be read",
		`{series: x, values: 1x2y}`:           "cannot be read",
		`{series: x, values: 0+1x1000000000}`: "more than 1000000 values",
		`{series: x, values: '{{sum:1}}'}`:    "native histograms",
		`{series: '{a="b"}', values: 1}`:      "has no name",
	} {
		if _, err := try(t, booking, `{steps: [{outage: {for: 1m}}], levels: [site], series: [`+series+`]}`); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "spec.yaml:17:") {
			t.Errorf("%s: %v", series, err)
		}
	}
}

// What is printed fits into a terminal, and pictures and JSON can be read by others.
func TestFormats(t *testing.T) {
	r := play(t, booking, `{steps: [{flapping: {every: 4m, down: 2m, for: 1h}}, {outage: {for: 10m, from: 2h}}], levels: [requests, all, site], expect: [one page, no alert of requests within 10h]}`)
	r.Scenario.Description = `<b>"bold" & bad</b>`
	all := []*simulate.Result{r, r}
	text, err := simulate.Text(all)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	dec := xml.NewDecoder(strings.NewReader(string(simulate.SVG(all))))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if svg := string(simulate.SVG(all)); strings.Contains(svg, "<b>") || !strings.Contains(svg, "prefers-color-scheme:dark") || strings.Contains(svg, "http://") && !strings.Contains(svg, `xmlns="http://www.w3.org/2000/svg"`) {
		t.Error(svg)
	}
	data, err := simulate.JSON(all)
	if err != nil {
		t.Fatal(err)
	}
	var one struct {
		Format string
		Levels []struct {
			Alerts []struct{ FiringSeconds float64 }
		}
		Expectations []struct{ Met bool }
	}
	if err := json.NewDecoder(strings.NewReader(string(data))).Decode(&one); err != nil || one.Format != simulate.Format || len(one.Levels) != 3 || one.Levels[0].Alerts[0].FiringSeconds == 0 || len(one.Expectations) != 2 {
		t.Errorf("%v: %s", err, data)
	}
}

// The card's formula is that of the SRE workbook: an hour's 14.4 times the budget is gone
// after 52 s of a total outage, at 10x the page's six hours take 3h36m.
func TestCard(t *testing.T) {
	agreements, findings := spec.LoadText("spec.yaml", booking)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	c, err := simulate.NewCard(context.Background(), simulate.Input{Agreements: agreements, Scenario: &sla.Scenario{Name: "card", Agreement: "booking"}, WarmUp: 7 * time.Hour}, agreements[0].Levels[0], 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range c.Rows {
		switch row.Burn {
		case 0:
			near(t, "outage by formula", row.Formula[sla.Page].Seconds(), 51.84, 0.1)
			near(t, "outage", row.Detected[sla.Page].Seconds(), 52+90, 120)
		case 10:
			near(t, "10x by formula", row.Formula[sla.Page].Minutes(), 216, 0.1)
			near(t, "10x", row.Detected[sla.Page].Minutes(), 216, 8)
		}
	}
	if text := string(simulate.CardText([]*simulate.Card{c})); !strings.Contains(text, "3h36m") {
		t.Error(text)
	}
}

// On a quiet service one failure by chance is above the threshold of an hour. Three bad
// events, which a tier waits for unless told otherwise, are not seen by chance in a week.
func TestCardCountsFalseAlertsOfErrorsAtRandom(t *testing.T) {
	const quiet = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: quiet}
spec:
  alerting: {minimumBadEvents: %d}
  serviceLevels:
    - {name: requests, service: api, target: "99.9", indicator: {events: {bad: 'requests_total{code="500"}', total: requests_total}}}
`
	alerts := map[int]int{}
	for _, least := range []int{0, 3} {
		agreements, findings := spec.LoadText("spec.yaml", fmt.Sprintf(quiet, least))
		if findings.HasErrors() {
			t.Fatal(findings)
		}
		scenario := &sla.Scenario{Name: "card", Agreement: "quiet", Traffic: []sla.ScenarioTraffic{{Rate: sla.NewDecimal(1, 60), Shape: sla.ShapeFlat}}}
		c, err := simulate.NewCard(context.Background(), simulate.Input{Agreements: agreements, Scenario: scenario, WarmUp: 7 * time.Hour}, agreements[0].Levels[0])
		if err != nil {
			t.Fatal(err)
		}
		alerts[least] = c.Random.Pages + c.Random.Tickets
		words := "cause no alert in 7 days"
		if alerts[least] > 0 {
			words = "in 7 days: these are false ones"
		}
		if text := strings.Join(strings.Fields(string(simulate.CardText([]*simulate.Card{c}))), " "); !strings.Contains(text, words) {
			t.Error(text)
		}
	}
	if alerts[0] < 3 || alerts[3] > 0 {
		t.Errorf("%d false alerts without a minimum, %d with three; want some and none", alerts[0], alerts[3])
	}
}
