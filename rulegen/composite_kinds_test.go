package rulegen_test

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// kindsAgreement has a level of every kind; the composite of another agreement
// is made of all of them.
const kindsAgreement = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: parts}
spec:
  alerting: {enabled: false}
  exclusions:
    - {name: always, category: other, effect: treat_as_up, condition: 'vector(1) > 0'}
  serviceLevels:
    - {name: up, service: probe, target: "99", indicator: {probe: {http: "https://web.example/", interval: 15s}}}
    - {name: up, service: seldom, target: "99", indicator: {probe: {tcp: "seldom.example:1", interval: 1m}}}
    - {name: fast, service: probe, target: "99", indicator: {latency: {probe: probe/up, threshold: 1s}}}
    - {name: up, service: events, target: "99", indicator: {events: {bad: 'e_bad', total: 'e_total'}}}
    - {name: up, service: good, target: "99", indicator: {events: {good: 'e_good', total: 'e_total'}}}
    - {name: strict, service: events, target: "99", indicator: {events: {bad: 'e_bad', total: 'e_total'}}, aggregation: {method: bad_minute, errorThreshold: "5"}}
    - {name: runs, service: events, target: "99", indicator: {events: {bad: 'e_bad', total: 'e_total'}}, aggregation: {method: qualified_run, errorThreshold: "5", minRun: 3m, emptySlot: unknown}}
    - {name: gone, service: events, target: "99", indicator: {events: {bad: 'e_bad', total: 'e_total'}}, aggregation: all_failed_minute}
    - {name: fast, service: events, target: "99", indicator: {latency: {histogram: h_seconds, threshold: 1s}}}
    - {name: quantile, service: events, target: "99", indicator: {latency: {histogram: h_seconds, threshold: 1s}}, aggregation: {method: slot_quantile, quantile: "0.9"}}
    - {name: up, service: condition, target: "99", indicator: {condition: {expr: 'c_up > 0'}}}
    - {name: up, service: ratio, target: "99", indicator: {ratio: {bad: 'r_bad'}}}
    - {name: up, service: blackbox, target: "99", indicator: {blackbox: {success: 'probe_success'}}}
---
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - name: whole
      target: "99"
      indicator:
        composite:
          all: ["parts:probe/up", "parts:seldom/up", "parts:probe/fast", "parts:events/up", "parts:good/up", "parts:events/strict", "parts:events/runs", "parts:events/gone",
                "parts:events/fast", "parts:events/quantile", "parts:condition/up", "parts:ratio/up", "parts:blackbox/up"]
