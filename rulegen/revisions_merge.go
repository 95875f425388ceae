package rulegen

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// merger merges the plans of an agreement's revisions.
type merger struct {
	opts      Options
	revisions []*sla.Agreement
	editions  []edition
	done      map[string]bool // groups that an earlier level has added
}

// level merges the plans that a level has in the editions.
func (m *merger) level(id sla.ID) LevelPlan {
	plan := LevelPlan{Agreement: sla.InForce(m.revisions, m.opts.Now)}
	if plan.Agreement == nil {
		plan.Agreement = m.revisions[0]
	}
	if m.apart(id) {
		if now, ok := m.editions[slices.Index(m.revisions, plan.Agreement)].level(id); ok {
			return m.alone(now)
		}
	}
	var names [][]string
	var first *sla.ServiceLevel
	for _, e := range m.editions {
		l, ok := e.level(id)
		if !ok {
			continue
		}
		if first == nil {
			first = l.Level
		}
		if e.of == plan.Agreement || plan.Level == nil {
			plan.Level = l.Level
		}
		var own []string
		for _, g := range l.Groups {
			own = append(own, g.Name)
		}
		names = append(names, own)
	}
	stages := m.stagesOf(sla.Turns(m.revisions, first.Period))
	for _, s := range stages {
		turn := Turn{From: s.from, Agreement: m.editions[s.edition].of}
		if l, ok := m.editions[s.edition].level(id); ok {
			turn.Plan = &l
		}
		plan.Turns = append(plan.Turns, turn)
	}
	for _, name := range weave(names) {
		if !m.done[name] {
			m.done[name] = true
			plan.Groups = append(plan.Groups, m.group(name, id))
		}
	}
	return plan
}

// readable is an order in which every rule comes after the rules that it reads, if it
// does in its own edition, and before the rules of which it reads the previous sample.
// Where nothing else decides, the given order stays.
func readable(order []string, lists [][]string, byKey map[string][]*Rule) []string {
	after := map[string]map[string]bool{} // what must come before a rule
	for i, own := range lists {
		recorded := map[string][]int{} // where own records a name
		for w, key := range own {
			if name := byKey[key][i].Record; name != "" {
				recorded[name] = append(recorded[name], w)
			}
		}
		for r, key := range own {
			for _, s := range byKey[key][i].Expr.Reads() {
				for _, w := range recorded[s.Name()] {
					if w == r || !s.Matches(byKey[own[w]][i].series()) {
						continue
					}
					first, second := own[w], key
					if w > r {
						first, second = key, own[w]
					}
					if after[second] == nil {
						after[second] = map[string]bool{}
					}
					after[second][first] = true
				}
			}
		}
	}
	all, left := make([]string, 0, len(order)), slices.Clone(order)
	for placed := map[string]bool{}; len(left) > 0; {
		next := max(0, slices.IndexFunc(left, func(key string) bool {
			for first := range after[key] {
				if !placed[first] {
					return false
				}
			}
			return true
		}))
		placed[left[next]] = true
		all, left = append(all, left[next]), slices.Delete(left, next, next+1)
	}
	return all
}

// series is what a rule records.
func (r *Rule) series() promql.Metric {
	return promql.Metric(r.Labels).With(promql.Metric{"__name__": r.Record})
}

// apart reports whether the level's revisions cannot be side by side. If they have other
// groups, joins find series twice and fail, before a condition on time could exclude
// them.
func (m *merger) apart(id sla.ID) bool {
	var labels []string
	for i, l := range m.levelsOf(id) {
		if own := l.GroupBy.Labels; i == 0 {
			labels = own
		} else if !slices.Equal(labels, own) {
			return true
		}
	}
	return false
}

// levelsOf is a level as each edition that has it defines it.
func (m *merger) levelsOf(id sla.ID) []*sla.ServiceLevel {
	var all []*sla.ServiceLevel
	for _, e := range m.editions {
		if l, ok := e.level(id); ok {
			all = append(all, l.Level)
		}
	}
	return all
}

// alone is the plan of a level that follows the revision in force until rules are
// made again. Groups that it shares with others are merged all the same.
func (m *merger) alone(plan LevelPlan) LevelPlan {
	groups := plan.Groups
	plan.Groups = nil
	for _, g := range groups {
		switch {
		case !g.shared:
			plan.Groups = append(plan.Groups, g)
		case !m.done[g.Name]:
			m.done[g.Name] = true
			plan.Groups = append(plan.Groups, m.group(g.Name, plan.Level.ID))
		}
	}
	return plan
}

// group merges the groups of a name. id is the level of a group that is not shared.
func (m *merger) group(name string, id sla.ID) Group {
	merged := Group{Name: name}
	byKey := map[string][]*Rule{}
	keys := make([][]string, len(m.editions))
	for i, e := range m.editions {
		g, ok := e.groups[name]
		if !ok {
			continue
		}
		merged.Interval, merged.age, merged.always, merged.shared = g.Interval, max(merged.age, g.age), g.always, g.shared
		var own []string
		times := map[string]int{}
		for j := range g.Rules {
			key := keyOf(g.Rules[j])
			if times[key]++; times[key] > 1 {
				key += fmt.Sprint(" ", times[key])
			}
			if byKey[key] == nil {
				byKey[key] = make([]*Rule, len(m.editions))
			}
			byKey[key][i] = &g.Rules[j]
			own = append(own, key)
		}
		keys[i] = own
	}
	for _, key := range readable(weave(keys), keys, byKey) {
		rules := byKey[key]
		if merged.always && newest(rules).Record != "" || merged.shared && m.kept(rules) {
			merged.Rules = append(merged.Rules, *newest(rules))
			continue
		}
		age := m.age(merged, *newest(rules))
		if r, ok := m.merge(later(m.stages(merged, *newest(rules), id), age), age, rules); ok {
			merged.Rules = append(merged.Rules, r)
		}
	}
	return merged
}

