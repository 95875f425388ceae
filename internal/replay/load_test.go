package replay

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// What is wrong with a rule file or a plan is said once, with its place.
func TestWhatIsWrongIsSaidWithItsPlace(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no yaml":         {"groups: [", "r.yaml:1:1: "},
		"unknown key":     {"groups:\n- name: g\n  rulez: []", "r.yaml:3:1: field rulez not found"},
		"expression":      {"groups:\n- name: g\n  rules:\n  - record: a\n    expr: sum(", `r.yaml:5:11: group "g", rule 1, "a": could not parse expression: 1:5: parse error`},
		"both":            {"groups:\n- name: g\n  rules:\n  - {record: a, alert: b, expr: x}", "r.yaml:4:14: "},
		"template":        {"groups:\n- name: g\n  rules:\n  - {alert: b, expr: x, annotations: {a: '{{ .Foo'}}", "r.yaml:4:39: "},
		"two groups":      {"groups:\n- name: g\n- name: g", `r.yaml:3:9: groupname: "g" is repeated`},
		"label of groups": {"groups:\n- name: g\n  labels: {__name__: x}", "r.yaml:3:12: invalid label name: __name__"},
		"large":           {"groups:\n- name: g\n  rules:\n  - {record: a, expr: '" + strings.Repeat("(", 300) + "'}", "r.yaml:4:23: "},
	} {
		p := hour
		p.Files = []File{{"r.yaml", []byte(c.text)}}
		_, err := New().Run(context.Background(), p)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	rules := []byte("groups: [{name: g, rules: [{record: a, expr: vector(1)}]}]")
	for name, c := range map[string]struct {
		plan func(*Plan)
		want string
	}{
		"backwards":   {func(p *Plan) { p.To = p.From }, "the past ends at"},
		"away before": {func(p *Plan) { p.Away = []Span{{p.From.Add(-time.Hour), p.From}} }, "the span without a server"},
		"away twice": {func(p *Plan) {
			p.Away = []Span{{p.From, p.From.Add(time.Minute)}, {p.From, p.From.Add(time.Minute)}}
		}, "the span without a server"},
		"one name": {func(p *Plan) { p.Files = append(p.Files, p.Files[0]) }, `two rule files are named "r.yaml"`},
	} {
		p := hour
		p.Files = []File{{"r.yaml", rules}}
		c.plan(&p)
		if _, err := New().Run(context.Background(), p); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// A rule must not record a series that was given.
func TestGivenSeriesAreNotRecorded(t *testing.T) {
	w := New()
	w.Add(labels.FromStrings(labels.MetricName, "a"), Stored{{T: from.UnixMilli(), F: 1}})
	p := hour
	p.Files = []File{{"r.yaml", []byte("groups: [{name: g, rules: [{record: a, expr: vector(1)}]}]")}}
	want := `rule 0 (a) of group "g" in r.yaml records {__name__="a"}, of which there are samples already`
	if _, err := w.Run(context.Background(), p); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// A run ends when its context does, and says how far it is.
func TestARunIsCancelled(t *testing.T) {
	w := New()
	w.Add(labels.FromStrings(labels.MetricName, "x"), Stored([]promql.FPoint{{T: from.UnixMilli(), F: 1}}))
	ctx, cancel := context.WithCancel(context.Background())
	p := Plan{From: from, To: from.Add(300 * 24 * time.Hour), Files: []File{{"r.yaml", []byte("groups: [{name: g, interval: 1s, rules: [{record: a, expr: a or x}]}]")}}}
	p.Progress = func(done, total int) {
		if done <= 0 || done > total || total != 300*24*3600 {
			t.Errorf("%d of %d", done, total)
		}
		cancel()
	}
	if _, err := w.Run(ctx, p); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was cancelled", err)
	}
}
