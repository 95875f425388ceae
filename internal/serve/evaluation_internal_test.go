package serve

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
)

// While the clock is behind the last evaluation rules read nothing, what fires goes
// on, and its receivers are told so.
func TestAlertsStayWhileTheClockIsBehind(t *testing.T) {
	dir := t.TempDir()
	db, err := openStorage(dir, 24*time.Hour, 0, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := newWrites(db, dir, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	down, asked, sent := true, 0, []rules.Alert{}
	notify := func(_ context.Context, _ string, alerts ...*rules.Alert) {
		for _, a := range alerts {
			sent = append(sent, *a)
		}
	}
	expr, err := parser.NewParser(parser.Options{}).ParseExpr("down == 1")
	if err != nil {
		t.Fatal(err)
	}
	group := rules.NewGroup(rules.GroupOptions{
		Name: "g", Interval: time.Minute,
		Rules: []rules.Rule{rules.NewAlertingRule("Down", expr, 0, 0, labels.EmptyLabels(), labels.EmptyLabels(), labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))},
		Opts: &rules.ManagerOptions{
			Appendable: w, Queryable: db, NotifyFunc: notify, ResendDelay: resendDelay, Logger: slog.New(slog.DiscardHandler), Context: context.Background(),
			QueryFunc: func(_ context.Context, _ string, at time.Time) (promql.Vector, error) {
				asked++
				if !down {
					return nil, nil
				}
				return promql.Vector{{T: at.UnixMilli(), F: 1, Metric: labels.FromStrings("__name__", "down")}}, nil
			},
		},
	})
	evaluate, now := evaluation(w, notify), time.Now().Truncate(time.Minute)
	evaluate(context.Background(), group, now)
	if asked != 1 || len(sent) != 1 {
		t.Fatalf("asked %d times, sent %v", asked, sent)
	}
	down = false // as the storage says of an hour ago
	for back := time.Hour; back > 0; back -= 20 * time.Minute {
		evaluate(context.Background(), group, now.Add(-back))
	}
	if asked != 1 || len(sent) != 4 {
		t.Fatalf("asked %d times, sent %v", asked, sent)
	}
	for _, a := range sent {
		if !a.ResolvedAt.IsZero() || a.ValidUntil.Before(now.Add(resendDelay)) {
			t.Errorf("sent as over at %s, valid until %s; it is %s", a.ResolvedAt, a.ValidUntil, now)
		}
	}
	evaluate(context.Background(), group, now.Add(time.Minute))
	if last := sent[len(sent)-1]; asked != 2 || last.ResolvedAt.IsZero() {
		t.Errorf("once the clock is where it was: asked %d times, sent %v", asked, last)
	}
}

// However many groups are due at once, some are evaluated at a time, so that pages
// find a place for their queries.
func TestGroupsTakeTurns(t *testing.T) {
	db, err := openStorage(t.TempDir(), 24*time.Hour, 0, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := newWrites(db, t.TempDir(), slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	expr, err := parser.NewParser(parser.Options{}).ParseExpr("vector(1)")
	if err != nil {
		t.Fatal(err)
	}
	var running, most atomic.Int32
	notify := func(context.Context, string, ...*rules.Alert) {}
	options := &rules.ManagerOptions{
		Appendable: w, Queryable: db, NotifyFunc: notify, Logger: slog.New(slog.DiscardHandler), Context: context.Background(),
		QueryFunc: func(context.Context, string, time.Time) (promql.Vector, error) {
			n := running.Add(1)
			defer running.Add(-1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				continue
			}
			time.Sleep(5 * time.Millisecond)
			return nil, nil
		},
	}
	evaluate := evaluation(w, notify)
	var all sync.WaitGroup
	for i := range 10 * groupsAtOnce {
		group := rules.NewGroup(rules.GroupOptions{
			Name: strconv.Itoa(i), Interval: time.Minute, Opts: options,
			Rules: []rules.Rule{rules.NewRecordingRule("x", expr, labels.EmptyLabels())},
		})
		all.Go(func() { evaluate(context.Background(), group, time.Now()) })
	}
	all.Wait()
	if got := most.Load(); got > groupsAtOnce || got == 0 {
		t.Errorf("%d groups were evaluated at a time, at most %d should be", got, groupsAtOnce)
	}
}
