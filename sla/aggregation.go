package sla

import (
	"fmt"
	"time"
)

// Aggregation is how measurements become one number.
type Aggregation string

// The aggregations.
const (
	// RequestRatio is bad events over all events: every request weighs the same
	// (OpenSLO Occurrences).
	RequestRatio Aggregation = "request_ratio"
	// Time is bad time over known time: every second weighs the same, however
	// many probes fell into it (ITIL availability).
	Time Aggregation = "time"
	// MeanSlotErrorRate is the mean of the error rates of all slots, whatever
	// their traffic (Amazon S3, Azure Storage; OpenSLO RatioTimeslices).
	MeanSlotErrorRate Aggregation = "mean_slot_error_rate"
	// BadMinute is the share of minutes whose error rate is above a threshold
	// (GitHub, Atlassian; OpenSLO Timeslices).
	BadMinute Aggregation = "bad_minute"
	// QualifiedRun is BadMinute, where bad minutes count only in runs of a
	// minimum length (Google Cloud Spanner).
	QualifiedRun Aggregation = "qualified_run"
	// AllFailedMinute is the share of minutes in which there were attempts and
	// all failed (Amazon RDS, Azure SQL Database).
	AllFailedMinute Aggregation = "all_failed_minute"
	// SlotQuantile is the share of slots whose quantile of response times is
	// above the threshold.
	SlotQuantile Aggregation = "slot_quantile"
)

// ByTime tells whether the unit is time rather than events.
func (a Aggregation) ByTime() bool { return a != RequestRatio }

// Slots say how an aggregation over slots of time judges one of them. Fields
// that the aggregation does not use are zero.
type Slots struct {
	Width          time.Duration // a minute, or more for MeanSlotErrorRate and SlotQuantile
	ErrorThreshold Decimal       // percent: a minute is bad above it (BadMinute, QualifiedRun)
	MinRequests    int64         // in a slot; with fewer it is as if empty
	MinRun         time.Duration // of consecutive bad minutes from which on they count (QualifiedRun)
	Quantile       Decimal       // 0.95 (SlotQuantile)
	EmptyUnknown   bool          // an empty slot is unknown; else it is good
	Weight         Query         // PromQL of the share of customers, or of anything, that a bad minute counts for; in full if empty
	Quorum         int64         // locations that must agree that a minute is bad, of probes; 0: they are added up
}

// AggregationWords say how the level's measurements become one number.
func (l *ServiceLevel) AggregationWords() string {
	if _, composite := l.Indicator.(*Composite); composite {
		return "by time: bad minutes over known minutes"
	}
	words := aggregationWords[l.Aggregation](l.Slots)
	if l.Aggregation == Time && l.MissingData != MissingExcluded {
		words = "by time: bad seconds over known and missing seconds"
	}
	if l.Slots.Weight.Text != "" {
		words += ", each bad one weighed by " + l.Slots.Weight.Text
	}
	if l.Slots.MinRequests > 0 {
		words += fmt.Sprintf("; one with fewer than %d requests counts as empty", l.Slots.MinRequests)
	}
	if l.Slots.Quorum > 0 {
		return words + fmt.Sprintf("; as seen from at least %d locations, and unknown while fewer report", l.Slots.Quorum)
	}
	if l.Slots.Width > 0 && l.Slots.EmptyUnknown {
		words += "; an empty one is unknown"
	} else if l.Slots.Width > 0 {
		words += "; an empty one is good"
	}
	return words
}

var aggregationWords = map[Aggregation]func(Slots) string{
	RequestRatio: func(Slots) string { return "by event: bad events over all events" },
	Time: func(Slots) string {
		return "by time: bad seconds over known seconds; inconclusive and missed probes are neither"
	},
	MeanSlotErrorRate: func(s Slots) string {
		return fmt.Sprintf("the mean of the error rates of all slots of %s, whatever their traffic", FormatDuration(s.Width))
	},
	BadMinute: func(s Slots) string {
		return fmt.Sprintf("minutes with more than %s %% errors over all minutes", s.ErrorThreshold)
	},
	QualifiedRun: func(s Slots) string {
		return fmt.Sprintf("minutes with more than %s %% errors, in runs of at least %s, over all minutes", s.ErrorThreshold, FormatDuration(s.MinRun))
	},
	AllFailedMinute: func(Slots) string { return "minutes in which all attempts failed over all minutes" },
	SlotQuantile: func(s Slots) string {
		return fmt.Sprintf("slots of %s whose %s quantile is above the threshold over all slots", FormatDuration(s.Width), s.Quantile)
	},
}
