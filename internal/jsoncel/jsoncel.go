// Package jsoncel evaluates conditions in CEL over JSON: `body.status == "ok"`.
//
// A condition has one variable, body, of any type, like in blackbox_exporter, so its
// modules work unchanged. The cost of an evaluation is bounded. This is a package of
// its own so that the model does not depend on CEL.
package jsoncel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
)

// maxCost bounds an evaluation, in CEL's units, about one per operation: some tenths of
// a second of CPU.
const maxCost = 200_000

// Program is a compiled condition. It is safe for concurrent use.
type Program struct {
	program cel.Program
	text    string
}

// Error is a mistake in a condition.
type Error struct {
	Line, Column int // from 1; 0 for the condition as a whole
	Message      string
}

func (e *Error) Error() string { return e.Message }

// Compile reads a condition. The error is an *Error.
func Compile(text string) (*Program, error) { return compile(text, true) }

// CompileValue reads an expression for a value: a text, a number or a boolean. The
// error is an *Error.
func CompileValue(text string) (*Program, error) { return compile(text, false) }

func compile(text string, condition bool) (*Program, error) {
	env, err := cel.NewEnv(cel.Variable("body", cel.DynType))
	if err != nil {
		return nil, &Error{Message: err.Error()}
	}
	ast, issues := env.Compile(text)
	if issues != nil && len(issues.Errors()) > 0 {
		first := issues.Errors()[0]
		return nil, &Error{Line: first.Location.Line(), Column: first.Location.Column() + 1, Message: briefly(first.Message)}
	}
	if t := ast.OutputType(); condition && !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, &Error{Message: fmt.Sprintf("the condition is a value of the type %s, and neither true nor false", t)}
	}
	program, err := env.Program(ast, cel.CostLimit(maxCost), cel.InterruptCheckFrequency(100))
	if err != nil {
		return nil, &Error{Message: briefly(err.Error())}
	}
	return &Program{program, text}, nil
}

// briefly is the first line of a message, without the parser's tables.
func briefly(message string) string {
	message, _, _ = strings.Cut(message, "\n")
	message, _, _ = strings.Cut(message, " expecting {")
	return strings.TrimPrefix(message, "Syntax error: ")
}

// Errors about a body. Like all errors of Holds, they do not quote it.
var (
	ErrNotJSON = errors.New("the body is not JSON")
	ErrNotBool = errors.New("the condition is neither true nor false of this body")
	ErrNotText = errors.New("the value is neither text, a number nor a boolean")
	ErrCost    = errors.New("the condition costs too much on this body")
)

// Holds reports whether the condition is true for a body.
func (p *Program) Holds(ctx context.Context, body []byte) (bool, error) {
	value, err := p.eval(ctx, body)
	if err != nil {
		return false, err
	}
	holds, ok := value.(bool)
	if !ok {
		return false, ErrNotBool
	}
	return holds, nil
}

// Value is the value of the expression for a body, as text.
func (p *Program) Value(ctx context.Context, body []byte) (string, error) {
	value, err := p.eval(ctx, body)
	switch v := value.(type) {
	case string:
		return v, err
	case bool:
		return strconv.FormatBool(v), err
	case int64:
		return strconv.FormatInt(v, 10), err
	case uint64:
		return strconv.FormatUint(v, 10), err
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), err
	}
	if err == nil {
		err = ErrNotText
	}
	return "", err
}

func (p *Program) eval(ctx context.Context, body []byte) (any, error) {
	var value any
	if json.Unmarshal(body, &value) != nil {
		return nil, ErrNotJSON
	}
	result, _, err := p.program.ContextEval(ctx, map[string]any{"body": value})
	if err != nil {
		return nil, p.explain(err)
	}
	return result.Value(), nil
}

// explain says why the condition could not be evaluated, and names a missing key only
// if the condition contains it.
func (p *Program) explain(err error) error {
	if key, found := strings.CutPrefix(err.Error(), "no such key: "); found && strings.Contains(p.text, key) {
		return errors.New("the body has no " + key)
	}
	if strings.Contains(err.Error(), "cost limit") {
		return ErrCost
	}
	return errors.New("the condition cannot be evaluated on this body")
}
