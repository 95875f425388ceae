package emit_test

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/enginetest"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

// elsewhere is an agreement with rules that join in all ways: counters, probes, and a whole of both.
const elsewhere = `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: a}
spec:
  serviceLevels:
    - {name: requests, service: api, target: "99", indicator: {events: {bad: 'errors_total{job="api"}', total: 'requests_total{job="api"}'}}}
    - {name: up, service: web, target: "99", indicator: {probe: {http: "https://a.example/", interval: 15s}}}
    - {name: whole, service: shop, target: "99", indicator: {composite: {all: [api/requests, web/up]}}}
`

// rulesElsewhere are its rules as a file that the engine reads.
func rulesElsewhere(t *testing.T, interval time.Duration, partSize int) []byte {
	t.Helper()
	agreements, findings := spec.LoadText("a.yaml", elsewhere)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := emit.NewRuleWriter(&out, emit.RuleOptions{PartSize: partSize})
	if err := writeAll(w, rulegen.Options{Interval: interval}, agreements); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// outage is a target that fails half of everything for a time; each series has further labels.
func outage(labels string) enginetest.Target {
	from, to := enginetest.Start.Add(40*time.Minute), enginetest.Start.Add(70*time.Minute)
	return func(at time.Time) []enginetest.Sample {
		all := at.Sub(enginetest.Start).Seconds()
		bad := 0.0
		if at.After(from) {
			end := at
			if end.After(to) {
				end = to
			}
			bad = end.Sub(from).Seconds() / 2
		}
		of := `service="web",sla="a",slo="up",target="https://a.example/"` + labels
		last := 1.0
		if at.After(from) && at.Before(to) {
			last = 0
		}
		return []enginetest.Sample{
			{Series: fmt.Sprintf(`requests_total{job="api"%s}`, labels), Value: all * 10},
			{Series: fmt.Sprintf(`errors_total{job="api"%s}`, labels), Value: bad * 10},
			{Series: fmt.Sprintf(`upheld_probe_results_total{outcome="good",%s}`, of), Value: math.Floor((all - bad) / 15)},
			{Series: fmt.Sprintf(`upheld_probe_results_total{outcome="bad",%s}`, of), Value: math.Floor(bad / 15)},
			{Series: fmt.Sprintf(`upheld_probe_last_outcome_good{%s}`, of), Value: last},
		}
	}
}

// figures are all recorded samples now, by their labels other than those that a server adds.
func figures(t *testing.T, w *enginetest.World) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, s := range w.Query(`{__name__=~"sla:.+"}`) {
		l := s.Metric.Map()
		delete(l, "cluster")
		delete(l, "replica")
		key := fmt.Sprint(l)
		if _, twice := all[key]; twice {
			t.Errorf("%s is there twice", key)
		}
		all[key] = s.F
	}
	return all
}

func sameFigures(t *testing.T, want, got map[string]float64, within float64) {
	t.Helper()
	if len(want) < 50 {
		t.Fatalf("only %d series are recorded", len(want))
	}
	for key, w := range want {
		if g, there := got[key]; !there || math.Abs(g-w) > within*math.Max(1, math.Abs(w)) {
			t.Errorf("%s is %v, want %v", key, g, w)
		}
	}
	for key := range got {
		if _, there := want[key]; !there {
			t.Errorf("%s is there, and should not be", key)
		}
	}
}

func episodes(w *enginetest.World) map[string]time.Time {
	all := map[string]time.Time{}
	for _, tr := range w.Transitions() {
		if strings.HasPrefix(tr.Name, "SLA") {
			l := tr.Labels
			key := fmt.Sprintf("%s %s/%s %s firing=%t", tr.Name, l["service"], l["slo"], l["severity"], tr.Firing)
			if _, before := all[key]; !before {
				all[key] = tr.At
			}
		}
	}
	return all
}

