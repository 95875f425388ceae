package promql

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

// Filter is a part of a condition or of a value that drops series by their values.
// While it drops all of them there is no answer, and that looks the same as the worst
// outage.
type Filter struct {
	Offset  int    // of the part, in bytes
	Message string // what it does
	When    string // when it causes that there is no answer: "while that is nothing"
	Instead string // the whole expression, changed so that it always answers; "" if there is no sure form
	// Certain is set if Instead is the same wherever the expression has an answer, so
	// that using it loses nothing.
	Certain bool
	// Each is set if the filter drops every series on its own, and not because of an
	// aggregation: for a condition that only counts while it holds, dropping is as good
	// as false.
	Each bool
}

// Filters returns the filters inside the comparisons of a valid condition. by are the
// labels that Truth would get.
func (e Expr) Filters(by ...string) []Filter {
	m := mender{grouped: len(by) > 0}
	mended := m.condition(e.node)
	return m.found(mended)
}

// ValueFilters returns the filters of an expression whose series are values.
func (e Expr) ValueFilters(by ...string) []Filter {
	m := mender{grouped: len(by) > 0}
	if f, ok := filtering(e.node); ok {
		m.add(f, "this comparison drops what does not hold", "then", true, false, true)
		return m.found(asked(f))
	}
	return m.found(m.value(e.node))
}

// mender changes expressions so that they always answer, and records what it mended.
type mender struct {
	grouped bool
	filters []Filter
}

// maxMended bounds how often one comparison is mended.
const maxMended = 20

func (m *mender) add(at parser.Expr, message, when string, mendable, certain, each bool) {
	f := Filter{Offset: int(at.PositionRange().Start), Message: message, When: when, Certain: mendable && certain, Each: each}
	if mendable {
		f.Instead = "?" // until everything is mended
	}
	m.filters = append(m.filters, f)
}

func (m *mender) found(mended parser.Expr) []Filter {
	instead := ""
	if len(m.filters) > 0 {
		instead = text(bare(mended))
	}
	for i := range m.filters {
		if f := &m.filters[i]; f.Instead != "" {
			f.Instead, f.Certain = instead, f.Certain && instead != ""
		}
	}
	return m.filters
}

// condition mends every comparison of a condition.
func (m *mender) condition(n parser.Expr) parser.Expr {
	b, ok := bare(n).(*parser.BinaryExpr)
	switch {
	case !ok:
		return n
	case b.Op.IsComparisonOperator():
		return m.comparison(b)
	}
	copied := *b
	copied.LHS = parenthesise(bare(m.condition(b.LHS)), precedence(b.Op), false)
	copied.RHS = parenthesise(bare(m.condition(b.RHS)), precedence(b.Op), true)
	return &copied
}

// comparison mends one comparison until it always answers, or as far as possible.
func (m *mender) comparison(b *parser.BinaryExpr) parser.Expr {
	for range maxMended {
		h := cmp.Or(hides(b.LHS), hides(b.RHS))
		if h == nil {
			break
		}
		instead, pulled := h.mended(b, m.grouped)
		message, when := h.words()
		m.add(h.at, message, when, instead != nil, h.certain(b), h.outer == nil)
		if instead == nil {
			break
		}
		b = instead
		if pulled != nil {
			return bothOf(bare(m.condition(pulled)), bare(m.comparison(b)))
		}
	}
	return b
}

// value mends an expression that is not a condition.
func (m *mender) value(n parser.Expr) parser.Expr {
	for range maxMended {
		h := hides(n)
		if h == nil {
			break
		}
		stand := parser.Expr(nil)
		if h.outer != nil {
			stand = standIn(h)
		}
		message, when := h.words()
		m.add(h.at, message, when, stand != nil, false, h.outer == nil)
		if stand == nil {
			break
		}
		n = replaced(n, h.outer, stand)
	}
	return n
}

// hiding is a part that may leave an operand without samples because of their values.
type hiding struct {
	at    parser.Expr // the comparison, and / unless, or absent()
	outer parser.Expr // the outermost aggregation of what at lets through; nil if there is none
	zero  bool        // something counts or sums what at lets through, so without samples it is 0
	sets  bool        // by and / unless
	joins bool        // at is below a join of series with other labels, or beside an or
}

// hides finds the first part that may leave an expression without samples.
func hides(n parser.Expr) *hiding {
	switch n := n.(type) {
	case *parser.ParenExpr:
		return hides(n.Expr)
	case *parser.UnaryExpr:
		return hides(n.Expr)
	case *parser.SubqueryExpr:
		return hides(n.Expr)
	case *parser.AggregateExpr:
		return hides(n.Expr).through(n, aggregationOf(n.Op))
	case *parser.Call:
		return hidesInCall(n)
	case *parser.BinaryExpr:
		return hidesInJoin(n)
	}
	return nil
}

func hidesInCall(n *parser.Call) *hiding {
	switch n.Func.Name {
	case "absent", "absent_over_time":
		return &hiding{at: n, zero: true}
	case "vector":
		if f := hides(n.Args[0]); f != nil { // inside scalar(), which is then NaN
			f.joins = true
			return f
		}
		return nil
	}
	for _, a := range n.Args {
		if h := hides(a); h != nil {
			if _, over := bare(a).(*parser.SubqueryExpr); over {
				return h.through(n, overTimeOf(n.Func.Name))
			}
			return h
		}
	}
	return nil
}

