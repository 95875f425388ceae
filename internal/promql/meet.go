package promql

import (
	"regexp/syntax"
	"slices"
	"unicode"

	"github.com/prometheus/prometheus/model/labels"
)

// Same reports whether two selectors are equal: the same conditions in any order.
func (s Selector) Same(other Selector) bool {
	texts := func(s Selector) []string {
		all := make([]string, 0, len(s.vector.LabelMatchers))
		for _, m := range s.vector.LabelMatchers {
			all = append(all, m.String())
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	return slices.Equal(texts(s), texts(other))
}

// Apart returns a label that keeps two selectors from selecting the same series, or a
// selector from selecting any if other is itself. It is "" if they may have one in
// common, judged without the labels except. If that cannot be decided cheaply, they
// may.
func (s Selector) Apart(other Selector, except ...string) string {
	byLabel := map[string][]*labels.Matcher{}
	var names []string
	for _, m := range slices.Concat(s.vector.LabelMatchers, other.vector.LabelMatchers) {
		if byLabel[m.Name] == nil {
			names = append(names, m.Name)
		}
		byLabel[m.Name] = append(byLabel[m.Name], m)
	}
	for _, name := range names {
		if !slices.Contains(except, name) && !satisfiable(byLabel[name]) {
			return name
		}
	}
	return ""
}

// Covers reports whether the selector selects every series that another one does, as
// far as that can be decided cheaply.
func (s Selector) Covers(other Selector) bool {
	return !slices.ContainsFunc(s.vector.LabelMatchers, func(m *labels.Matcher) bool {
		if m.Type == labels.MatchRegexp && m.Value == ".*" {
			return false // any value, or none
		}
		not, err := m.Inverse()
		if err != nil {
			return true
		}
		all := []*labels.Matcher{not}
		for _, o := range other.vector.LabelMatchers {
			if o.Name == m.Name {
				all = append(all, o)
			}
		}
		return satisfiable(all)
	})
}

// Literal reports whether the selector has a single literal value for the label.
func (s Selector) Literal(label string) bool {
	return slices.ContainsFunc(s.vector.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == label && m.Type == labels.MatchEqual })
}

// satisfiable reports whether a value may match all matchers. It can exclude that if
// one of them has few values, or if two regular expressions have no text in common.
func satisfiable(all []*labels.Matcher) bool {
	for _, m := range all {
		values := m.SetMatches()
		if m.Type == labels.MatchEqual {
			values = []string{m.Value}
		}
		if len(values) > 0 && (m.Type == labels.MatchEqual || m.Type == labels.MatchRegexp) {
			return slices.ContainsFunc(values, func(v string) bool {
				return !slices.ContainsFunc(all, func(m *labels.Matcher) bool { return !m.Matches(v) })
			})
		}
	}
	for i, a := range all {
		for _, b := range all[:i] {
			switch {
			case a.Type == labels.MatchRegexp && b.Type == labels.MatchRegexp && !overlap(a.Value, b.Value),
				a.Value == b.Value && (a.Type == labels.MatchRegexp && b.Type == labels.MatchNotRegexp || a.Type == labels.MatchNotRegexp && b.Type == labels.MatchRegexp):
				return false
			}
		}
	}
	return true
}

// maxOverlap bounds the pairs of states that overlap visits.
const maxOverlap = 20_000

// overlap reports whether two anchored regular expressions match a common text: whether
// both automata can reach their ends with the same letters. It assumes that conditions
// such as word boundaries always hold.
func overlap(a, b string) bool {
	p, okA := compiled(a)
	q, okB := compiled(b)
	if !okA || !okB || len(p.Inst)*len(q.Inst) > maxOverlap {
		return true
	}
	type pair struct{ p, q uint32 }
	start := pair{uint32(p.Start), uint32(q.Start)}
	seen, next := map[pair]bool{start: true}, []pair{start}
	for len(next) > 0 {
		at := next[len(next)-1]
		next = next[:len(next)-1]
		x, y := &p.Inst[at.p], &q.Inst[at.q]
		if x.Op == syntax.InstMatch && y.Op == syntax.InstMatch {
			return true
		}
		var to []pair
		for _, s := range silently(x) {
			to = append(to, pair{s, at.q})
		}
		for _, s := range silently(y) {
			to = append(to, pair{at.p, s})
		}
		if share(letters(x), letters(y)) {
			to = append(to, pair{x.Out, y.Out})
		}
		for _, t := range to {
			if !seen[t] {
				seen[t] = true
				next = append(next, t)
			}
		}
	}
	return false
}

func compiled(re string) (*syntax.Prog, bool) {
	parsed, err := syntax.Parse(re, syntax.Perl|syntax.DotNL)
	if err != nil {
		return nil, false
	}
	prog, err := syntax.Compile(parsed.Simplify())
	return prog, err == nil
}

// silently returns the states after one that reads no letter.
func silently(i *syntax.Inst) []uint32 {
	switch i.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		return []uint32{i.Out, i.Arg}
	case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
		return []uint32{i.Out}
	}
	return nil
}

// letters are the ranges of letters that a state reads.
func letters(i *syntax.Inst) []rune {
	switch i.Op {
	case syntax.InstRuneAny:
		return []rune{0, unicode.MaxRune}
	case syntax.InstRuneAnyNotNL:
		return []rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune}
	case syntax.InstRune1:
		return []rune{i.Rune[0], i.Rune[0]}
	case syntax.InstRune:
		if len(i.Rune) != 1 {
			return i.Rune
		}
		ranges := []rune{i.Rune[0], i.Rune[0]}
		if syntax.Flags(i.Arg)&syntax.FoldCase != 0 {
			for r := unicode.SimpleFold(i.Rune[0]); r != i.Rune[0]; r = unicode.SimpleFold(r) {
				ranges = append(ranges, r, r)
			}
		}
		return ranges
	}
	return nil
}

// share reports whether two lists of ranges have a letter in common.
func share(a, b []rune) bool {
	for i := 0; i+1 < len(a); i += 2 {
		for j := 0; j+1 < len(b); j += 2 {
			if a[i] <= b[j+1] && b[j] <= a[i+1] {
				return true
			}
		}
	}
	return false
}
