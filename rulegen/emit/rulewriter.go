package emit

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/rulegen"
)

// RuleWriter writes a rule file level by level, so that an agreement of any
// size is never in memory as a whole.
//
// What it prints is proven like this: every expression by promql.Expr.Proof.
// Every shape of rule once by Prometheus' own reader of rule files, which must
// give back what was meant; a shape leaves out label values and annotations
// only where these are plain text that YAML takes as it stands and that is no
// template. Names of groups by being unique and of no special meaning. Tests
// compare all of it with yaml.v3 and with the reader on whole files.
type RuleWriter struct {
	w      io.Writer
	of     string // the agreement
	text   yamlText
	key    []byte
	names  []string
	groups map[string]bool
	begun  bool
}

// NewRuleWriter is a writer of the rule file of the named agreement to w. The
// file is complete after Close.
func NewRuleWriter(w io.Writer, agreement string) *RuleWriter {
	return &RuleWriter{w: w, of: agreement, groups: map[string]bool{}}
}

// Level writes the groups of a level.
func (r *RuleWriter) Level(l rulegen.LevelPlan) error {
	for _, g := range l.Groups {
		if err := r.group(g); err != nil {
			return fmt.Errorf("rules of %s: %w", r.of, err)
		}
	}
	return nil
}

// Close ends the file; it does not close what is written to.
func (r *RuleWriter) Close() error {
	if !r.begun {
		r.text.out = append(r.head(), "groups: []\n"...)
	}
	return r.flush()
}

func (r *RuleWriter) flush() error {
	_, err := r.w.Write(r.text.out)
	r.text.out = r.text.out[:0]
	return err
}

func (r *RuleWriter) head() []byte {
	var head comment
	head.line("%s from the agreement %s. Do not edit: change the agreement and generate again.", Marker, r.of)
	head.line("")
	head.line("Rules read across groups by design: the long windows are summed from what the")
	head.line("first tier recorded. The next line says so to pint, which checks rule files.")
	head.line("pint file/disable rule/dependency")
	return []byte(head.text.String() + "\n")
}

func (r *RuleWriter) group(g rulegen.Group) error {
	if r.groups[g.Name] || g.Name == "" {
		return fmt.Errorf("the group %q is there twice, a fault of upheld", g.Name)
	}
	r.groups[g.Name] = true
	if !r.begun {
		r.begun = true
		r.text.out = append(r.text.out, r.head()...)
		r.text.line(0, "groups:")
	}
	head := groupHead(g)
	if err := r.text.groupHead(head); err != nil {
		return err
	}
	for i := range g.Rules {
		rule := &g.Rules[i]
		if err := r.prove(head, rule); err != nil {
			return fmt.Errorf("%s%s of group %s: %w", rule.Record, rule.Alert, g.Name, err)
		}
		if err := r.rule(rule); err != nil {
			return err
		}
	}
	return r.flush()
}

// groupHead is what a group says before its rules, in order.
func groupHead(g rulegen.Group) []pair {
	return []pair{{"name", g.Name}, {"interval", duration(g.Interval)}}
}

type pair struct{ key, value string }

func (y *yamlText) groupHead(head []pair) error {
	for i, p := range head {
		if err := y.pair(4, i == 0, p.key, p.value); err != nil {
			return err
		}
	}
	y.line(4, "rules:")
	return nil
}

// rule writes one rule as an item of the group's list.
func (r *RuleWriter) rule(rule *rulegen.Rule) error {
	first := pair{"record", rule.Record}
	if rule.Alert != "" {
		first = pair{"alert", rule.Alert}
	}
	for i, p := range []pair{
		first, {"expr", rule.Proof.Text}, {"for", optional(rule.For)}, {"keep_firing_for", optional(rule.KeepFiringFor)},
	} {
		if p.value == "" {
			continue
		}
		if err := r.text.pair(8, i == 0, p.key, p.value); err != nil {
			return err
		}
	}
	if err := r.texts("labels:", rule.Labels); err != nil {
		return err
	}
	return r.texts("annotations:", rule.Annotations)
}

// texts writes a mapping by its keys' order.
func (r *RuleWriter) texts(key string, texts map[string]string) error {
	if len(texts) == 0 {
		return nil
	}
	r.text.line(8, key)
	for _, name := range r.sorted(texts) {
		if err := r.text.pair(10, false, name, texts[name]); err != nil {
			return err
		}
	}
	return nil
}

// sorted is the keys in order, valid until the next call.
func (r *RuleWriter) sorted(texts map[string]string) []string {
	r.names = slices.AppendSeq(r.names[:0], maps.Keys(texts))
	slices.Sort(r.names)
	return r.names
}

// isTemplate tells text that Prometheus expands when an alert fires.
func isTemplate(s string) bool { return strings.Contains(s, "{{") }
