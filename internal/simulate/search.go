package simulate

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/internal/replay"
)

// Conditions and ratios may be any expression, so we find series that make them good or
// bad by trying: every series gets one of a few simple forms, and the engine evaluates
// the expression.

// form is the form of a series: constant, rising, or following the time.
type form struct {
	kind formKind
	v    float64
}

type formKind int

const (
	constant formKind = iota
	rising            // by v a second
	behind            // v seconds behind the time
)

// at is the value at a time.
func (f form) at(ms int64) float64 {
	seconds := float64(ms) / 1000
	switch f.kind {
	case rising:
		return f.v * seconds
	case behind:
		return seconds - f.v
	}
	return f.v
}

// Bounds of a search.
const (
	mostTried  = 4000 // evaluations
	mostSought = 3    // series with a form of their own
	mostForms  = 60
)

// tryAt is when forms are tried; samples begin trySpan before.
var tryAt = time.Unix(1_000_000, 0)

const (
	trySpan  = 2 * time.Hour
	tryEvery = 30 * time.Second
)

// tried is an expression that we evaluate for forms of the series that it reads.
type tried struct {
	expr   string
	series []promql.Metric
	left   int
}

func newTried(expr promql.Expr) (*tried, bool) {
	t := &tried{expr: expr.String(), left: mostTried}
	for _, s := range expr.Reads() {
		m, ok := s.Example()
		if !ok {
			return nil, false
		}
		if !slices.ContainsFunc(t.series, func(o promql.Metric) bool { return o.String() == m.String() }) {
			t.series = append(t.series, m)
		}
	}
	return t, len(t.series) > 0 && len(t.series) <= mostSought
}

// value is the only value of the expression, NaN if it has none or several.
func (t *tried) value(forms []form) float64 {
	if t.left--; t.left < 0 {
		return math.NaN()
	}
	w := replay.New()
	for i, m := range t.series {
		w.Add(labels.FromMap(m), formed(forms[i]))
	}
	v, err := w.Value(t.expr, tryAt)
	if err != nil {
		return math.NaN()
	}
	return v
}

// formed makes samples of a form, before tryAt.
type formed form

func (f formed) Len() int { return int(trySpan/tryEvery) + 1 }

func (f formed) At(i int) (int64, float64) {
	ms := tryAt.Add(-trySpan + time.Duration(i)*tryEvery).UnixMilli()
	return ms, form(f).at(ms)
}

// each calls use with forms for all series until it returns false. It begins with the
// same form for all series.
func (t *tried) each(forms []form, use func([]form) bool) {
	chosen := make([]form, len(t.series))
	for _, f := range forms {
		for i := range chosen {
			chosen[i] = f
		}
		if !use(slices.Clone(chosen)) {
			return
		}
	}
	var choose func(i int) bool
	choose = func(i int) bool {
		if i == len(chosen) {
			return use(slices.Clone(chosen))
		}
		for _, f := range forms {
			if chosen[i] = f; t.left <= 0 || !choose(i+1) {
				return false
			}
		}
		return true
	}
	if len(chosen) > 1 {
		choose(0)
	}
}

var number = regexp.MustCompile(`[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?`)

// formsNear are forms around the numbers in an expression.
func formsNear(text string) []form {
	values := []float64{0, 1}
	for _, n := range number.FindAllString(text, -1) {
		if v, err := strconv.ParseFloat(n, 64); err == nil {
			values = append(values, v/2, 2*v, v+1, v-1, v)
		}
	}
	var forms []form
	for _, kind := range []formKind{constant, behind, rising} {
		for _, v := range values {
			if f := (form{kind, v}); !slices.Contains(forms, f) && len(forms) < mostForms {
				forms = append(forms, f)
			}
		}
	}
	return forms
}

// searchCondition finds series with which a condition holds, and others with which it
// does not; nil if it finds none.
func searchCondition(text string) []imagined {
	expr, err := promql.Parse(text)
	if err != nil {
		return nil
	}
	truth, err := expr.Truth()
	if err != nil {
		return nil
	}
	t, ok := newTried(truth)
	if !ok {
		return nil
	}
	forms := formsNear(text)
	var good, bad []form
	t.each(forms, func(f []form) bool {
		if t.value(f) == 1 {
			good, bad = f, t.opposite(f, forms)
		}
		return bad == nil
	})
	if bad == nil {
		return nil
	}
	var all []imagined
	for i, m := range t.series {
		all = append(all, imagined{metric: m, value: func(share float64, nth, ms int64) float64 {
			if falls(nth, share) {
				return bad[i].at(ms)
			}
			return good[i].at(ms)
		}})
	}
	return all
}

// opposite returns forms with which the condition does not hold, and which differ from
// good in one series; nil if there are none.
func (t *tried) opposite(good, forms []form) []form {
	for i := range good {
		for _, f := range forms {
			changed := slices.Clone(good)
			if changed[i] = f; f.kind == good[i].kind && t.value(changed) == 0 {
				return changed
			}
		}
	}
	return nil
}

// role says how a series of a ratio follows the bad share.
type role struct {
	kind formKind
	of   func(bad float64) float64
}

// roles are the roles to try.
var roles = []role{
	{constant, func(bad float64) float64 { return bad }},
	{constant, func(bad float64) float64 { return 1 - bad }},
	{constant, func(float64) float64 { return 1 }},
	{rising, func(bad float64) float64 { return bad }},
	{rising, func(bad float64) float64 { return 1 - bad }},
	{rising, func(float64) float64 { return 1 }},
	{constant, func(bad float64) float64 { return 100 * bad }},
	{constant, func(bad float64) float64 { return 100 * (1 - bad) }},
}

// searchRatio finds series with which a ratio can be any bad share; nil if it finds
// none.
func searchRatio(text string) []imagined {
	expr, err := promql.Parse(text)
	if err != nil {
		return nil
	}
	t, ok := newTried(expr)
	if !ok {
		return nil
	}
	index := make([]form, len(roles))
	for i := range roles {
		index[i] = form{v: float64(i)}
	}
	var found []form
	t.each(index, func(chosen []form) bool {
		fits := true
		for _, bad := range []float64{0.25, 0, 1} {
			forms := make([]form, len(chosen))
			for i, c := range chosen {
				forms[i] = form{roles[int(c.v)].kind, roles[int(c.v)].of(bad)}
			}
			fits = fits && math.Abs(t.value(forms)-bad) < 1e-9
		}
		if fits {
			found = chosen
		}
		return found == nil
	})
	if found == nil {
		return nil
	}
	var all []imagined
	for i, m := range t.series {
		r := roles[int(found[i].v)]
		if r.kind == rising {
			all = append(all, imagined{metric: m, perSecond: 1, ownRate: true, counts: func(bad, _ float64) float64 { return r.of(bad) }})
			continue
		}
		all = append(all, imagined{metric: m, value: func(bad float64, _, _ int64) float64 { return r.of(bad) }})
	}
	return all
}