`

// TestComponentsOfEveryKind holds what is down in which phase to what is fed in.
// Only the composite's own rule file is loaded: it needs no other.
func TestComponentsOfEveryKind(t *testing.T) {
	t.Parallel()
	agreements, findings := spec.LoadText("kinds.yaml", kindsAgreement)
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	plan, findings := rulegen.Compile(agreements[1], rulegen.Options{})
	if findings.HasErrors() {
		t.Fatal(findings)
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	everything := strings.Fields("probe/up seldom/up probe/fast events/up good/up events/strict events/runs events/gone events/fast events/quantile condition/up ratio/up blackbox/up")
	phases := []struct {
		name    string
		bad     float64 // the share of everything that is bad
		rate    float64 // events a second; negative: no series at all
		down    string
		unknown string
	}{
		{"all well", 0, 10, "", ""},
		{"a fifth bad", 0.2, 10, "events/strict events/runs events/quantile", ""},
		{"most bad", 0.7, 10, "probe/up seldom/up probe/fast events/up good/up events/strict events/runs events/fast events/quantile condition/up ratio/up blackbox/up", ""},
		{"all bad", 1, 10, strings.Join(everything, " "), ""},
		{"no traffic", 0, 0, "", "probe/up seldom/up probe/fast events/runs"},
		{"nothing is scraped", 0, -1, "", strings.Join(everything, " ")},
	}
	const phase = 12 * time.Minute
	var bad, total float64
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		p := phases[min(int(at.Sub(enginetest.Start)/phase), len(phases)-1)]
		if p.rate < 0 {
			return nil
		}
		bad, total = bad+15*p.rate*p.bad, total+15*p.rate
		up := 1.0
		if p.bad >= 0.5 {
			up = 0
		}
		samples := []enginetest.Sample{
			{Series: "e_bad", Value: bad},
			{Series: "e_good", Value: total - bad},
			{Series: "e_total", Value: total},
			{Series: "h_seconds_count", Value: total},
			{Series: `h_seconds_bucket{le="1"}`, Value: total - bad},
			{Series: `h_seconds_bucket{le="+Inf"}`, Value: total},
			{Series: `h_seconds_bucket{le="2"}`, Value: total},
			{Series: "c_up", Value: up},
			{Series: "r_bad", Value: p.bad},
			{Series: "probe_success", Value: 1 - p.bad},
		}
		for _, probe := range []string{"probe", "seldom"} {
			id := fmt.Sprintf(`sla="parts",service=%q,slo="up",target="x",location="here"`, probe)
			samples = append(samples,
				enginetest.Sample{Series: `upheld_probe_results_total{outcome="bad",` + id + `}`, Value: bad},
				enginetest.Sample{Series: `upheld_probe_results_total{outcome="good",` + id + `}`, Value: total - bad},
				enginetest.Sample{Series: `upheld_probe_within_threshold_total{threshold="1",` + id + `}`, Value: total - bad})
		}
		return samples
	})
	w.Load(file)
	for _, p := range phases {
		w.Run(phase - time.Minute)
		for _, c := range everything {
			want := "up"
			if strings.Contains(" "+p.down+" ", " "+c+" ") {
				want = "down"
			} else if strings.Contains(" "+p.unknown+" ", " "+c+" ") {
				want = "unknown"
			}
			got := "unknown"
			for _, s := range w.Query(fmt.Sprintf(`sla:component:bad{sla="shop",component="parts:%s"}`, c)) {
				got = map[float64]string{0: "up", 1: "down"}[s.F]
			}
			if got != want {
				t.Errorf("%s: %s is %s, want %s", p.name, c, got, want)
			}
		}
		w.Run(time.Minute)
	}
	if nans := w.NaNs(2 * time.Hour); len(nans) > 0 {
		t.Errorf("NaN in %v", nans)
	}
}

// pagedAgreement is a shop that fails end to end and in its parts.
const pagedAgreement = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  serviceLevels:
    - {name: up, service: web, target: "99.9", indicator: {condition: {expr: 'web_up > 0'}}}
    - {name: up, service: cart, target: "99.9", indicator: {condition: {expr: 'cart_up > 0'}}}
    - {name: journey, service: shop, target: "99.5", indicator: {condition: {expr: 'journey_up > 0'}}}
    - name: whole
      target: "99.5"
      indicator: {composite: {all: [web/up, cart/up], componentAlerts: %s, endToEnd: {level: shop/journey, over: 30m}}}
`

func pagedWorld(t *testing.T, choice string, up func(series string, minute int) bool) *enginetest.World {
	t.Helper()
	agreements, findings := spec.LoadText("shop.yaml", fmt.Sprintf(pagedAgreement, choice))
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	plan, findings := rulegen.Compile(agreements[0], rulegen.Options{Labels: map[string]string{"prom": "a"}})
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		t.Fatal(err)
	}
	w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
		var samples []enginetest.Sample
		for _, name := range []string{"web_up", "cart_up", "journey_up"} {
			value := 0.0
			if up(name, int(at.Sub(enginetest.Start)/time.Minute)) {
				value = 1
			}
			samples = append(samples, enginetest.Sample{Series: name, Value: value})
		}
		return samples
	})
	w.KeepAnnotations()
	w.Load(file)
	return w
}

