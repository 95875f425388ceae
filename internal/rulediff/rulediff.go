// Package rulediff describes the differences between two sets of rules: which rules are
// new, which are gone, and which thresholds, windows, labels or delays of the others
// changed. It reads the files of every format that generate writes, and the rules that
// a ruler returns. It identifies rules only by their names and labels, and must not
// import what makes them.
package rulediff

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/metricnames"
)

// Group is a rule group in any of the formats.
type Group struct {
	Name     string `yaml:"name" json:"name"`
	Interval string `yaml:"interval,omitempty" json:"interval,omitempty"`
	Offset   string `yaml:"query_offset,omitempty" json:"query_offset,omitempty"`
	Limit    int    `yaml:"limit,omitempty" json:"limit,omitempty"`
	Rules    []Rule `yaml:"rules" json:"rules"`

	// Labels of all its rules. Our groups have none; others may have added them.
	Labels map[string]string `yaml:"labels,omitempty" json:"labels,omitempty"`
}

// Same reports whether two groups are equivalent: rule by rule, in order.
func Same(a, b Group) bool {
	if a.Name != b.Name || len(a.Rules) != len(b.Rules) || len(settingWords(a, b)) > 0 {
		return false
	}
	for i := range a.Rules {
		one, other := a.Rules[i], b.Rules[i]
		if one.Record != other.Record || one.Alert != other.Alert || len(differences(&one, &other)) > 0 {
			return false
		}
	}
	return true
}

// Rule is one rule of a group.
type Rule struct {
	Record      string            `yaml:"record,omitempty" json:"record,omitempty"`
	Alert       string            `yaml:"alert,omitempty" json:"alert,omitempty"`
	Expr        string            `yaml:"expr" json:"expr"`
	For         string            `yaml:"for,omitempty" json:"for,omitempty"`
	Keep        string            `yaml:"keep_firing_for,omitempty" json:"keep_firing_for,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty" json:"labels,omitempty"`
	Annotations map[string]string `yaml:"annotations,omitempty" json:"annotations,omitempty"`

	group string
}

// Read reads the groups from a file: a plain rule file, a ruler's namespace, or each
// Kubernetes object in it.
func Read(text []byte) ([]Group, error) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var all []Group
	for {
		var document struct {
			Groups []Group `yaml:"groups"`
			Spec   struct {
				Groups []Group `yaml:"groups"`
			} `yaml:"spec"`
		}
		err := dec.Decode(&document)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, errors.New("these are no rules: " + strings.Join(strings.Fields(err.Error()), " ")) // the error has several lines
		}
		all = append(append(all, document.Groups...), document.Spec.Groups...)
	}
}

// Kind is what happened to a rule.
type Kind string

// The kinds of changes.
const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Changed Kind = "changed"
)

// Change is a change of one rule.
type Change struct {
	Kind   Kind              `json:"kind"`
	Record string            `json:"record,omitempty"`
	Alert  string            `json:"alert,omitempty"`
	Group  string            `json:"group"`
	Labels map[string]string `json:"labels,omitempty"`
	Words  []string          `json:"words,omitempty"` // the differences, if the rule changed
	Before *Rule             `json:"before,omitempty"`
	After  *Rule             `json:"after,omitempty"`
}

// Level names the level of the rule, "" if it belongs to none.
func (c Change) Level() string {
	of := c.Labels
	switch {
	case of[metricnames.Service] != "" && of[metricnames.SLO] != "":
		return of[metricnames.SLA] + " " + of[metricnames.Service] + "/" + of[metricnames.SLO]
	case of[metricnames.SLA] != "":
		return of[metricnames.SLA]
	}
	return ""
}

// Name is the rule's name with the labels that distinguish it from others of its level.
func (c Change) Name() string {
	name := c.Record
	if c.Alert != "" {
		name = "alert " + c.Alert
	}
	for _, label := range slices.Sorted(maps.Keys(c.Labels)) {
		if value := c.Labels[label]; tellsApart(label) && value != "" {
			name += " " + label + "=" + value
		}
	}
	return name
}

// tellsApart reports whether a label distinguishes rules of one name within a level.
func tellsApart(label string) bool {
	return slices.Contains([]string{metricnames.Tier, metricnames.Severity, metricnames.Period, metricnames.Escalation, "group"}, label)
}

// Difference has the differences between two sets of rules.
type Difference struct {
	Rules  []Change `json:"rules"`
	Groups []string `json:"groups"` // a sentence for each group that is new, gone or itself different

	NewLevels  []string `json:"newLevels"`
	GoneLevels []string `json:"goneLevels"`
}

// Empty reports whether the rules are the same.
func (d Difference) Empty() bool { return len(d.Rules)+len(d.Groups) == 0 }

// Count is how many rules have a kind of change.
func (d Difference) Count(k Kind) int {
	n := 0
	for _, c := range d.Rules {
		if c.Kind == k {
			n++
		}
	}
	return n
}

