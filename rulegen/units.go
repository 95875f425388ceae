package rulegen

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/promql"
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

// UnitOf is the unit that a metric's name says, "" if it says none: the last
// one of http_request_duration_seconds, response_latency_ms.
func UnitOf(metric string) sla.TimeUnit {
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
		unit = UnitOf(metric)
	}
	if unit == "" {
		unit = sla.UnitSeconds
	}
	return unit.Of(threshold), unit
}

// BoundWords says how a level's threshold is read from its histogram, "5s is read as
// 5000 milliseconds"; "" where it is read in seconds, or from no histogram.
func BoundWords(i sla.Indicator) string {
	var h sla.HistogramLatency
	switch i := i.(type) {
	case *sla.HistogramLatency:
		h = *i
	case *sla.NativeLatency:
		h = sla.HistogramLatency(*i)
	default:
		return ""
	}
	s, findings := histogramSelector(h.Histogram)
	if findings.HasErrors() {
		return ""
	}
	bound, unit := Bound(s.Name(), h.Unit, h.Threshold)
	if unit == sla.UnitSeconds {
		return ""
	}
	return fmt.Sprintf("%s is read as %s %s", sla.FormatDuration(h.Threshold), bound, unit)
}

// boundOf is Bound of a level's histogram, with what is doubtful about its unit.
func (c compiler) boundOf(q sla.Query, s promql.Selector, given sla.TimeUnit, threshold time.Duration) (sla.Decimal, sla.Findings) {
	bound, _ := Bound(s.Name(), given, threshold)
	if given != "" {
		return bound, nil
	}
	finding := func(severity sla.Severity, message, remedy string) sla.Findings {
		return sla.Findings{{Severity: severity, Rule: "histogram-unit", Pos: q.At(s.Place()), Message: fmt.Sprintf(message, s.Name()), Remedy: remedy}}
	}
	words := wordsOf(strings.ToLower(s.Name()))
	switch last := words[max(0, len(words)-1)]; {
	case slices.Contains(notTime, last):
		return bound, finding(sla.Error, "%s is named as a histogram of "+last+", and a threshold is a duration",
			"name a histogram of durations; if it is one all the same, write what it counts in: unit: seconds")
	case last == "total":
		return bound, finding(sla.Warning, "%s is named as a counter is, not as a histogram of durations",
			"name a histogram by its base name; if it is one all the same, write what it counts in: unit: seconds")
	case UnitOf(s.Name()) == "":
		return bound, finding(sla.Warning, "the name of %s does not say what it counts in, so that it is read as seconds",
			"write it: unit: seconds, or unit: milliseconds")
	}
	return bound, nil
}
