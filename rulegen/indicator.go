package rulegen

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// indicator is what rules need to know about a kind of indicator; sla has the
// rest. Each kind has its own file.
type indicator struct {
	// count makes the two series that the indicator is counted into.
	count func(counting) ([]Rule, sla.Findings)
	// increases says how its counters are summed if sums are made of increases; nil
	// if they are made of rates.
	increases func(counting) countable
	// lint finds counts that cannot be meant; nil if there is nothing to look
	// for.
	lint func() sla.Findings
	// saysGood is set if good events are counted, so that all else is bad.
	saysGood bool
	// exceeds is set if more good events may be counted than events.
	exceeds bool
	// extrapolated is set if rates of minutes are extrapolated, as those of
	// windows are: no differences of such series are taken.
	extrapolated bool
	// byOutcome is set for probes if every bad result is a failed probe.
	byOutcome bool
	// probedBy is the level that defines the probe whose failures are counted; nil for
	// a kind without a probe of ours.
	probedBy func(level) sla.ID
	// results are the last results of the probes; nil for a kind without them.
	results func(counting) lastResults
	// inexact says which figures are not exact, "" if all are.
	inexact string
	// bound says how a threshold is read, "" if as it is written.
	bound string

	// The following are of composites only.

	// whole is how bad the composite is now, from 0 to 1, as far as that is
	// known; words explain its constants.
	whole func(level) (bad promql.Expr, words []string)
	// measured names the series that exists while it is measured; "" if that
	// follows from how it is counted.
	measured string
	// components count the components' raw series; nil if the level has its own.
	components func(level) []counting
	// tallies are those beside total and bad.
	tallies []metricnames.Tally
	// ofMinutes and ofPeriod make more rules about minutes, and about a period.
	ofMinutes func(level) []Rule
	ofPeriod  func(period) []Rule
	// trail is how long after its last sample it still counts as measured, 0 if
	// that follows from how it is counted.
	trail time.Duration
	// tell adds to what its alerts say.
	tell func(level, Rule)
	// why names the cause in its burn alerts; nil if that is the bad share, or the reason
	// of failed probes.
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
