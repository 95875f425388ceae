package sla

import (
	"fmt"
	"slices"
	"time"
)

// Aggregation is how measurements become one number.
type Aggregation string

// The aggregations.
const (
	// RequestRatio is bad events over all events: every request weighs the same
	// (OpenSLO Occurrences).
	RequestRatio Aggregation = "request_ratio"
	// Time is bad time over known time: every second weighs the same, no matter how many
	// probes it had (ITIL availability).
	Time Aggregation = "time"
	// MeanSlotErrorRate is the mean of the error rates of all slots, no matter how much
	// traffic they have (Amazon S3, Azure Storage; OpenSLO RatioTimeslices).
	MeanSlotErrorRate Aggregation = "mean_slot_error_rate"
	// BadMinute is the share of minutes with an error rate above a threshold (GitHub,
	// Atlassian; OpenSLO Timeslices).
	BadMinute Aggregation = "bad_minute"
	// QualifiedRun is BadMinute, but bad minutes count only in runs of a minimum length
	// (Google Cloud Spanner).
	QualifiedRun Aggregation = "qualified_run"
	// AllFailedMinute is the share of minutes with attempts that all failed (Amazon RDS,
	// Azure SQL Database).
	AllFailedMinute Aggregation = "all_failed_minute"
	// SlotQuantile is the share of slots in which a quantile of the response times is
	// above the threshold.
	SlotQuantile Aggregation = "slot_quantile"
)

// Counted is the unit that an aggregation adds up.
type Counted int

// The units.
const (
	CountsEvents  Counted = iota + 1 // requests, or probes
	CountsSeconds                    // known seconds; a probe counts for its interval
	CountsMinutes                    // clock minutes
	CountsSlots                      // clock-aligned slots of five minutes or more
)

// aggregation is one aggregation with everything that the model knows about it. Its
// rules are in rulegen.
type aggregation struct {
	name   Aggregation
	counts Counted
	// judges is set if the aggregation has a rule that makes each minute or slot good or
	// bad. Otherwise a slot is as bad as the share of its bad events.
	judges   bool
	required []string // keys of its options in a specification
	optional []string
	doc      string             // what it does, for the reference
	words    func(Slots) string // what a level counts, for people
}

// aggregations is the table of all aggregations.
var aggregations = []aggregation{
	{
		name: Time, counts: CountsSeconds, optional: []string{"weight", "outage"},
		doc: "every second counts the same",
		words: func(Slots) string {
			return "by time: bad seconds over known seconds; inconclusive and missed probes are neither"
		},
	},
	{
		name: RequestRatio, counts: CountsEvents,
		doc:   "every event does",
		words: func(Slots) string { return "by event: bad events over all events" },
	},
	{
		name: MeanSlotErrorRate, counts: CountsSlots, optional: []string{"slot", "minRequests", "emptySlot"},
		doc: "the mean of the error rates of slots",
		words: func(s Slots) string {
			return fmt.Sprintf("the mean of the error rates of all slots of %s, whatever their traffic", FormatDuration(s.Width))
		},
	},
	{
		name: BadMinute, counts: CountsMinutes, judges: true,
		required: []string{"errorThreshold"}, optional: []string{"minRequests", "emptySlot", "quorum", "weight", "outage"},
		doc: "minutes with more errors than a threshold",
		words: func(s Slots) string {
			return fmt.Sprintf("minutes with more than %s %% errors over all minutes", s.ErrorThreshold)
		},
	},
	{
		name: QualifiedRun, counts: CountsMinutes, judges: true,
		required: []string{"errorThreshold", "minRun"}, optional: []string{"minRequests", "emptySlot", "quorum", "outage"},
		doc: "such minutes, if enough of them follow each other",
		words: func(s Slots) string {
			return fmt.Sprintf("minutes with more than %s %% errors, in runs of at least %s, over all minutes", s.ErrorThreshold, FormatDuration(s.MinRun))
		},
	},
	{
		name: AllFailedMinute, counts: CountsMinutes, judges: true, optional: []string{"minRequests", "emptySlot", "quorum", "weight", "outage"},
		doc:   "minutes in which everything failed",
		words: func(Slots) string { return "minutes in which all attempts failed over all minutes" },
	},
	{
		name: SlotQuantile, counts: CountsSlots, judges: true, required: []string{"quantile"}, optional: []string{"minRequests", "emptySlot"},
		doc: "slots of five minutes in which a quantile of the response times is above the threshold",
		words: func(s Slots) string {
			return fmt.Sprintf("slots of %s whose %s quantile is above the threshold over all slots", FormatDuration(s.Width), s.Quantile)
		},
	},
}

