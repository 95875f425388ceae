package emit

import (
	"fmt"
	"strings"
	"sync"

	"github.com/upheld-sla/upheld/rulegen"
)

// NewPatterns are the patterns of rules that RuleWriter prints by text: names
// stand only in texts that are printed as they are, and in no template, which
// Prometheus' reader would have to see with every name.
func NewPatterns() *rulegen.Patterns {
	return rulegen.NewPatterns(func(text string) bool { return style(text) == asItIs && !isTemplate(text) })
}

// patternText is the text of a pattern's rules, taken apart at the names:
// holes[i] stands before texts[i+1].
type patternText struct {
	texts []string
	holes []hole
}

// hole is the name that goes there.
type hole int

const (
	holeSLA hole = iota
	holeService
	holeSLO
	holeDashboard
)

// patternTexts are those that were printed, by what they hang on.
var patternTexts = struct {
	sync.Mutex
	known map[patternAt]*patternText
}{known: map[patternAt]*patternText{}}

type patternAt struct {
	pattern *rulegen.Pattern
	base    int // indent
}

// maxPatternTexts bounds the memory of a process that generates for long; a text
// has some ten thousand bytes.
const maxPatternTexts = 2000

// fill writes the rules of a pattern with a level's names.
func (r *RuleWriter) fill(head []pair, f rulegen.Filled) error {
	at := patternAt{f.Pattern, r.text.base}
	patternTexts.Lock()
	text := patternTexts.known[at]
	patternTexts.Unlock()
	if text == nil {
		var err error
		if text, err = r.printPattern(head, f.Pattern); err != nil {
			return err
		}
		patternTexts.Lock()
		if len(patternTexts.known) >= maxPatternTexts {
			clear(patternTexts.known)
		}
		patternTexts.known[at] = text
		patternTexts.Unlock()
	}
	names := [...]string{holeSLA: f.Names.SLA, holeService: f.Names.Service, holeSLO: f.Names.SLO, holeDashboard: f.Names.Dashboard}
	out := r.text.out
	for i, h := range text.holes {
		out = append(append(out, text.texts[i]...), names[h]...)
	}
	r.text.out = append(out, text.texts[len(text.holes)]...)
	return nil
}

// printPattern prints the rules of a pattern, proven like all others, and takes
// the text apart.
func (r *RuleWriter) printPattern(head []pair, p *rulegen.Pattern) (*patternText, error) {
	w := &RuleWriter{text: yamlText{base: r.text.base}}
	for i := range p.Rules {
		rule := &p.Rules[i]
		if err := w.prove(head, rule); err != nil {
			return nil, fmt.Errorf("%s%s: %w", rule.Record, rule.Alert, err)
		}
		if err := w.rule(rule); err != nil {
			return nil, err
		}
	}
	return takeApart(string(w.text.out)), nil
}

// takeApart finds the placeholders in a text. None begins another.
func takeApart(text string) *patternText {
	p := rulegen.Placeholders
	names := []string{holeSLA: p.SLA, holeService: p.Service, holeSLO: p.SLO, holeDashboard: p.Dashboard}
	var t patternText
	for {
		at, which := len(text), -1
		for i, name := range names {
			if next := strings.Index(text, name); next >= 0 && next < at {
				at, which = next, i
			}
		}
		t.texts = append(t.texts, text[:at])
		if which < 0 {
			return &t
		}
		t.holes = append(t.holes, hole(which))
		text = text[at+len(names[which]):]
	}
}
