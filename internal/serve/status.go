package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"

	"github.com/upheld-sla/upheld/internal/httpguard"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/statuspage"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// statusSource is the statuspage.Source over the storage. One goroutine asks it.
type statusSource struct {
	*source
	settled map[sla.ID]*settledStates
}

func newStatusSource(s *server) statusSource {
	return statusSource{newSource(s), map[sla.ID]*settledStates{}}
}

// publicLevels is a selector of the levels that an agreement's status page shows.
func publicLevels(a *sla.Agreement) string {
	var services, slos []string
	for _, l := range a.StatusPage.Levels {
		services, slos = append(services, regexp.QuoteMeta(l.Level.Service)), append(slos, regexp.QuoteMeta(l.Level.SLO))
	}
	either := func(names []string) string {
		slices.Sort(names)
		return strings.Join(slices.Compact(names), "|")
	}
	return fmt.Sprintf("{%s=%q, %s=~%q, %s=~%q}", metricnames.SLA, a.Name, metricnames.Service, either(services), metricnames.SLO, either(slos))
}

// byLevel joins the groups of a level.
const byLevel = " by (" + metricnames.SLA + ", " + metricnames.Service + ", " + metricnames.SLO + ") "

// badShare is the expression of the bad share of five minutes: of all groups together,
// or of the worst group if only the shares of groups are recorded, as in the demo's
// past.
func badShare(a *sla.Agreement) string {
	of := publicLevels(a)
	return "sum" + byLevel + "(" + metricnames.BadRate + of + ") / (sum" + byLevel + "(" + metricnames.TotalRate + of + ") > 0)" +
		" or max" + byLevel + "(" + metricnames.ErrorRatio + sla.FormatDuration(sla.BaseWindow) + of + ")"
}

// States are the current states of the public levels: the recorded one of the worst
// group, or else by the bad share of the last five minutes.
func (src statusSource) States(ctx context.Context, a *sla.Agreement) (map[sla.ID]sla.State, error) {
	now := time.Now()
	recorded, err := src.query(ctx, "max"+byLevel+"("+metricnames.ServiceState+publicLevels(a)+")", now, now, time.Minute, src.recent())
	if err != nil {
		return nil, err
	}
	shares, err := src.query(ctx, badShare(a), now, now, time.Minute, src.recent())
	if err != nil {
		return nil, err
	}
	states := map[sla.ID]sla.State{}
	for _, l := range a.Levels {
		code, bad := lastOf(recorded[l.ID]), lastOf(shares[l.ID])
		if state, ok := sla.StateOf(code.Value); code.Known && ok {
			states[l.ID] = state
		} else if bad.Known {
			states[l.ID] = stateByShare(l, bad.Value)
		}
	}
	return states, nil
}

func lastOf(points []promql.FPoint) web.Figure {
	if len(points) == 0 {
		return web.Figure{}
	}
	return web.Known(points[len(points)-1].F)
}

// Tallies are the counts of each step.
func (src statusSource) Tallies(ctx context.Context, a *sla.Agreement, from, to time.Time, step time.Duration) (map[sla.ID][]statuspage.Tally, error) {
	sums := func(name string) (map[sla.ID][]promql.FPoint, error) {
		return src.query(ctx, fmt.Sprintf("sum%s(sum_over_time(%s%s[%s]))", byLevel, name, publicLevels(a), model.Duration(step)), from.Add(step), to, step, 0)
	}
	totals, err := sums(metricnames.TotalIncrease)
	if err != nil {
		return nil, err
	}
	bad, err := sums(metricnames.BadIncrease)
	if err != nil {
		return nil, err
	}
	tallies := map[sla.ID][]statuspage.Tally{}
	for id, points := range totals {
		failed := map[int64]float64{}
		for _, p := range bad[id] {
			failed[p.T] = p.F
		}
		for _, p := range points {
			end := time.UnixMilli(p.T)
			tallies[id] = append(tallies[id], statuspage.Tally{Start: end.Add(-step), End: end, Total: p.F, Bad: failed[p.T]})
		}
	}
	return tallies, nil
}

// recent is how old a sample of the first layer may be.
func (src statusSource) recent() time.Duration { return max(2*src.s.RulesInterval, time.Minute) }

// query is a range query by level. An empty range has no points.
func (src statusSource) query(ctx context.Context, query string, start, end time.Time, step, lookback time.Duration) (map[sla.ID][]promql.FPoint, error) {
	found := map[sla.ID][]promql.FPoint{}
	if end.Before(start) {
		return found, nil
	}
	q, err := src.s.engine.NewRangeQuery(ctx, src.s.db, promql.NewPrometheusQueryOpts(false, lookback), query, start, end, step)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	defer q.Close()
	matrix, err := q.Exec(ctx).Matrix()
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	for _, s := range matrix {
		found[idOf(s.Metric)] = append([]promql.FPoint(nil), s.Floats...) // the engine reuses its result
	}
	return found, nil
}

// startRendering renders the status pages as often as figures change, but at most every
// few seconds.
func (s *server) startRendering(parts *parts) error {
	const quickest = 5 * time.Second
	pages, err := statuspage.New(statuspage.Options{
		Source: newStatusSource(s),
		Logger: s.Logger.With("component", "status pages"),
		Every:  min(max(s.RulesInterval, quickest), statuspage.DefaultEvery),
	})
	if err != nil {
		return fmt.Errorf("status pages: %w", err)
	}
	s.status.Store(pages)
	rendering, stop := context.WithCancel(context.Background())
	parts.add("status pages", func() error { return pages.Run(rendering) }, func() error { stop(); return nil })
	return nil
}

// startStatus serves only the status pages, on their own address if there is one.
func (s *server) startStatus(parts *parts) error {
	if s.StatusListenAddress == "" {
		return nil
	}
	listener, err := net.Listen("tcp", s.StatusListenAddress)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --status.listen-address", err)
	}
	const anyHost = ":0" // public pages may be requested by any name
	guarded, err := httpguard.New(http.HandlerFunc(s.serveStatus), httpguard.Options{Listen: anyHost})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s.serveOn(parts, "server of status pages", listener, guarded, "")
	s.Logger.Info("Status pages", "address", listener.Addr().String())
	if s.StatusReady != nil {
		s.StatusReady("http://" + listener.Addr().String())
	}
	return nil
}

func (s *server) serveStatus(w http.ResponseWriter, r *http.Request) {
	pages := s.status.Load()
	if pages == nil {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "The status pages are being made.", http.StatusServiceUnavailable)
		return
	}
	pages.ServeHTTP(w, r)
}
