package promql

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// printer prints a tree as the parser's own String does and writes, beside the
// text, the tree's key: the tree itself, every node delimited, with a hole for
// each literal of which the parser would take any other value the same way.
type printer struct {
	text, key []byte
	opaque    bool // the tree has a node that the key cannot describe
	ends      []span
	scratch   []byte
}

// span is where one matcher stands in text and key.
type span struct{ text, key [2]int }

// Bytes that stand in keys for literals; names hold no control characters, so
// a key is read in one way only.
const (
	holeNumber byte = 1
	holeString byte = 2
	endOfNode  byte = 3
	endOfName  byte = 4
)

func (p *printer) reset() {
	p.text, p.key, p.opaque = p.text[:0], p.key[:0], false
}

// both writes the same to text and key.
func (p *printer) both(s string) {
	p.text = append(p.text, s...)
	p.key = append(p.key, s...)
}

// node writes one tree.
func (p *printer) node(n parser.Expr) {
	switch n := n.(type) {
	case *parser.NumberLiteral:
		p.number(n)
	case *parser.StringLiteral:
		start := len(p.text)
		p.text = strconv.AppendQuote(p.text, n.Val)
		p.key = append(p.key, p.text[start:]...)
	case *parser.ParenExpr:
		p.both("(")
		p.node(n.Expr)
		p.both(")")
	case *parser.UnaryExpr:
		p.both(n.Op.String())
		p.node(n.Expr)
	case *parser.VectorSelector:
		p.selector(n)
		p.shift(n)
	case *parser.MatrixSelector:
		p.matrix(n)
	case *parser.Call:
		p.call(n)
	case *parser.AggregateExpr:
		p.aggregate(n)
	case *parser.BinaryExpr:
		p.binary(n)
	case *parser.SubqueryExpr:
		p.subquery(n)
	default:
		p.text, p.opaque = append(p.text, n.String()...), true
	}
	p.key = append(p.key, endOfNode)
}

// number leaves a hole for a number without a sign, which prints as digits
// with at most one point. With a sign it would read back as another node.
func (p *printer) number(n *parser.NumberLiteral) {
	if n.Duration || math.Signbit(n.Val) || math.IsInf(n.Val, 0) || math.IsNaN(n.Val) {
		p.both(n.String())
		p.opaque = p.opaque || n.Duration
		return
	}
	p.text = strconv.AppendFloat(p.text, n.Val, 'f', -1, 64)
	p.key = append(p.key, holeNumber)
}

func (p *printer) matrix(n *parser.MatrixSelector) {
	s, ok := n.VectorSelector.(*parser.VectorSelector)
	if !ok || n.RangeExpr != nil {
		p.text, p.opaque = append(p.text, n.String()...), true
		return
	}
	p.selector(s)
	p.both("[")
	p.both(duration(n.Range))
	p.both("]")
	p.shift(s)
}

func (p *printer) subquery(n *parser.SubqueryExpr) {
	if n.RangeExpr != nil || n.StepExpr != nil || n.OriginalOffsetExpr != nil || n.Timestamp != nil || n.StartOrEnd != 0 {
		p.text, p.opaque = append(p.text, n.String()...), true
		return
	}
	p.node(n.Expr)
	p.both("[")
	p.both(duration(n.Range))
	p.both(":")
	if n.Step != 0 {
		p.both(duration(n.Step))
	}
	p.both("]")
	p.offset(n.OriginalOffset)
}

func duration(d time.Duration) string { return model.Duration(d).String() }

func (p *printer) offset(d time.Duration) {
	switch {
	case d > 0:
		p.both(" offset " + duration(d))
	case d < 0:
		p.both(" offset -" + duration(-d))
	}
}

// shift is what follows a selector and its range.
func (p *printer) shift(n *parser.VectorSelector) {
	if n.Timestamp != nil || n.StartOrEnd != 0 || n.Anchored || n.Smoothed || n.OriginalOffsetExpr != nil {
		// Rare: the text of the parser's printer, less what is already there.
		bare := *n
		bare.Timestamp, bare.StartOrEnd, bare.Anchored, bare.Smoothed = nil, 0, false, false
		bare.OriginalOffset, bare.OriginalOffsetExpr = 0, nil
		p.text, p.opaque = append(p.text, n.String()[len(bare.String()):]...), true
		return
	}
	p.offset(n.OriginalOffset)
}

