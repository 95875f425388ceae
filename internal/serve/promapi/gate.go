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

// gate lets a limited number of calls read the storage at a time, and others wait for
// their turn. Rules and pages do not pass it, so queries never delay them.
type gate struct {
	running chan struct{}
	waiting chan struct{}
	wait    time.Duration
}

// How many calls wait at the gate at most, and how long.
const (
	waitingCalls = 100
	waitingTime  = 30 * time.Second
)

func newGate(running int) *gate {
	return &gate{make(chan struct{}, running), make(chan struct{}, waitingCalls), waitingTime}
}

var errBusy = errors.New("too many queries are running or waiting; try again later")

// enter waits for a turn. Call leave afterwards unless it returns an error.
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

// retryAfter is after how many seconds a client may return that found the gate closed.
const retryAfter = 10

// through lets a call through the gate. The call leaves the gate only when its client
// has read the response, because an unread response takes memory too.
func (g *gate) through(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Read the form first, so that a slow client does not hold a turn. The call
		// itself reports what is wrong with the form.
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

// readable limits a query to a few times what dashboards ask for.
var readable = querysize.Limits{Bytes: 64 << 10, Operators: 1_000, Nesting: 200}

// maxSteps is how many steps a subquery may have. The engine allocates memory for each
// step before it counts samples: "up[10000w:1ms]" would take all memory.
const maxSteps = 1_000_000

// checkSteps refuses subqueries with more steps. span is the time from the first to the
// last evaluation of the expression, interval the step of subqueries without one.
func checkSteps(node parser.Node, span, interval time.Duration) error {
	if sub, ok := node.(*parser.SubqueryExpr); ok {
		step := sub.Step
		if step <= 0 {
			step = max(interval, time.Second)
		}
		if sub.Range > math.MaxInt64-span { // a sum that overflows is too many steps, too
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

// checkSize refuses queries and selectors that take too long to parse.
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