// The aggregations of each kind of indicator, the default first.

func ofEvents() []Aggregation {
	return []Aggregation{RequestRatio, MeanSlotErrorRate, BadMinute, QualifiedRun, AllFailedMinute}
}

func ofHistogram() []Aggregation {
	return []Aggregation{RequestRatio, MeanSlotErrorRate, BadMinute, QualifiedRun, SlotQuantile}
}

func ofProbes() []Aggregation {
	return []Aggregation{Time, RequestRatio, BadMinute, QualifiedRun, AllFailedMinute}
}

func ofConditions() []Aggregation { return []Aggregation{Time, QualifiedRun} }

func ofRatios() []Aggregation { return []Aggregation{Time, BadMinute, QualifiedRun} }

func ofGauges() []Aggregation { return []Aggregation{Time} }

// Aggregations are all aggregations.
func Aggregations() []Aggregation {
	all := make([]Aggregation, len(aggregations))
	for i, a := range aggregations {
		all[i] = a.name
	}
	return all
}

// facets returns the table's line, and an empty one for a level whose aggregation could
// not be read.
func (a Aggregation) facets() aggregation {
	i := slices.IndexFunc(aggregations, func(f aggregation) bool { return f.name == a })
	if i < 0 {
		return aggregation{}
	}
	return aggregations[i]
}

// Counts returns the unit that the aggregation adds up.
func (a Aggregation) Counts() Counted { return a.facets().counts }

// ByTime returns whether the unit is time rather than events.
func (a Aggregation) ByTime() bool { return a.Counts() != CountsEvents }

// Judges returns whether the aggregation has a rule that makes each minute or slot good
// or bad. Otherwise a slot is as bad as the share of its bad events.
func (a Aggregation) Judges() bool { return a.facets().judges }

// Options returns the keys of required and of optional options in a specification.
func (a Aggregation) Options() (required, optional []string) {
	f := a.facets()
	return f.required, f.optional
}

// Doc says what the aggregation does, for the reference.
func (a Aggregation) Doc() string { return a.facets().doc }

// DefaultSlots returns the Slots of the aggregation without options.
func (a Aggregation) DefaultSlots() Slots {
	switch a.Counts() {
	case CountsMinutes:
		return Slots{Width: time.Minute}
	case CountsSlots:
		return Slots{Width: BaseWindow}
	}
	return Slots{}
}

// Slots are the options of an aggregation over slots of time. Fields that the
// aggregation does not use are zero.
type Slots struct {
	Width          time.Duration // a minute, or more for MeanSlotErrorRate and SlotQuantile
	ErrorThreshold Decimal       // percent: a minute is bad above it (BadMinute, QualifiedRun)
	MinRequests    int64         // in a slot; a slot with fewer counts as empty
	MinRun         time.Duration // shortest run of bad minutes that counts (QualifiedRun)
	Quantile       Decimal       // 0.95 (SlotQuantile)
	EmptyUnknown   bool          // an empty slot is unknown, otherwise good
	Weight         Query         // PromQL for the share, 0 to 1, that a bad minute counts; empty: it counts in full
	Quorum         int64         // of probes: how many locations must find a minute bad; 0: their probes are added up
}

// AggregationWords describes how the level's measurements become one number.
func (l *ServiceLevel) AggregationWords() string {
	if w := traitsOf(l.Indicator).aggregation; w != "" {
		return w
	}
	words := l.Aggregation.facets().words(l.Slots)
	if l.Aggregation.Counts() == CountsSeconds && l.MissingData != MissingExcluded {
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
