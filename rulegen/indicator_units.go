package rulegen

import (
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// What a histogram counts in is said by a word of its name.

// unitWords are the words for units of time. Those that are short mean one only
// at the end of a name.
var unitWords = []struct {
	unit  sla.TimeUnit
	words []string
	short []string
}{
	{"nanoseconds", []string{"nanoseconds", "nanosecond", "nanos"}, []string{"nsec", "ns"}},
	{"microseconds", []string{"microseconds", "microsecond", "micros"}, []string{"usecs", "usec", "us"}},
	{"milliseconds", []string{"milliseconds", "millisecond", "millis"}, []string{"msecs", "msec", "ms"}},
	{sla.UnitSeconds, []string{"seconds", "second", "secs"}, []string{"sec", "s"}},
	{"minutes", []string{"minutes"}, nil},
	{"hours", []string{"hours"}, nil},
}

// envoyTimes ends the names of Envoy's histograms of requests, which are in
// milliseconds and do not say so.
const envoyTimes = "_rq_time"

// notTime are words at the end of names of what is no duration.
var notTime = []string{"bytes", "bits", "ratio", "percent", "celsius", "volts", "amperes", "joules", "grams", "meters"}

// unitOf is the unit that a metric's name says, "" if it says none: the last
// one of http_request_duration_seconds, response_latency_ms.
func unitOf(metric string) sla.TimeUnit {
	name := strings.ToLower(metric)
	if strings.HasSuffix(name, envoyTimes) {
		return "milliseconds"
	}
	words := wordsOf(name)
	for i, word := range slices.Backward(words) {
		for _, u := range unitWords {
			if slices.Contains(u.words, word) || i > 0 && i == len(words)-1 && slices.Contains(u.short, word) {
				return u.unit
			}
		}
	}
	return ""
}

func wordsOf(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '.' || r == ':' || r == '-' || r == '/' })
}

// Bound is a threshold in what a histogram counts in: the unit that is given, or
// that its name says, or seconds.
func Bound(metric string, given sla.TimeUnit, threshold time.Duration) (bound sla.Decimal, unit sla.TimeUnit) {
	unit = given
	if unit == "" {
		unit = unitOf(metric)
	}
	if unit == "" {
		unit = sla.UnitSeconds
	}
	return unit.Of(threshold), unit
}
