package promapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// selection says for what series, labels and label values are asked.
type selection struct {
	limit    int
	start    int64 // milliseconds
	end      int64
	matchers [][]*labels.Matcher
}

// selection reads the parameters. badMatchers makes the answer to bad selectors, which
// differs between series and the others.
func (a *api) selection(r *http.Request, badMatchers func(error) result) (selection, *result) {
	limit, err := parseLimit(r)
	if err != nil {
		res := badParameter("limit", err)
		return selection{}, &res
	}
	start, err := optionalTime(r, "start", minTime)
	if err != nil {
		res := badParameter("start", err)
		return selection{}, &res
	}
	end, err := optionalTime(r, "end", maxTime)
	if err != nil {
		res := badParameter("end", err)
		return selection{}, &res
	}
	matchers, err := a.parseMatchers(r.Form["match[]"])
	if err != nil {
		res := badMatchers(err)
		return selection{}, &res
	}
	return selection{limit, timestamp.FromTime(start), timestamp.FromTime(end), matchers}, nil
}

func (a *api) series(r *http.Request) result {
	if err := r.ParseForm(); err != nil {
		return fail(badData, fmt.Errorf("error parsing form values: %w", err))
	}
	if len(r.Form["match[]"]) == 0 {
		return fail(badData, errors.New("no match[] parameter provided"))
	}
	sel, bad := a.selection(r, func(err error) result { return badParameter("match[]", err) })
	if bad != nil {
		return *bad
	}
	querier, err := a.Queryable.Querier(sel.start, sel.end)
	if err != nil {
		return failed(err)
	}
	hints := &storage.SelectHints{Start: sel.start, End: sel.end, Func: "series", Limit: limitHint(sel.limit)}
	sets := make([]storage.SeriesSet, 0, len(sel.matchers))
	for _, matchers := range sel.matchers {
		// Only a merge needs its inputs in order.
		sets = append(sets, querier.Select(r.Context(), len(sel.matchers) > 1, hints, matchers...))
	}
	set := sets[0]
	if len(sets) > 1 {
		set = storage.NewMergeSeriesSet(sets, 0, storage.ChainedSeriesMerge)
	}
	res := result{done: func() { _ = querier.Close() }}
	found := []labels.Labels{}
	for set.Next() {
		if sel.limit > 0 && len(found) == sel.limit {
			res.warnings = res.warnings.Add(errTruncated)
			break
		}
		found = append(found, set.At().Labels())
	}
	if err := errors.Join(set.Err(), r.Context().Err()); err != nil {
		res.done()
		return failed(err)
	}
	res.warnings.Merge(set.Warnings())
	res.data = found
	return res
}

func (a *api) labelNames(r *http.Request) result {
	return a.strings(r, func(ctx context.Context, q storage.Querier, h *storage.LabelHints, ms ...*labels.Matcher) ([]string, annotations.Annotations, error) {
		return q.LabelNames(ctx, h, ms...)
	})
}

func (a *api) labelValues(r *http.Request) result {
	name := r.PathValue("name")
	if strings.HasPrefix(name, "U__") {
		name = model.UnescapeName(name, model.ValueEncodingEscaping)
	}
	if !model.UTF8Validation.IsValidLabelName(name) {
		return fail(badData, fmt.Errorf("invalid label name: %q", name))
	}
	return a.strings(r, func(ctx context.Context, q storage.Querier, h *storage.LabelHints, ms ...*labels.Matcher) ([]string, annotations.Annotations, error) {
		return q.LabelValues(ctx, name, h, ms...)
	})
}

// strings calls ask for names or values once for each set of matchers, or once without
// any, and answers with their sorted union.
func (a *api) strings(r *http.Request, ask func(context.Context, storage.Querier, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error)) result {
	sel, bad := a.selection(r, func(err error) result { return fail(badData, err) })
	if bad != nil {
		return *bad
	}
	querier, err := a.Queryable.Querier(sel.start, sel.end)
	if err != nil {
		return failed(err)
	}
	// The strings may point into memory that the querier holds.
	res := result{done: func() { _ = querier.Close() }}
	hints := &storage.LabelHints{Limit: limitHint(sel.limit)}
	if len(sel.matchers) == 0 {
		sel.matchers = [][]*labels.Matcher{nil}
	}
	found := []string{}
	for _, matchers := range sel.matchers {
		some, notes, err := ask(r.Context(), querier, hints, matchers...)
		if err != nil {
			res.done()
			return failed(err)
		}
		res.warnings.Merge(notes)
		found = append(found, some...)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if sel.limit > 0 && len(found) > sel.limit {
		found = found[:sel.limit]
		res.warnings = res.warnings.Add(errTruncated)
	}
	res.data = found
	return res
}