// TestCompositePageNamesComponents: the page of a composite says which component
// is down and since when, and its components' alerts lead to it by choice.
func TestCompositePageNamesComponents(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ choice, composite, inhibitedBy string }{
		{"linked", "shop:shop/whole", ""},
		{"inhibited", "shop:shop/whole", "shop:shop/whole"},
		{"independent", "", ""},
	} {
		t.Run(tc.choice, func(t *testing.T) {
			if tc.choice != "inhibited" {
				testsize.Skip(t, "this choice")
			}
			w := pagedWorld(t, tc.choice, func(series string, minute int) bool {
				return series == "journey_up" || series == "web_up" || minute < 60
			})
			w.Run(85 * time.Minute)
			pages := 0
			for _, a := range w.Alerts() {
				if a.Labels["alertname"] != sla.AlertBudgetBurn.Name || a.Labels["severity"] != "page" {
					continue
				}
				pages++
				switch a.Labels["service"] {
				case "shop":
					words := a.Annotations["components_down"]
					since := enginetest.Start.Add(60 * time.Minute).Truncate(time.Minute)
					if !strings.HasPrefix(words, "cart/up is down since "+since.Format("2006-01-02 15:0")) || strings.Contains(words, "web") || a.Labels["composite"] != "" {
						t.Errorf("the page says %q, with the labels %v", words, a.Labels)
					}
					if got := a.Annotations["summary"]; !strings.HasPrefix(got, "shop/whole is down since 11:") || !strings.HasSuffix(got, " UTC: cart/up is down") {
						t.Errorf("the page's summary is %q", got)
					}
				case "cart":
					if a.Labels["composite"] != tc.composite || a.Labels["inhibited_by"] != tc.inhibitedBy {
						t.Errorf("the component's page has %v", a.Labels)
					}
				default:
					t.Errorf("a page of %v", a.Labels)
				}
			}
			if pages < 2 {
				t.Errorf("%d pages", pages)
			}
		})
	}
}

// TestCompositeDivergence: all components are well and the journey fails, then
// both fail together, which is no divergence.
func TestCompositeDivergence(t *testing.T) {
	t.Parallel()
	w := pagedWorld(t, "linked", func(series string, minute int) bool {
		return (series != "journey_up" || minute < 20 || minute >= 30) && (minute < 90 || minute >= 100)
	})
	w.Run(2 * time.Hour)
	var fired []string
	for _, tr := range w.Transitions() {
		if tr.Name == sla.AlertCompositeDivergence.Name {
			fired = append(fired, fmt.Sprintf("%v at %d, %s", tr.Firing, int(tr.At.Sub(enginetest.Start).Minutes()), tr.Labels["severity"]))
		}
	}
	// More than 5 % of 30 minutes is two of them; it ends when no more than one is left.
	if len(fired) != 2 || fired[0] != "true at 21, ticket" && fired[0] != "true at 22, ticket" || fired[1] != "false at 58, ticket" && fired[1] != "false at 59, ticket" {
		t.Errorf("it fired %v", fired)
	}
}

// TestCompositeSeriesAreDocumented demands that docs/composites.md names every
// series and alert that composites have beside those of all levels.
func TestCompositeSeriesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/composites.md")
	if err != nil {
		t.Fatal(err)
	}
	_, files := compositeLevels(t, compositeSpec([]string{"a", "b"}, "any: [a/up, b/up], failover: 1m, endToEnd: a/up", ""))
	names := regexp.MustCompile(`(?m)(?:record|alert): (sla:(?:component|composite|blame|end_to_end)[a-z0-9:_]*|SLAComposite[A-Za-z]*)$`).FindAllStringSubmatch(string(files[0]), -1)
	if len(names) < 10 {
		t.Fatalf("only %v", names)
	}
	for _, name := range names {
		whole := strings.TrimSuffix(strings.TrimSuffix(name[1], "_to_hour"), "_since_hour") // the parts of a sum: docs/rules.md
		if !strings.Contains(string(text), whole) {
			t.Errorf("docs/composites.md does not name %s", name[1])
		}
	}
}

