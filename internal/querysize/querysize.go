// Package querysize counts the tokens of a PromQL query before it is parsed. The
// parser's time grows with the square of the operators: half a megabyte of "up+up+..."
// would keep it busy for ten minutes, whatever the query's own time limit.
package querysize

import (
	"fmt"

	"github.com/prometheus/prometheus/promql/parser"
)

// Limits are the limits of a query.
type Limits struct {
	Bytes     int
	Operators int // between, before and around operands, aggregations included
	Nesting   int // parentheses within parentheses
}

// Error says which limit a query exceeds.
type Error struct {
	Offset  int // in bytes, of the first token beyond the limit
	Message string
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Check counts tokens; an error is an *Error.
func (l Limits) Check(query string) error {
	if len(query) > l.Bytes {
		return l.exceeded(0, "the query has %d bytes, more than the %d that are read", len(query), l.Bytes)
	}
	var item parser.Item
	operators, nesting := 0, 0
	for lexer := parser.Lex(query); ; {
		lexer.NextItem(&item)
		switch {
		case item.Typ == parser.EOF || item.Typ == parser.ERROR:
			return nil
		case item.Typ.IsOperator() || item.Typ.IsAggregator():
			operators++
		case item.Typ == parser.LEFT_PAREN:
			nesting++
		case item.Typ == parser.RIGHT_PAREN:
			nesting--
		}
		if operators > l.Operators {
			return l.exceeded(int(item.Pos), "the query has more than %d operators", l.Operators)
		}
		if nesting > l.Nesting {
			return l.exceeded(int(item.Pos), "the query has more than %d parentheses within each other", l.Nesting)
		}
	}
}

func (l Limits) exceeded(offset int, format string, args ...any) error {
	return &Error{Offset: offset, Message: fmt.Sprintf(format, args...)}
}