// kept reports whether a shared rule stays although the last revision has none: a level
// that follows the revision before until rules are made again reads it.
func (m *merger) kept(rules []*Rule) bool {
	return rules[len(rules)-1] == nil && newest(rules).Record != "" && slices.ContainsFunc(m.ids(), m.apart)
}

// keyOf identifies a rule in all editions: by what it records or raises, its labels, and
// how long an alert waits.
func keyOf(r Rule) string {
	var key strings.Builder
	fmt.Fprintf(&key, "%s\x00%s\x00%s\x00%s", r.Record, r.Alert, r.For, r.KeepFiringFor)
	for _, name := range slices.Sorted(maps.Keys(r.Labels)) {
		fmt.Fprintf(&key, "\x00%s=%s", name, r.Labels[name])
	}
	return key.String()
}

func newest(rules []*Rule) *Rule {
	for _, r := range slices.Backward(rules) {
		if r != nil {
			return r
		}
	}
	return nil
}

// stages are those of a rule: by its period, or by the first period of its level.
// Shared rules have the stages of the levels if these are the same, else they switch on
// the day on which the revision takes effect.
func (m *merger) stages(g Group, r Rule, id sla.ID) []stage {
	if g.shared {
		return m.sharedStages(r)
	}
	period := sla.Period{}
	for _, e := range m.editions {
		l, ok := e.level(id)
		if !ok {
			continue
		}
		for _, p := range l.Level.Periods() {
			if p.String() == r.Labels[metricnames.Period] {
				return m.stagesOf(sla.Turns(m.revisions, p))
			}
		}
		if period == (sla.Period{}) {
			period = l.Level.Period
		}
	}
	return m.stagesOf(sla.Turns(m.revisions, period))
}

func (m *merger) sharedStages(r Rule) []stage {
	var common []stage
	for _, e := range m.editions {
		for _, l := range e.of.Levels {
			for i, p := range l.Periods() {
				stages := m.stagesOf(sla.Turns(m.revisions, p))
				switch {
				case r.Labels[metricnames.Period] == periodName(p):
					return stages
				case i > 0:
				case common == nil:
					common = stages
				case !slices.Equal(common, stages):
					return m.stagesOf(sla.Turns(m.revisions, sla.Period{Rolling: time.Hour}))
				}
			}
		}
	}
	return common
}

// merge makes one rule of those in the editions, which are nil where an edition has
// none; false if no stage has one.
func (m *merger) merge(stages []stage, age time.Duration, rules []*Rule) (Rule, bool) {
	stages = slices.DeleteFunc(m.joined(stages, rules), func(s stage) bool { return rules[s.edition] == nil })
	if len(stages) == 0 {
		return Rule{}, false
	}
	last := *rules[stages[len(stages)-1].edition]
	if len(stages) == 1 && stages[0].from.IsZero() && stages[0].until.IsZero() {
		return last, true
	}
	merged := last
	merged.Comment, merged.Expr = "", promql.Expr{}
	var masks []maskStage
	for _, s := range stages {
		r := rules[s.edition]
		merged.Expr = union(merged.Expr, s.during(r.Expr))
		merged = merged.says("%s: %s", m.words(s, age), r.Comment)
		if r.Mask != nil {
			masks = append(masks, maskStage{s.from, s.until, r.Mask})
		}
	}
	if len(masks) > 0 {
		merged.Mask = &Mask{stages: masks}
	}
	merged.Annotations = annotations(stages, rules)
	return merged.says("%s: when what is read is of another revision", turnWords(stages)), true
}

// turnWords explain the instants in expressions.
func turnWords(stages []stage) string {
	var words []string
	for _, s := range stages {
		for _, t := range []time.Time{s.from, s.until} {
			if word := fmt.Sprintf("%d = %s", t.Unix(), t.UTC().Format("2006-01-02T15:04:05Z")); !t.IsZero() && !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	return strings.Join(words, ", ")
}

// joined are the stages, with neighbours that have the same rule made one.
func (m *merger) joined(stages []stage, rules []*Rule) []stage {
	var all []stage
	for _, s := range stages {
		if n := len(all); n > 0 && sameRule(rules[all[n-1].edition], rules[s.edition]) {
			all[n-1].edition, all[n-1].until = s.edition, s.until
			continue
		}
		all = append(all, s)
	}
	return all
}

// sameRule reports whether two rules of a key are the same.
func sameRule(a, b *Rule) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Expr.String() == b.Expr.String() && maps.Equal(a.Annotations, b.Annotations)
}

// annotations are what an alert says in each stage.
func annotations(stages []stage, rules []*Rule) map[string]string {
	if len(rules[stages[0].edition].Annotations) == 0 && len(stages) == 1 {
		return nil
	}
	all := map[string]string{}
	for _, s := range stages {
		for name := range rules[s.edition].Annotations {
			all[name] = ""
		}
	}
	for name := range all {
		text := rules[stages[len(stages)-1].edition].Annotations[name]
		for _, s := range slices.Backward(stages[:len(stages)-1]) {
			if before := rules[s.edition].Annotations[name]; before != text {
				text = fmt.Sprintf("{{ if query `vector(time()) < %d` }}%s{{ else }}%s{{ end }}", s.until.Unix(), before, text)
			}
		}
		all[name] = text
	}
	if len(all) == 0 {
		return nil
	}
	return all
}
