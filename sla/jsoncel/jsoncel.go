// Package jsoncel evaluates conditions in CEL over JSON: `body.status == "ok"`.
//
// A condition has one variable, body, of any type, as the conditions of
// blackbox_exporter have it, whose modules can be read as they are. What an
// evaluation may cost is bounded. The package stands apart so that the model
// itself stays free of CEL.
package jsoncel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
)

// maxCost bounds an evaluation, in CEL's units, about one an operation: no more
// than some hundredths of a second.
const maxCost = 1_000_000

// Program is a compiled condition. It is safe for concurrent use.
type Program struct {
	program cel.Program
	text    string
}

// Error is a mistake in a condition.
type Error struct {
	Line, Column int // from 1; 0 if it is the condition as a whole
	Message      string
}

func (e *Error) Error() string { return e.Message }

// Compile reads a condition. The error is an *Error.
func Compile(text string) (*Program, error) {
	env, err := cel.NewEnv(cel.Variable("body", cel.DynType))
	if err != nil {
		return nil, &Error{Message: err.Error()}
	}
	ast, issues := env.Compile(text)
	if issues != nil && len(issues.Errors()) > 0 {
		first := issues.Errors()[0]
		return nil, &Error{Line: first.Location.Line(), Column: first.Location.Column() + 1, Message: briefly(first.Message)}
	}
	if t := ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, &Error{Message: fmt.Sprintf("the condition is a value of the type %s, and neither true nor false", t)}
	}
	program, err := env.Program(ast, cel.CostLimit(maxCost), cel.InterruptCheckFrequency(100))
	if err != nil {
		return nil, &Error{Message: briefly(err.Error())}
	}
	return &Program{program, text}, nil
}

// briefly is the first line of a message, without the tables of the parser.
func briefly(message string) string {
	message, _, _ = strings.Cut(message, "\n")
	message, _, _ = strings.Cut(message, " expecting {")
	return strings.TrimPrefix(message, "Syntax error: ")
}

// Mistakes of a body. Their texts, as those of all errors of Holds, tell
// nothing of it.
var (
	ErrNotJSON = errors.New("the body is not JSON")
	ErrNotBool = errors.New("the condition is neither true nor false of this body")
	ErrCost    = errors.New("the condition costs too much on this body")
)

// Holds tells whether the condition is true of a body.
func (p *Program) Holds(ctx context.Context, body []byte) (bool, error) {
	var value any
	if json.Unmarshal(body, &value) != nil {
		return false, ErrNotJSON
	}
	result, _, err := p.program.ContextEval(ctx, map[string]any{"body": value})
	if err != nil {
		return false, p.explain(err)
	}
	holds, ok := result.Value().(bool)
	if !ok {
		return false, ErrNotBool
	}
	return holds, nil
}

// explain says why the condition could not be evaluated, and names a key that
// is missing if the condition itself does.
func (p *Program) explain(err error) error {
	if key, found := strings.CutPrefix(err.Error(), "no such key: "); found && strings.Contains(p.text, key) {
		return errors.New("the body has no " + key)
	}
	if strings.Contains(err.Error(), "cost limit") {
		return ErrCost
	}
	return errors.New("the condition cannot be evaluated on this body")
}
