package promql

import (
	"fmt"

	"github.com/prometheus/prometheus/promql/parser"
)

// What a user's query may have. The parser takes time by the square of the
// operators, and rules repeat a query several times: queries that people write
// have a hundredth of this.
const (
	MaxBytes     = 10_000
	MaxOperators = 200 // between, before and around operands, aggregations included
	MaxNesting   = 50  // parentheses within parentheses
)

// checkSize counts a query's tokens before it is parsed. The error is at the
// first that is too many.
func checkSize(text string) error {
	if len(text) > MaxBytes {
		return tooLarge(0, "the query has %d bytes, more than the %d that are read", len(text), MaxBytes)
	}
	var item parser.Item
	operators, nesting := 0, 0
	for lexer := parser.Lex(text); ; {
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
		if operators > MaxOperators {
			return tooLarge(int(item.Pos), "the query has more than %d operators", MaxOperators)
		}
		if nesting > MaxNesting {
			return tooLarge(int(item.Pos), "the query has more than %d parentheses within each other", MaxNesting)
		}
	}
}

func tooLarge(offset int, format string, args ...any) error {
	return &ParseError{Offset: offset, Message: fmt.Sprintf(format, args...), TooLarge: true}
}
