package promapi

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/internal/querysize"
)

// gate lets so many calls at a time read the storage, and so many others wait for
// their turn. It is theirs alone: rules and pages do not pass it, so that no
// number of queries holds them up.
type gate struct {
	running chan struct{}
	waiting chan struct{}
	wait    time.Duration
}

// What waits at the gate, at most, and how long.
const (
	waitingCalls = 100
	waitingTime  = 30 * time.Second
)

func newGate(running int) *gate {
	return &gate{make(chan struct{}, running), make(chan struct{}, waitingCalls), waitingTime}
}

var errBusy = errors.New("too many queries are running or waiting; try again later")

// enter waits for a turn; leave must be called after it unless there is an error.
func (g *gate) enter(ctx context.Context) error {
	select {
	case g.running <- struct{}{}:
		return nil
	default:
	}
	select {
	case g.waiting <- struct{}{}:
		defer func() { <-g.waiting }()
	default:
		return errBusy
	}
	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	select {
	case g.running <- struct{}{}:
		return nil
	case <-timer.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) leave() { <-g.running }

// retryAfter is when a client that found the gate closed may come again, in seconds.
const retryAfter = 10

// through lets a call through the gate. The call leaves it only when its client has
// read the response, because a waiting response takes memory too.
func (g *gate) through(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A client that does not send what it asks takes nobody's turn. What is wrong
		// with the form is told by the call.
		_ = r.ParseForm()
		if err := g.enter(r.Context()); err != nil {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintf(w, `{"status":"error","errorType":%q,"error":%q}`, unavailable.name, err.Error())
			return
		}
		defer g.leave()
		next.ServeHTTP(w, r)
	})
}

// readable is what a query may have: some times what dashboards ask.
var readable = querysize.Limits{Bytes: 64 << 10, Operators: 1_000, Nesting: 200}

// maxSteps is how many steps a subquery may have. The engine makes room for each
// before it counts samples: one of "up[10000w:1ms]" would take all memory.
const maxSteps = 1_000_000

// checkSteps refuses subqueries of more steps. span is the time from the first to
// the last moment at which the expression is evaluated, interval the step of
// subqueries that give none.
func checkSteps(node parser.Node, span, interval time.Duration) error {
	if sub, ok := node.(*parser.SubqueryExpr); ok {
		step := sub.Step
		if step <= 0 {
			step = max(interval, time.Second)
		}
		if sub.Range > math.MaxInt64-span { // a sum that does not fit is too many steps, too
			return errSteps
		}
		if span += sub.Range; span/step > maxSteps {
			return errSteps
		}
	}
	for child := range parser.ChildrenIter(node) {
		if err := checkSteps(child, span, interval); err != nil {
			return err
		}
	}
	return nil
}

var errSteps = fmt.Errorf("a subquery has more than %d steps: make its range shorter or its step longer", maxSteps)

// maxSelectors is how many match[] a call may have.
const maxSelectors = 100

// checkSize refuses queries and selectors that take long to be read.
func checkSize(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("error parsing form values: %w", err)
	}
	if n := len(r.Form["match[]"]); n > maxSelectors {
		return fmt.Errorf("%d match[] are more than the %d that are read", n, maxSelectors)
	}
	for _, query := range append(r.Form["match[]"], r.FormValue("query")) {
		if err := readable.Check(query); err != nil {
			return err
		}
	}
	return nil
}