func hidesInJoin(n *parser.BinaryExpr) *hiding {
	if f, ok := filtering(n); ok && !same(f.LHS, f.RHS) { // x == x only drops NaN
		if h := cmp.Or(hides(n.LHS), hides(n.RHS)); h != nil {
			return h
		}
		return &hiding{at: n, joins: matched(n)}
	}
	var h *hiding
	switch n.Op {
	case parser.LOR: // the right side replaces what the left one lacks
		if h = hides(n.LHS); h == nil || hides(n.RHS) == nil {
			return nil
		}
		h.joins = true
	case parser.LAND, parser.LUNLESS:
		if h = hides(n.LHS); h == nil && hasFilter(n.RHS) {
			h = &hiding{at: n, sets: true}
		}
	default:
		h = hides(n.LHS)
		if h == nil && !guards(n) {
			h = hides(n.RHS)
		}
	}
	if h != nil && matched(n) {
		h.joins = true
	}
	return h
}

// matched reports whether a join only matches some of the labels.
func matched(n *parser.BinaryExpr) bool {
	m := n.VectorMatching
	return m != nil && (m.On || len(m.MatchingLabels) > 0)
}

// guards reports whether a division keeps its divisor from being 0, or too small to
// divide by. Without such a filter the result would be unknown, too.
func guards(n *parser.BinaryExpr) bool {
	f, ok := filtering(n.RHS)
	return ok && n.Op == parser.DIV && (f.Op == parser.GTR || f.Op == parser.GTE || f.Op == parser.NEQ) &&
		f.RHS.Type() == parser.ValueTypeScalar && hides(f.LHS) == nil
}

func hasFilter(n parser.Expr) bool {
	found := false
	parser.Inspect(n, func(n parser.Node, _ []parser.Node) error {
		if e, ok := n.(parser.Expr); ok {
			_, filters := filtering(e)
			found = found || filters
		}
		return nil
	})
	return found
}

// ofNothing says what an aggregation should return for no samples: 0 for counts and
// sums, and for others the value without the filter.
type ofNothing struct {
	zero  bool
	ofAll string // the same aggregation over all series, if each answers 1 or 0; "" if there is none
	known bool
}

func aggregationOf(op parser.ItemType) ofNothing {
	switch op {
	case parser.COUNT:
		return ofNothing{true, "sum", true}
	case parser.GROUP:
		return ofNothing{true, "max", true}
	case parser.SUM:
		return ofNothing{true, "", true}
	case parser.AVG, parser.MIN, parser.MAX, parser.STDDEV, parser.STDVAR, parser.QUANTILE, parser.TOPK, parser.BOTTOMK:
		return ofNothing{known: true}
	}
	return ofNothing{}
}

func overTimeOf(function string) ofNothing {
	switch function {
	case "count_over_time":
		return ofNothing{true, "sum_over_time", true}
	case "present_over_time":
		return ofNothing{true, "max_over_time", true}
	case "sum_over_time":
		return ofNothing{true, "", true}
	case "avg_over_time", "min_over_time", "max_over_time", "last_over_time", "stddev_over_time", "stdvar_over_time", "quantile_over_time":
		return ofNothing{known: true}
	}
	return ofNothing{}
}

// through passes the hiding on through an aggregation.
func (h *hiding) through(n parser.Expr, a ofNothing) *hiding {
	if h == nil {
		return nil
	}
	if _, absent := h.at.(*parser.Call); absent {
		return h
	}
	h.outer, h.zero = n, h.zero || a.zero
	return h
}

// certain reports whether the mended form has the same answer wherever this one has
// one.
func (h *hiding) certain(b *parser.BinaryExpr) bool {
	return !h.sets && !h.joins && (h.zero || chains(b.LHS, h.at) || chains(b.RHS, h.at))
}

// chains reports whether an operand is the comparison, or compares what that lets
// through.
func chains(operand, comparison parser.Expr) bool {
	f, ok := filtering(operand)
	return ok && (parser.Expr(f) == comparison || chains(passing(f), comparison))
}

func (h *hiding) words() (message, when string) {
	if c, ok := h.at.(*parser.Call); ok {
		return c.Func.Name + " has a value only while there is no series", "while there is one"
	}
	part := strings.Join(strings.Fields(h.at.String()), " ")
	switch {
	case h.outer != nil:
		return fmt.Sprintf("%s sees only what %q lets through", nameOf(h.outer), part), "while that is nothing"
	case h.sets:
		return fmt.Sprintf("%q keeps only some series", part), "while it keeps none"
	}
	return fmt.Sprintf("%q inside a comparison drops what does not hold", part), "then"
}

func nameOf(n parser.Expr) string {
	switch n := n.(type) {
	case *parser.AggregateExpr:
		return n.Op.String()
	case *parser.Call:
		return n.Func.Name
	}
	return "this"
}
