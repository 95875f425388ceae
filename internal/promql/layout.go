package promql

import (
	"bytes"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

// Layout writes expressions as people read them in rule files, in the style of
// Prometheus' own printer (parser.Prettify) with three differences: operands have
// parentheses where otherwise only precedence shows what belongs together; both sides
// of an operator have its indent, so that the text fits into a block of YAML; and a
// part with only one selector stays on one line, since breaking it would not help.

// lineWidth is the length from which a part of an expression is broken into lines, as
// in Prometheus' printer.
const lineWidth = 100

// Layout prints expressions one after another.
type Layout struct {
	// The whole expression is printed once on one line, and parts are slices of that.
	// Otherwise each part would be printed again for every part that contains it.
	line  []byte // the expression on one line
	parts []part
	joins bool   // there is an operator between two operands
	text  []byte // the text written so far
}

// Prove is Expr.Prove with two differences: long expressions get several lines, and
// there are parentheses wherever operators of different kinds meet. joins reports
// whether there is an operator between two operands.
func (l *Layout) Prove(e Expr) (text string, joins bool, err error) {
	l.line, l.parts, l.joins, l.text = l.line[:0], l.parts[:0], false, l.text[:0]
	if e.node != nil {
		l.add(e.node)
		l.write(0, 0)
	}
	text, err = e.proven(string(l.text))
	return text, l.joins, err
}

// part is a part of an expression: its range in the line, and how it is broken.
type part struct {
	from, to int
	after    int // the index of the part after this one and all of its parts
	operands int // how many series and times it has
	breaks   breaks
}

// breaks is where a part can be broken into lines.
type breaks int

const (
	nowhere breaks = iota
	within         // only its single part can
	inside         // in parentheses: before and after each of its parts
	between        // before and after an operator
	beside         // on neither side of an operator with a number
)

// add adds an expression to the line, and parentheses to its operands.
func (l *Layout) add(n parser.Expr) {
	i := len(l.parts)
	l.parts = append(l.parts, part{from: len(l.line)})
	how := nowhere
	switch n := n.(type) {
	case *parser.ParenExpr:
		how = inside
		l.list("(", n.Expr)
	case *parser.UnaryExpr:
		how = within
		l.line = append(l.line, n.Op.String()...)
		l.add(n.Expr)
	case *parser.SubqueryExpr:
		how = within
		l.add(n.Expr)
		ofOne := *n
		ofOne.Expr = &parser.NumberLiteral{Val: 1}
		l.line = append(l.line, strings.TrimPrefix(ofOne.String(), "1")...)
	case *parser.AggregateExpr:
		how = inside
		if begin := n.ShortString() + "("; n.Param == nil {
			l.list(begin, n.Expr)
		} else {
			l.list(begin, n.Param, n.Expr)
		}
	case *parser.Call:
		how = inside
		l.list(n.Func.Name+"(", n.Args...)
		if len(n.Args) == 0 {
			l.parts[i].operands = 1
		}
	case *parser.BinaryExpr:
		how = l.operation(n)
	case *parser.VectorSelector, *parser.MatrixSelector:
		l.line = append(l.line, n.String()...)
		l.parts[i].operands = 1
	default:
		l.line = append(l.line, n.String()...)
	}
	p := &l.parts[i]
	p.to, p.after, p.breaks = len(l.line), len(l.parts), how
	for k := i + 1; k < p.after; k = l.parts[k].after {
		p.operands += l.parts[k].operands
	}
}

// list adds parts in parentheses.
func (l *Layout) list(begin string, parts ...parser.Expr) {
	l.line = append(l.line, begin...)
	for i, p := range parts {
		if i > 0 {
			l.line = append(l.line, ", "...)
		}
		l.add(p)
	}
	l.line = append(l.line, ')')
}

// operation adds both operands, in parentheses if they are operations that the
// operator does not continue.
func (l *Layout) operation(n *parser.BinaryExpr) breaks {
	l.joins = true
	left, isLeft := n.LHS.(*parser.BinaryExpr)
	continued := isLeft && continues(left, n)
	if isLeft && !continued {
		l.add(&parser.ParenExpr{Expr: left})
	} else {
		l.add(n.LHS)
	}
	l.line = append(append(append(l.line, ' '), n.ShortString()...), ' ')
	if right, ok := n.RHS.(*parser.BinaryExpr); ok {
		l.add(&parser.ParenExpr{Expr: right})
	} else {
		l.add(n.RHS)
	}
	if !continued && (isNumber(n.LHS) || isNumber(n.RHS)) {
		return beside
	}
	return between
}

// continues reports whether an operation continues its left operand, as in a + b - c
// and a or b or c, which everybody reads from the left.
func continues(left, n *parser.BinaryExpr) bool {
	sums := []parser.ItemType{parser.ADD, parser.SUB}
	rows := []parser.ItemType{parser.MUL, parser.LAND, parser.LOR}
	return slices.Contains(sums, n.Op) && slices.Contains(sums, left.Op) || left.Op == n.Op && slices.Contains(rows, n.Op)
}

func isNumber(n parser.Expr) bool {
	_, is := bare(n).(*parser.NumberLiteral)
	return is
}

func (l *Layout) short(i int) bool {
	p := l.parts[i]
	return p.to-p.from <= lineWidth || p.operands < 2
}

// write writes a part on the current line; further lines get the indent.
func (l *Layout) write(i, indent int) {
	p := l.parts[i]
	if p.breaks == nowhere || l.short(i) {
		l.text = append(l.text, l.line[p.from:p.to]...)
		return
	}
	if p.breaks == inside {
		indent++
	}
	begin := p.from // of the text not yet written
	for k := i + 1; k < p.after; k = l.parts[k].after {
		l.cut(begin, l.parts[k].from, p.breaks, k > i+1, indent)
		l.write(k, indent)
		begin = l.parts[k].to
	}
	if p.breaks == inside {
		l.newLine(indent - 1)
	}
	l.text = append(l.text, l.line[begin:p.to]...)
}

// cut writes the text before a part, broken like the whole; others says that the text
// is between two parts.
func (l *Layout) cut(from, to int, how breaks, others bool, indent int) {
	text := l.line[from:to]
	switch {
	case how == inside:
		l.text = append(l.text, bytes.TrimRight(text, " ")...)
		l.newLine(indent)
	case how == between && others:
		l.newLine(indent)
		l.text = append(l.text, bytes.TrimSpace(text)...)
		l.newLine(indent)
	default:
		l.text = append(l.text, text...)
	}
}

func (l *Layout) newLine(indent int) {
	l.text = append(l.text, '\n')
	for range indent {
		l.text = append(l.text, "  "...)
	}
}