// maskedAgreement has a component whose own contract excuses its works, and two
// composites of it: of one the contract does not, of the other it does.
const maskedAgreement = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  exclusions: [{name: works, category: force_majeure, effect: %s, condition: "works > 0"}]
  alerting: {enabled: false}
  serviceLevels:
    - {name: up, service: web, target: "50", indicator: {condition: {expr: "web_up > 0"}}}
    - {name: up, service: cart, target: "50", exclusions: [], indicator: {condition: {expr: "cart_up > 0"}}}
    - {name: strict, target: "50", exclusions: [], indicator: {composite: {all: [web/up, cart/up]}}}
    - {name: excused, target: "50", indicator: {composite: {all: [web/up, cart/up]}}}
`

// TestCompositeExclusions: web is down for 30 minutes, during the first 20 of
// which works excuse it by its own contract; the cart is down for the last 15.
func TestCompositeExclusions(t *testing.T) {
	t.Parallel()
	for effect, known := range map[string]float64{"treat_as_up": 100, "remove_from_agreed_time": 80} {
		t.Run(effect, func(t *testing.T) {
			agreements, findings := spec.LoadText("shop.yaml", fmt.Sprintf(maskedAgreement, effect))
			if err := findings.Err(); err != nil {
				t.Fatal(err)
			}
			plan, findings := rulegen.Compile(agreements[0], rulegen.Options{})
			if err := findings.Err(); err != nil {
				t.Fatal(err)
			}
			file, err := emit.Prometheus(plan)
			if err != nil {
				t.Fatal(err)
			}
			w := enginetest.New(t, 15*time.Second, func(at time.Time) []enginetest.Sample {
				minute := int(at.Sub(enginetest.Start) / time.Minute)
				is := func(yes bool) float64 { return map[bool]float64{true: 1}[yes] }
				return []enginetest.Sample{
					{Series: "web_up", Value: is(minute < 20 || minute >= 50)},
					{Series: "cart_up", Value: is(minute < 35 || minute >= 50)},
					{Series: "works", Value: is(minute >= 20 && minute < 40)},
				}
			})
			w.Load(file)
			w.Run(130 * time.Minute)
			minutes := func(query string) float64 {
				return w.Value("sum("+query+") or vector(0)") / 60
			}
			near := func(what string, got, want, off float64) {
				if math.Abs(got-want) > off {
					t.Errorf("%s: %v minutes, want %v", what, got, want)
				}
			}
			const edge = 1.01 // the works are seen by a group that is evaluated at another moment
			near("bad without an excuse", minutes(`sla:bad:sum_period{slo="strict"}`), 30, 1e-6)
			near("bad with one", minutes(`sla:bad:sum_period{slo="excused"}`), 10, edge)
			near("web alone", minutes(`sla:blame:sum_period{slo="strict",component="web/up",how="alone"}`), 15, 1e-6)
			near("web with others", minutes(`sla:blame:sum_period{slo="strict",component="web/up",how="with_others"}`), 7.5, 1e-6)
			near("the cart", minutes(`sla:blame:sum_period{slo="strict",component="cart/up"}`), 7.5, 1e-6)
			for _, slo := range []string{"strict", "excused"} {
				near("blame of "+slo, minutes(`sla:blame:sum_period{slo="`+slo+`"}`), minutes(`sla:bad:sum_period{slo="`+slo+`"}`), 1e-6)
				spent := 1 - w.Value(`sla:budget_remaining:ratio_period{slo="`+slo+`"}`)
				if blamed := w.Value(`sum(sla:blame:budget_ratio_period{slo="` + slo + `"})`); math.Abs(blamed-spent) > 1e-9 {
					t.Errorf("%s: %v of the budget is blamed, %v is spent", slo, blamed, spent)
				}
			}
			near("web, excused", minutes(`sla:blame:sum_period{slo="excused",component="web/up"}`), 5, edge)
			lost := minutes(`sla:total:sum_period{slo="strict"}`) - minutes(`sla:total:sum_period{slo="excused"}`)
			near("agreed time less", lost, 100-known, 5.01) // the second tiers of the two are evaluated apart
		})
	}
}