// Servers that evaluate rules elsewhere, as Thanos Ruler does, put labels of the cluster and the
// replica on what they record, and raw series have them too. No join fails for that, and nothing
// is there twice.
func TestExternalLabelsBreakNoJoin(t *testing.T) {
	plain := enginetest.New(t, 15*time.Second, outage(""))
	plain.Load(rulesElsewhere(t, time.Minute, 0))
	labelled := enginetest.New(t, 15*time.Second, outage(`,cluster="east",replica="r1"`))
	labelled.Load(withLabels(t, rulesElsewhere(t, time.Minute, 0), map[string]string{"cluster": "east", "replica": "r1"}))
	for _, d := range []time.Duration{60 * time.Minute, 40 * time.Minute} {
		plain.Run(d)
		labelled.Run(d)
		sameFigures(t, figures(t, plain), figures(t, labelled), 1e-9)
	}
	if all, of := labelled.Value(`count({__name__=~"sla:.+"})`), labelled.Value(`count({__name__=~"sla:.+",cluster="east",replica="r1"})`); all != of {
		t.Errorf("%v of %v series have the labels", of, all)
	}
	want, got := episodes(plain), episodes(labelled)
	if len(want) == 0 {
		t.Error("no alert fired")
	}
	for key, at := range want {
		if !got[key].Equal(at) {
			t.Errorf("%s at %s, want %s", key, got[key], at)
		}
	}
}

// withLabels adds labels to everything that rules record and every alert.
func withLabels(t *testing.T, text []byte, labels map[string]string) []byte {
	t.Helper()
	var file struct {
		Groups []map[string]any `yaml:"groups"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		for _, r := range g["rules"].([]any) {
			rule := r.(map[string]any)
			of, _ := rule["labels"].(map[string]any)
			if of == nil {
				of = map[string]any{}
				rule["labels"] = of
			}
			for name, value := range labels {
				of[name] = value
			}
		}
	}
	out, err := yaml.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Rules of parted groups record the same series, alerts fire and end within the bound that the
// comments of parts say, and when nothing changes any more figures are the same.
func TestPartedGroupsAreLateByTheirBound(t *testing.T) {
	testsize.Skip(t, "rules of parted groups beside those of whole ones; that groups are parted in order is always tried")
	whole := enginetest.New(t, 15*time.Second, outage(""))
	whole.Load(rulesElsewhere(t, 30*time.Second, 0))
	parted := enginetest.New(t, 15*time.Second, outage(""))
	text := rulesElsewhere(t, 30*time.Second, 10)
	parted.Load(text)
	parts := 1
	for strings.Contains(string(text), fmt.Sprintf(":part%d\n", parts+1)) {
		parts++
	}
	if parts < 3 {
		t.Fatalf("%d parts", parts)
	}
	whole.Run(130 * time.Minute)
	parted.Run(130 * time.Minute)
	// The slower rules, and the moment of each part within its interval.
	bound := time.Duration(parts) * 150 * time.Second
	want, got := episodes(whole), episodes(parted)
	if len(want) == 0 {
		t.Error("no alert fired")
	}
	for key, at := range want {
		late, there := got[key]
		if d := late.Sub(at); !there || d > bound || d < -bound {
			t.Errorf("%s at %s, want %s, at most %s later", key, late, at, bound)
		}
	}
	for key := range got {
		if _, there := want[key]; !there {
			t.Errorf("%s only of parted groups", key)
		}
	}
	a, b := figures(t, whole), figures(t, parted)
	if len(a) != len(b) {
		t.Errorf("%d series, want %d", len(b), len(a))
	}
	for key := range a {
		if _, there := b[key]; !there {
			t.Errorf("%s is not recorded", key)
		}
	}
	for key, w := range a {
		if strings.Contains(key, "budget_remaining") && math.Abs(b[key]-w) > 0.01 {
			t.Errorf("%s is %v, want %v", key, b[key], w)
		}
	}
}
