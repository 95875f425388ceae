package promql

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
)

// GivenValue is one value of a series in promtool's notation.
type GivenValue struct {
	Value float64
	// Omitted is set for "_": there is no sample. Stale is set for "stale": the series
	// ends there.
	Omitted, Stale bool
}

// maxGivenValues bounds the values of one series.
const maxGivenValues = 1_000_000

var repeated = regexp.MustCompile(`x\s*([0-9]+)`)

// ParseMetric reads the name and labels of a series: name{label="value"}.
func ParseMetric(text string) (Metric, error) {
	l, err := language.ParseMetric(text)
	if err != nil {
		return nil, err
	}
	if l.Get(labels.MetricName) == "" {
		return nil, fmt.Errorf("%q has no name", text)
	}
	return Metric(l.Map()), nil
}

// ParseValues reads values in the notation of promtool's tests: "0+10x40 5 _x3 stale".
// Native histograms are refused.
func ParseValues(text string) ([]GivenValue, error) {
	_, values, err := ParseSeries("given " + text)
	return values, err
}

// ParseSeries reads a series with its values, in promtool's notation for one line:
// name{label="value"} 0+10x40.
func ParseSeries(text string) (Metric, []GivenValue, error) {
	total := 0
	for _, m := range repeated.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[1])
		if total += n; err != nil || n > maxGivenValues || total > maxGivenValues {
			return nil, nil, fmt.Errorf("these are more than %d values", maxGivenValues)
		}
	}
	l, values, err := language.ParseSeriesDesc(text)
	if err != nil {
		return nil, nil, err
	}
	if l.Get(labels.MetricName) == "" {
		return nil, nil, fmt.Errorf("the series has no name")
	}
	var all []GivenValue
	for _, v := range values {
		switch {
		case v.Histogram != nil:
			return nil, nil, fmt.Errorf("values of native histograms are not read")
		case v.Omitted:
			all = append(all, GivenValue{Omitted: true})
		default:
			all = append(all, GivenValue{Value: v.Value, Stale: value.IsStaleNaN(v.Value)})
		}
	}
	if len(all) == 0 {
		return nil, nil, fmt.Errorf("there are no values")
	}
	return Metric(l.Map()), all, nil
}
