package rulegen

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// Most levels of a large house differ in names and queries alone. What does not
// hang on a query, nine rules of ten, is then the same text with other names, so
// it is made once, of a level with placeholders for names, and printed by that
// text for all that are alike.

// Names are what alike levels differ in.
type Names struct{ SLA, Service, SLO, Dashboard string }

// Placeholders stand for names in the rules of a Pattern.
var Placeholders = Names{"xq7-sla", "xq7-service", "xq7-slo", "xq7-dashboard"}

const placeholderPrefix = "xq7-"

// Fill puts names where the placeholders are.
func (n Names) Fill(text string) string {
	if !strings.Contains(text, placeholderPrefix) {
		return text
	}
	return n.replacer().Replace(text)
}

func (n Names) replacer() *strings.Replacer {
	p := Placeholders
	return strings.NewReplacer(p.SLA, n.SLA, p.Service, n.Service, p.SLO, n.SLO, p.Dashboard, n.Dashboard)
}

// Pattern is rules that alike levels have in common, with Placeholders for names.
type Pattern struct{ Rules []Rule }

// Filled is a pattern with the names of a level.
type Filled struct {
	Pattern *Pattern // nil for none
	Names   Names
}

// Len is the number of rules.
func (f Filled) Len() int {
	if f.Pattern == nil {
		return 0
	}
	return len(f.Pattern.Rules)
}

// maxPatterns bounds the memory of patterns, of which a level has two.
const maxPatterns = 1000

// Patterns knows the rules of levels that were compiled, for those after them.
// It is for one goroutine at a time.
type Patterns struct {
	plain      func(text string) bool
	known      map[string]*restPattern // by key; nil after the first level, or if there is none
	tried      map[string]bool         // keys of which a pattern was made, or could not be
	agreements int
	keys       keyWriter
}

// restPattern is what a level has beside what hangs on its queries.
type restPattern struct{ first, second *Pattern }

// NewPatterns is a memory of patterns. plain tells the texts that the output
// prints as they are, and in which it would print other words of letters, digits
// and - just as well.
func NewPatterns(plain func(text string) bool) *Patterns {
	return &Patterns{plain: plain, known: map[string]*restPattern{}, tried: map[string]bool{}}
}

// begin is called before the levels of an agreement.
func (p *Patterns) begin(o Options) {
	if p != nil {
		p.agreements++
		p.keys.begin = fmt.Appendf(p.keys.begin[:0], "%d %d %d %d %q %t ", o.Interval, o.ScrapeInterval, o.Retention, o.Now.Year(), o.Labels, o.Dashboard != "")
	}
}

// namesOf are the names of a compiler's level; not ok if one is no plain word.
func (p *Patterns) namesOf(c compiler) (n Names, ok bool) {
	n = Names{c.level.ID.SLA, c.level.ID.Service, c.level.ID.SLO, c.dashboard}
	for _, name := range []string{n.SLA, n.Service, n.SLO} {
		if !isWord(name) || !p.plain(name) {
			return n, false
		}
	}
	return n, n.Dashboard == "" || p.plain(n.Dashboard)
}

// isWord tells the names that PromQL, regular expressions and templates take as
// they stand.
func isWord(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}

// match is a level as Patterns sees it.
type match struct {
	names   Names
	key     string // "" if the level is like no other
	pattern *restPattern
}

// find looks for the pattern of a compiler's level.
func (p *Patterns) find(c compiler) match {
	if p == nil {
		return match{}
	}
	if _, composite := c.level.Indicator.(*sla.Composite); composite {
		return match{}
	}
	names, ok := p.namesOf(c)
	if !ok || !p.keys.level(c.level, p.agreements) {
		return match{}
	}
	if pattern := p.known[string(p.keys.out)]; pattern != nil {
		return match{names: names, pattern: pattern}
	}
	return match{names: names, key: string(p.keys.out)}
}

// learn makes the pattern of levels that are like this one, from the second one
// on. rest is what was made of this one, with its proofs.
func (p *Patterns) learn(m match, c compiler, rest restRules) {
	if m.key == "" || p.tried[m.key] {
		return
	}
	if _, second := p.known[m.key]; !second {
		if len(p.known) >= maxPatterns {
			clear(p.known)
			clear(p.tried)
		}
		p.known[m.key] = nil
		return
	}
	p.tried[m.key] = true
	c = c.withPlaceholders()
	bare := c.rest()
	wrong := append(c.proveRules(bare.first), c.proveRules(bare.second)...)
	if len(wrong) > 0 || !p.says(m.names, bare.first, rest.first) || !p.says(m.names, bare.second, rest.second) {
		return
	}
	p.known[m.key] = &restPattern{&Pattern{bare.first}, &Pattern{bare.second}}
}

// says tells whether rules with placeholders are, with the names put in, those
// that were made for a level, in every text; and whether they are other names
// wherever a name stands.
func (p *Patterns) says(names Names, bare, made []Rule) bool {
	if len(bare) != len(made) {
		return false
	}
	for i, b := range bare {
		m := made[i]
		same := b.Record == m.Record && b.Alert == m.Alert && b.For == m.For && b.KeepFiringFor == m.KeepFiringFor &&
			b.Proof.Shape != nil && b.Proof.Shape == m.Proof.Shape && names.Fill(b.Proof.Text) == m.Proof.Text
		if !same || !p.saysTexts(names, b.Labels, m.Labels) || !p.saysTexts(names, b.Annotations, m.Annotations) {
			return false
		}
	}
	return true
}

func (p *Patterns) saysTexts(names Names, bare, made map[string]string) bool {
	if len(bare) != len(made) {
		return false
	}
	for key, text := range bare {
		if strings.Contains(text, placeholderPrefix) && !p.plain(text) {
			return false
		}
		if other, ok := made[key]; !ok || names.Fill(text) != other {
			return false
		}
	}
	return true
}

// withPlaceholders is the compiler of a level that has placeholders for names
// and no queries, and is like this one otherwise.
func (c compiler) withPlaceholders() compiler {
	level := *c.level
	level.ID = sla.ID{SLA: Placeholders.SLA, Service: Placeholders.Service, SLO: Placeholders.SLO}
	level.Indicator = bareIndicator(level.Indicator)
	level.Slots.Weight = bareQuery(level.Slots.Weight)
	level.Description, level.Defaults = "", nil
	c.level, c.own = &level, append(identity(level.ID), extraMatchers(c.extra)...)
	if c.dashboard != "" {
		c.dashboard = Placeholders.Dashboard
	}
	return c
}

func bareQuery(q sla.Query) sla.Query {
	if q.Text == "" {
		return sla.Query{}
	}
	return sla.Query{Text: "any"}
}

// bareIndicator is an indicator of the same kind with what counts of it beside
// its queries; of probes that is how often they come.
func bareIndicator(i sla.Indicator) sla.Indicator {
	switch i := i.(type) {
	case *sla.Probe:
		return &sla.Probe{Interval: i.Interval}
	case *sla.SharedProbe:
		return &sla.SharedProbe{Probe: &sla.Probe{Interval: i.Probe.Interval}}
	case *sla.ProbeLatency:
		return &sla.ProbeLatency{Threshold: i.Threshold, Probe: &sla.Probe{Interval: i.Probe.Interval}}
	}
	bare := reflect.New(reflect.TypeOf(i).Elem())
	bare.Elem().Set(reflect.ValueOf(i).Elem())
	for _, field := range bare.Elem().Fields() {
		if q, ok := reflect.TypeAssert[*sla.Query](field.Addr()); ok {
			*q = bareQuery(*q)
		}
	}
	return bare.Interface().(sla.Indicator)
}
