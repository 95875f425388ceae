package promapi

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// The ends of time, for a range without bounds. They are Prometheus' own, which accepts
// them as text even though their years have more than four digits.
var (
	minTime = time.Unix(math.MinInt64/1000+62135596801, 0).UTC()
	maxTime = time.Unix(math.MaxInt64/1000-62135596801, 999999999).UTC()
)

// parseTime reads Unix seconds, possibly fractional, or RFC 3339.
func parseTime(text string) (time.Time, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		whole, fraction := math.Modf(seconds)
		millis := math.Round(fraction * 1000)
		return time.Unix(int64(whole), int64(millis)*int64(time.Millisecond)).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	for _, end := range []time.Time{minTime, maxTime} {
		if text == end.Format(time.RFC3339Nano) {
			return end, nil
		}
	}
	return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", text)
}

// optionalTime reads a parameter, or returns fallback if it is not given.
func optionalTime(r *http.Request, name string, fallback time.Time) (time.Time, error) {
	text := r.FormValue(name)
	if text == "" {
		return fallback, nil
	}
	t, err := parseTime(text)
	if err != nil {
		return t, fmt.Errorf("invalid time value for '%s': %w", name, err)
	}
	return t, nil
}

// parseDuration reads seconds, possibly fractional, or "1h30m".
func parseDuration(text string) (time.Duration, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		nanos := seconds * float64(time.Second)
		if nanos > math.MaxInt64 || nanos < math.MinInt64 {
			return 0, fmt.Errorf("cannot parse %q to a valid duration. It overflows int64", text)
		}
		return time.Duration(nanos), nil
	}
	if d, err := model.ParseDuration(text); err == nil {
		return time.Duration(d), nil
	}
	return 0, fmt.Errorf("cannot parse %q to a valid duration", text)
}

// parseLimit reads how many results are wanted at most; 0 is no limit.
func parseLimit(r *http.Request) (int, error) {
	text := r.FormValue("limit")
	if text == "" {
		return 0, nil
	}
	limit, err := strconv.Atoi(text)
	if err == nil && limit < 0 {
		err = errors.New("limit must be non-negative")
	}
	return limit, err
}

var errTruncated = errors.New("results truncated due to limit")

// limitHint is the limit for the storage: one more than limit, which shows whether the
// result was truncated.
func limitHint(limit int) int {
	if limit > 0 && limit < math.MaxInt {
		return limit + 1
	}
	return limit
}

// optionalNumber reads a parameter, or returns -1 if it is not given.
func optionalNumber(r *http.Request, name string) (int, error) {
	text := r.FormValue(name)
	if text == "" {
		return -1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%s must be a number", name)
	}
	return n, nil
}

// parseMatchers reads series selectors, each of which must have a matcher that
// does not match the empty string.
func (a *api) parseMatchers(selectors []string) ([][]*labels.Matcher, error) {
	sets, err := a.Parser.ParseMetricSelectors(selectors)
	if err != nil {
		return nil, err
	}
next:
	for _, set := range sets {
		for _, m := range set {
			if m != nil && !m.Matches("") {
				continue next
			}
		}
		return nil, errors.New("match[] must contain at least one non-empty matcher")
	}
	return sets, nil
}