// Compare finds the earlier form of each rule, and describes the differences.
func Compare(before, after []Group) Difference {
	m := newMatching(before, after)
	m.pair(func(r *Rule) string { return r.group + "\x00" + r.identity(func(string) bool { return true }) })
	m.pair(func(r *Rule) string { return r.identity(func(string) bool { return true }) })
	m.pair(func(r *Rule) string {
		return r.identity(func(label string) bool { return isLevel(label) || tellsApart(label) })
	})
	m.pair(func(r *Rule) string { return r.identity(isLevel) })
	d := Difference{Rules: []Change{}, Groups: groupWords(before, after)}
	for i := range m.after {
		now := &m.after[i]
		was := m.was[i]
		if was == nil {
			d.Rules = append(d.Rules, changeOf(Added, now, nil, now))
		} else if words := differences(was, now); len(words) > 0 {
			c := changeOf(Changed, now, was, now)
			c.Words = words
			d.Rules = append(d.Rules, c)
		}
	}
	for i := range m.before {
		if was := &m.before[i]; !m.found[i] {
			d.Rules = append(d.Rules, changeOf(Removed, was, was, nil))
		}
	}
	slices.SortStableFunc(d.Rules, func(a, b Change) int { return strings.Compare(a.Level(), b.Level()) })
	was, is := levelsOf(m.before), levelsOf(m.after)
	d.NewLevels, d.GoneLevels = without(is, was), without(was, is)
	return d
}

func levelsOf(rules []Rule) map[string]bool {
	all := map[string]bool{}
	for i := range rules {
		all[changeOf(Added, &rules[i], nil, nil).Level()] = true
	}
	return all
}

// without returns the levels in all that are not in others.
func without(all, others map[string]bool) []string {
	left := []string{}
	for _, level := range slices.Sorted(maps.Keys(all)) {
		if level != "" && !others[level] {
			left = append(left, level)
		}
	}
	return left
}

func changeOf(k Kind, of, before, after *Rule) Change {
	return Change{Kind: k, Record: of.Record, Alert: of.Alert, Group: of.group, Labels: of.Labels, Before: before, After: after}
}

// matching pairs rules, beginning with those that have most in common.
type matching struct {
	before, after []Rule
	found         []bool  // of the earlier rules
	was           []*Rule // the earlier form of each later rule
}

func newMatching(before, after []Group) *matching {
	m := &matching{before: rulesOf(before), after: rulesOf(after)}
	m.found, m.was = make([]bool, len(m.before)), make([]*Rule, len(m.after))
	return m
}

func rulesOf(groups []Group) []Rule {
	var all []Rule
	for _, g := range groups {
		for _, r := range g.Rules {
			r.group = g.Name
			all = append(all, r)
		}
	}
	return all
}

// pair pairs the remaining rules with the same key, in order.
func (m *matching) pair(key func(*Rule) string) {
	left := map[string][]int{}
	for i := range m.before {
		if !m.found[i] {
			k := key(&m.before[i])
			left[k] = append(left[k], i)
		}
	}
	for i := range m.after {
		if m.was[i] != nil {
			continue
		}
		k := key(&m.after[i])
		if candidates := left[k]; len(candidates) > 0 {
			m.was[i], m.found[candidates[0]], left[k] = &m.before[candidates[0]], true, candidates[1:]
		}
	}
}

func isLevel(label string) bool {
	return label == metricnames.SLA || label == metricnames.Service || label == metricnames.SLO
}

// identity is the rule's name with those of its labels that count.
func (r *Rule) identity(counts func(label string) bool) string {
	var b strings.Builder
	b.WriteString(r.Record + "\x00" + r.Alert)
	for _, label := range slices.Sorted(maps.Keys(r.Labels)) {
		if counts(label) {
			b.WriteString("\x00" + label + "\x00" + r.Labels[label])
		}
	}
	return b.String()
}

// groupWords says which groups are new, gone or have another interval.
func groupWords(before, after []Group) []string {
	words := []string{}
	was := map[string]Group{}
	for _, g := range before {
		was[g.Name] = g
	}
	for _, g := range after {
		old, there := was[g.Name]
		delete(was, g.Name)
		if !there {
			words = append(words, fmt.Sprintf("group %s is new", g.Name))
			continue
		}
		words = append(words, settingWords(old, g)...)
	}
	for _, g := range before {
		if _, gone := was[g.Name]; gone {
			delete(was, g.Name)
			words = append(words, fmt.Sprintf("group %s is gone", g.Name))
		}
	}
	return words
}

// settingWords describes the differences between two groups of one name, apart from
// their rules.
func settingWords(was, now Group) []string {
	var words []string
	for _, f := range []struct{ name, was, now string }{
		{"interval", canonical(was.Interval), canonical(now.Interval)},
		{"query_offset", canonical(was.Offset), canonical(now.Offset)},
		{"limit", limitWords(was.Limit), limitWords(now.Limit)},
	} {
		if f.was != f.now {
			words = append(words, fmt.Sprintf("%s of group %s %s -> %s", f.name, now.Name, orNone(f.was), orNone(f.now)))
		}
	}
	for _, w := range labelWords(was.Labels, now.Labels) {
		words = append(words, w+" of all rules of group "+now.Name)
	}
	return words
}

// canonical is a duration as Prometheus prints it, since a server may return 90s as
// 1m30s; "" for none.
func canonical(duration string) string {
	d, err := model.ParseDuration(duration)
	switch {
	case err != nil: // a server would refuse it
		return duration
	case d == 0:
		return ""
	}
	return d.String()
}

func limitWords(limit int) string {
	if limit == 0 {
		return ""
	}
	return strconv.Itoa(limit)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