// selector writes name and matchers, the latter in the order of their texts.
func (p *printer) selector(n *parser.VectorSelector) {
	p.both(n.Name)
	p.key = append(p.key, endOfName)
	if n.BypassEmptyMatcherCheck {
		p.opaque = true
	}
	textStart, keyStart := len(p.text), len(p.key)
	p.ends = p.ends[:0]
	for _, m := range n.LabelMatchers {
		if m.Name == labels.MetricName && m.Type == labels.MatchEqual && m.Value == n.Name && m.Value != "" {
			continue
		}
		from := [2]int{len(p.text), len(p.key)}
		p.matcher(m, n.Name != "")
		p.ends = append(p.ends, span{[2]int{from[0], len(p.text)}, [2]int{from[1], len(p.key)}})
	}
	if len(p.ends) == 0 {
		return
	}
	if len(p.ends) > 1 {
		slices.SortFunc(p.ends, func(a, b span) int {
			return cmp.Compare(string(p.text[a.text[0]:a.text[1]]), string(p.text[b.text[0]:b.text[1]]))
		})
	}
	p.scratch = append(p.scratch[:0], '{')
	for i, e := range p.ends {
		if i > 0 {
			p.scratch = append(p.scratch, ',')
		}
		p.scratch = append(p.scratch, p.text[e.text[0]:e.text[1]]...)
	}
	p.scratch = append(p.scratch, '}')
	p.text = append(p.text[:textStart], p.scratch...)
	p.scratch = p.scratch[:0]
	for _, e := range p.ends {
		p.scratch = append(p.scratch, p.key[e.key[0]:e.key[1]]...)
	}
	p.key = append(p.key[:keyStart], p.scratch...)
}

// matcher leaves a hole for the value of an equality on a label of a named
// metric, if it is plain text. Regular expressions are kept: they may be wrong.
func (p *printer) matcher(m *labels.Matcher, named bool) {
	from := len(p.text)
	if !isLegacyName(m.Name) {
		p.text = append(p.text, m.String()...)
		p.key = append(p.key, p.text[from:]...)
		p.key = append(p.key, endOfName)
		return
	}
	p.text = append(p.text, m.Name...)
	p.text = append(p.text, m.Type.String()...)
	value := len(p.text)
	p.text = strconv.AppendQuote(p.text, m.Value)
	if named && m.Type == labels.MatchEqual && m.Name != labels.MetricName && isPlain(m.Value) {
		p.key = append(p.key, p.text[from:value]...)
		p.key = append(p.key, holeString)
		return
	}
	p.key = append(p.key, p.text[from:]...)
	p.key = append(p.key, endOfName)
}

func (p *printer) call(n *parser.Call) {
	p.both(n.Func.Name)
	p.both("(")
	for i, a := range n.Args {
		if i > 0 {
			p.both(", ")
		}
		p.node(a)
	}
	p.both(")")
}

func (p *printer) aggregate(n *parser.AggregateExpr) {
	p.both(n.Op.String())
	switch {
	case n.Without:
		p.names(" without (", n.Grouping)
		p.both(" ")
	case len(n.Grouping) > 0:
		p.names(" by (", n.Grouping)
		p.both(" ")
	}
	p.both("(")
	if n.Op.IsAggregatorWithParam() {
		p.node(n.Param)
		p.both(", ")
	} else if n.Param != nil {
		p.opaque = true // it is not printed, which the proof must see
	}
	p.node(n.Expr)
	p.both(")")
}

// names writes a list of label names in parentheses.
func (p *printer) names(open string, names []string) {
	p.both(open)
	for i, name := range names {
		if i > 0 {
			p.both(", ")
		}
		if isLegacyName(name) {
			p.both(name)
		} else {
			p.both(strconv.Quote(name))
		}
	}
	p.both(")")
}

func (p *printer) binary(n *parser.BinaryExpr) {
	p.node(n.LHS)
	p.both(" ")
	p.both(n.Op.String())
	if n.ReturnBool {
		p.both(" bool")
	}
	p.matching(n.VectorMatching)
	p.both(" ")
	p.node(n.RHS)
}

func (p *printer) matching(m *parser.VectorMatching) {
	if m == nil {
		p.key = append(p.key, '-')
		return
	}
	if m.FillValues.LHS != nil || m.FillValues.RHS != nil {
		p.opaque = true // experimental; the proof refuses it, since it is not printed here
	}
	p.key = append(p.key, '0'+byte(m.Card))
	grouped := m.Card == parser.CardManyToOne || m.Card == parser.CardOneToMany
	if len(m.MatchingLabels) > 0 || m.On || grouped {
		if m.On {
			p.names(" on (", m.MatchingLabels)
		} else {
			p.names(" ignoring (", m.MatchingLabels)
		}
	}
	switch {
	case m.Card == parser.CardManyToOne:
		p.names(" group_left (", m.Include)
	case m.Card == parser.CardOneToMany:
		p.names(" group_right (", m.Include)
	case len(m.Include) > 0:
		p.opaque = true // it is not printed, which the proof must see
	}
}

// isLegacyName tells a label name that is written without quotes.
func isLegacyName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// isMetricName tells the name of a metric that is written without quotes.
func isMetricName(s string) bool { return isLegacyName(strings.ReplaceAll(s, ":", "_")) }

// isPlain tells text that stands between double quotes as it is, and is not empty.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}
