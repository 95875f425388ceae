package emit_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla/spec"
)

// framed is a document of any format, with all that may frame its groups.
type framed struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Namespace  string
	Metadata   struct{ Name, Namespace string }
	Groups     []formatGroup
	Spec       struct{ Groups []formatGroup }
}

// formatGroup has the keys of groups of all formats.
type formatGroup struct {
	Name            string
	Interval        string
	QueryOffset     string `yaml:"query_offset"`
	EvalDelay       string `yaml:"eval_delay"`
	Limit           int
	PartialResponse string `yaml:"partial_response_strategy"`
	Rules           []map[string]any
}

func readFramed(t *testing.T, text string) []framed {
	t.Helper()
	dec := yaml.NewDecoder(strings.NewReader(text))
	dec.KnownFields(true)
	var all []framed
	for {
		var f framed
		err := dec.Decode(&f)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
}

func rulesIn(documents []framed) []map[string]any {
	var all []map[string]any
	for _, d := range documents {
		for _, g := range slices.Concat(d.Groups, d.Spec.Groups) {
			all = append(all, g.Rules...)
		}
	}
	return all
}

func writtenAt(t *testing.T, interval time.Duration, opts emit.RuleOptions) (string, error) {
	t.Helper()
	agreements, _ := spec.Load(shop)
	var out bytes.Buffer
	err := writeAll(emit.NewRuleWriter(&out, opts), rulegen.Options{Interval: interval}, agreements)
	return out.String(), err
}

// Every format frames the same rules, in the same order.
func TestEveryFormatHoldsTheSameRules(t *testing.T) {
	const interval = 30 * time.Second
	plain, err := writtenAt(t, interval, emit.RuleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := rulesIn(readFramed(t, plain))
	for format, frame := range map[string]struct{ apiVersion, kind, namespace string }{
		"operator": {"monitoring.coreos.com/v1", "PrometheusRule", ""},
		"vmrule":   {"operator.victoriametrics.com/v1beta1", "VMRule", ""},
		"gmp":      {"monitoring.googleapis.com/v1", "Rules", ""},
		"mimir":    {"", "", "upheld-shop"},
		"cortex":   {"", "", "upheld-shop"},
		"thanos":   {},
	} {
		t.Run(format, func(t *testing.T) {
			opts := emit.RuleOptions{Format: format, Operator: emit.OperatorObject{Name: "upheld-shop"}}
			opts.PartSize = opts.DefaultPartSize()
			text, err := writtenAt(t, interval, opts)
			if err != nil {
				t.Fatal(err)
			}
			documents := readFramed(t, text)
			if d := cmp.Diff(want, rulesIn(documents)); d != "" {
				t.Error(d)
			}
			for _, d := range documents {
				if d.APIVersion != frame.apiVersion || d.Kind != frame.kind || d.Namespace != frame.namespace {
					t.Errorf("framed as %q %q %q", d.APIVersion, d.Kind, d.Namespace)
				}
			}
		})
	}
}

// Rulers of Mimir and Cortex take 20 rules in a group. Parts keep the order of rules, the first
// keeps the name of the group, and each says how late it may be.
func TestGroupsArePartedInOrder(t *testing.T) {
	text, err := writtenAt(t, 30*time.Second, emit.RuleOptions{Format: "mimir", PartSize: 20, Operator: emit.OperatorObject{Name: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	parts := 0
	names := map[string]bool{}
	for _, g := range readFramed(t, text)[0].Groups {
		if len(g.Rules) > 20 {
			t.Errorf("%s has %d rules", g.Name, len(g.Rules))
		}
		if names[g.Name] {
			t.Errorf("%s is there twice", g.Name)
		}
		names[g.Name] = true
		if of, _, part := strings.Cut(g.Name, ":part"); part {
			parts++
			if !names[of] {
				t.Errorf("%s stands before %s", g.Name, of)
			}
		}
	}
	if parts < 3 {
		t.Errorf("only %d groups were parted", parts)
	}
	for _, words := range []string{
		"  # Part 1 of 2: the server takes no more rules in a group.\n  - name: upheld:shop:api:requests:long\n",
		"  # Part 2 of 2, up to 2m30s later than part 1: each part reads what those before it recorded up to 2m30s ago.\n  - name: upheld:shop:api:requests:long:part2\n",
	} {
		if !strings.Contains(text, words) {
			t.Errorf("not said: %q", words)
		}
	}
	// What is recorded every five minutes is out of sight for five minutes less a moment.
	if _, err := writtenAt(t, time.Minute, emit.RuleOptions{Format: "mimir", PartSize: 20}); err == nil || !strings.Contains(err.Error(), "lower --rules.interval to 30s") {
		t.Errorf("parts that do not see one another: %v", err)
	}
}

// Keys that a format has under another name, and those that it has not.
func TestFormatsHaveTheirKeys(t *testing.T) {
	const offset = 20 * time.Second
	group := func(opts emit.RuleOptions) formatGroup {
		t.Helper()
		if err := opts.Check(); err != nil {
			t.Fatal(err)
		}
		text, err := writtenAt(t, 30*time.Second, opts)
		if err != nil {
			t.Fatal(err)
		}
		d := readFramed(t, text)[0]
		return slices.Concat(d.Groups, d.Spec.Groups)[0]
	}
	if g := group(emit.RuleOptions{Format: "vmrule", QueryOffset: offset, Limit: 7}); g.EvalDelay != "20s" || g.QueryOffset != "" || g.Limit != 7 {
		t.Errorf("vmrule: %+v", g)
	}
	if g := group(emit.RuleOptions{Format: "thanos"}); g.PartialResponse != "abort" {
		t.Errorf("thanos: %+v", g)
	}
	if g := group(emit.RuleOptions{Format: "thanos", PartialResponse: "warn", QueryOffset: offset}); g.PartialResponse != "warn" || g.QueryOffset != "20s" {
		t.Errorf("thanos: %+v", g)
	}
	for _, opts := range []emit.RuleOptions{
		{Format: "gmp", QueryOffset: offset}, {Format: "gmp", Limit: 1}, {PartialResponse: "warn"}, {Format: "thanos", PartialResponse: "maybe"},
	} {
		if opts.Check() == nil {
			t.Errorf("%+v has no error", opts)
		}
	}
}

// A key of a rule that the format lacks is an error, not left out.
func TestAFormatThatLacksAKeyIsRefused(t *testing.T) {
	agreements, findings := spec.LoadText("a.yaml", `apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: a}
spec:
  serviceLevels:
    - name: up
      service: web
      indicator: {probe: {http: "https://a.example/"}}
      target: "99"
      alerting: {budgetExhausted: {keepFiringFor: 10m}}
`)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := writeAll(emit.NewRuleWriter(&out, emit.RuleOptions{Format: "gmp"}), rulegen.Options{}, agreements)
	if err == nil || !strings.Contains(err.Error(), "the format gmp has no keep_firing_for, which the alert SLABudgetExhausted") {
		t.Error(err)
	}
}
