package rulegen

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// indicator is an indicator with all that rules know of its kind; sla has what
// needs no rules. Each kind makes its own in its own file.
type indicator struct {
	// count makes the two series that the indicator is counted into.
	count func(counting) ([]Rule, sla.Findings)
	// increases says how its counters are summed, where sums are made of increases;
	// nil where they are made of rates.
	increases func(counting) countable
	// lint finds counts that cannot be what is meant; nil where nothing is
	// looked for.
	lint func() sla.Findings
	// saysGood is set if what is good is counted, so that all else is bad.
	saysGood bool
	// exceeds is set if more good events may be counted than events.
	exceeds bool
	// extrapolated is set if rates of minutes are extrapolated, as those of
	// windows are: no differences of such series are taken.
	extrapolated bool
	// byOutcome is set of probes if each bad result is one that failed.
	byOutcome bool
	// probedBy is the level that defines the probe whose failures are counted; nil of a
	// kind that has no probe of ours.
	probedBy func(level) sla.ID
	// results are the last results of what is probed; nil of a kind that has none.
	results func(counting) lastResults
	// inexact says what of the figures is not exact, "" if nothing.
	inexact string
	// bound says how a threshold is read, "" if as it is written.
	bound string

	// What a composite has beside others.

	// whole is how bad it is now as far as that is known, from 0 to 1, and how
	// constants of that come about.
	whole func(level) (bad promql.Expr, words []string)
	// measured is the series that is there while it is measured; "" if that
	// follows from how it is counted.
	measured string
	// components count the raw series of others; nil if the level has its own.
	components func(level) []counting
	// tallies are what is summed for it beside total and bad.
	tallies []metricnames.Tally
	// ofMinutes and ofPeriod are rules beside those of its minutes, and of a period.
	ofMinutes func(level) []Rule
	ofPeriod  func(period) []Rule
	// trail is how long after its last sample it still counts as measured, 0 if
	// that follows from how it is counted.
	trail time.Duration
	// tell adds to what its alerts say.
	tell func(level, Rule)
	// why is what its burn alerts name as the cause; nil if that is the bad share, or the
	// reason of failed probes.
	why func(burning) string
}

// indicatorOf is the table of all kinds.
func indicatorOf(i sla.Indicator) indicator {
	switch i := i.(type) {
	case *sla.Probe:
		return ofProbe(i)
	case *sla.SharedProbe:
		return ofSharedProbe(i)
	case *sla.ProbeLatency:
		return ofProbeLatency(i)
	case *sla.Events:
		return ofEvents(i)
	case *sla.HistogramLatency:
		return ofHistogram(i)
	case *sla.NativeLatency:
		return ofNative(i)
	case *sla.Condition:
		return ofCondition(i)
	case *sla.Ratio:
		return ofRatio(i)
	case *sla.Blackbox:
		return ofBlackbox(i)
	case *sla.Composite:
		return ofComposite(i)
	}
	return indicator{count: func(c counting) ([]Rule, sla.Findings) {
		return nil, sla.Findings{{
			Severity: sla.Error, Rule: "unsupported-indicator", Pos: c.Pos,
			Message: fmt.Sprintf("no rules are known for the indicator %q", i.Kind()),
		}}
	}}
}

// BoundWords says how a level's threshold is read from its histogram, "5s is read as
// 5000 milliseconds"; "" where it is read in seconds, or from no histogram.
func BoundWords(i sla.Indicator) string { return indicatorOf(i).bound }
