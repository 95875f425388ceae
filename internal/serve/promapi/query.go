package promapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/stats"
)

// maxPoints is how many points a series of a range query may have: a week at a
// minute, a year at an hour.
const maxPoints = 11000

func (a *api) query(r *http.Request) result {
	limit, err := parseLimit(r)
	if err != nil {
		return badParameter("limit", err)
	}
	at, err := optionalTime(r, "time", a.now())
	if err != nil {
		return badParameter("time", err)
	}
	return a.exec(r, limit, 0, func(ctx context.Context, opts promql.QueryOpts) (promql.Query, error) {
		return a.Engine.NewInstantQuery(ctx, a.Queryable, opts, r.FormValue("query"), at)
	})
}

func (a *api) queryRange(r *http.Request) result {
	limit, err := parseLimit(r)
	if err != nil {
		return badParameter("limit", err)
	}
	start, err := parseTime(r.FormValue("start"))
	if err != nil {
		return badParameter("start", err)
	}
	end, err := parseTime(r.FormValue("end"))
	if err != nil {
		return badParameter("end", err)
	}
	if end.Before(start) {
		return badParameter("end", errors.New("end timestamp must not be before start time"))
	}
	step, err := parseDuration(r.FormValue("step"))
	if err != nil {
		return badParameter("step", err)
	}
	if step <= 0 {
		return badParameter("step", errors.New("zero or negative query resolution step widths are not accepted. Try a positive integer"))
	}
	if end.Sub(start)/step > maxPoints {
		return fail(badData, errors.New("exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"))
	}
	return a.exec(r, limit, end.Sub(start), func(ctx context.Context, opts promql.QueryOpts) (promql.Query, error) {
		return a.Engine.NewRangeQuery(ctx, a.Queryable, opts, r.FormValue("query"), start, end, step)
	})
}

// exec runs a query with the timeout, lookback and limit of the request. span is the
// time between the query's first and last moment.
func (a *api) exec(r *http.Request, limit int, span time.Duration, prepare func(context.Context, promql.QueryOpts) (promql.Query, error)) result {
	ctx := r.Context()
	if text := r.FormValue("timeout"); text != "" {
		wait, err := parseDuration(text)
		if err != nil {
			return badParameter("timeout", err)
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, wait)
		defer cancel()
	}
	var lookback time.Duration
	if text := r.FormValue("lookback_delta"); text != "" {
		var err error
		if lookback, err = parseDuration(text); err != nil {
			return fail(badData, fmt.Errorf("error parsing lookback delta duration: %w", err))
		}
	}
	if expr, err := a.Parser.ParseExpr(r.FormValue("query")); err == nil { // otherwise the engine reports the error
		if err := checkSteps(expr, span, a.SubqueryStep); err != nil {
			return badParameter("query", err)
		}
	}
	wanted := r.FormValue("stats")
	query, err := prepare(ctx, promql.NewPrometheusQueryOpts(wanted == "all", lookback))
	if err != nil {
		return badParameter("query", err)
	}
	found := query.Exec(ctx)
	if found.Err != nil {
		query.Close()
		return failed(found.Err)
	}
	res := result{warnings: found.Warnings, done: query.Close}
	data := queryData{value: found.Value}
	if limit > 0 && truncate(&data.value, limit) {
		res.warnings = res.warnings.Add(errTruncated)
	}
	if wanted != "" {
		data.stats = stats.NewQueryStats(query.Stats())
	}
	res.data = data
	return res
}

// truncate cuts vectors and matrices to the limit, and reports whether it had to.
func truncate(value *parser.Value, limit int) bool {
	switch v := (*value).(type) {
	case promql.Vector:
		if len(v) > limit {
			*value = v[:limit]
			return true
		}
	case promql.Matrix:
		if len(v) > limit {
			*value = v[:limit]
			return true
		}
	}
	return false
}

func (a *api) queryExemplars(r *http.Request) result {
	start, err := optionalTime(r, "start", minTime)
	if err != nil {
		return badParameter("start", err)
	}
	end, err := optionalTime(r, "end", maxTime)
	if err != nil {
		return badParameter("end", err)
	}
	if end.Before(start) {
		return fail(badData, errors.New("end timestamp must not be before start timestamp"))
	}
	expr, err := a.Parser.ParseExpr(r.FormValue("query"))
	if err != nil {
		return fail(badData, err)
	}
	selectors := parser.ExtractSelectors(expr)
	if len(selectors) == 0 {
		return result{}
	}
	querier, err := a.Exemplars.ExemplarQuerier(r.Context())
	if err != nil {
		return failed(err)
	}
	found, err := querier.Select(timestamp.FromTime(start), timestamp.FromTime(end), selectors...)
	if err != nil {
		return failed(err)
	}
	return result{data: exemplarData(found)}
}

func (a *api) formatQuery(r *http.Request) result {
	expr, err := a.Parser.ParseExpr(r.FormValue("query"))
	if err != nil {
		return badParameter("query", err)
	}
	return result{data: expr.Pretty(0)}
}
