package sla

import (
	"slices"
	"strings"
	"time"
)

// The name of a histogram says its unit in one of its words.

// unitWords are the words for units of time. Short ones mean a unit only at the
// end of a name.
var unitWords = []struct {
	unit  TimeUnit
	words []string
	short []string
}{
	{"nanoseconds", []string{"nanoseconds", "nanosecond", "nanos"}, []string{"nsec", "ns"}},
	{"microseconds", []string{"microseconds", "microsecond", "micros"}, []string{"usecs", "usec", "us"}},
	{"milliseconds", []string{"milliseconds", "millisecond", "millis"}, []string{"msecs", "msec", "ms"}},
	{UnitSeconds, []string{"seconds", "second", "secs"}, []string{"sec", "s"}},
	{"minutes", []string{"minutes"}, nil},
	{"hours", []string{"hours"}, nil},
}

// envoyTimes ends the names of Envoy's histograms of requests, which are in
// milliseconds and do not say so.
const envoyTimes = "_rq_time"

// HistogramUnit is the unit that a metric's name says, "" if it says none: the last
// one of http_request_duration_seconds, response_latency_ms.
func HistogramUnit(metric string) TimeUnit {
	name := strings.ToLower(metric)
	if strings.HasSuffix(name, envoyTimes) {
		return "milliseconds"
	}
	words := MetricWords(name)
	for i, word := range slices.Backward(words) {
		for _, u := range unitWords {
			if slices.Contains(u.words, word) || i > 0 && i == len(words)-1 && slices.Contains(u.short, word) {
				return u.unit
			}
		}
	}
	return ""
}

// MetricWords are the words of a metric's name: http_request_seconds has three.
func MetricWords(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '.' || r == ':' || r == '-' || r == '/' })
}

// HistogramBound is a threshold in the unit of a histogram: the given one, or the one in
// its name, or seconds.
func HistogramBound(metric string, given TimeUnit, threshold time.Duration) (bound Decimal, unit TimeUnit) {
	unit = given
	if unit == "" {
		unit = HistogramUnit(metric)
	}
	if unit == "" {
		unit = UnitSeconds
	}
	return unit.Of(threshold), unit
}
