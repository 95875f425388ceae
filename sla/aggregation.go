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

// Counted is what an aggregation adds up.
type Counted int

// What may be counted.
const (
	CountsEvents  Counted = iota + 1 // requests, or probes
	CountsSeconds                    // known seconds; a probe stands for its interval
	CountsMinutes                    // minutes of the clock
	CountsSlots                      // slots of the clock of five minutes or more
)

// aggregation is one aggregation with all that the model knows of it. What rules
// are made of it is in rulegen.
type aggregation struct {
	name   Aggregation
	counts Counted
	// judges is set if each minute or slot is good or bad by a rule of the
	// aggregation. Without it one is as bad as the share of its events that is.
	judges   bool
	required []string // keys of its options in a specification
	optional []string
	doc      string             // what it does, for the reference
	words    func(Slots) string // what a level with it counts, for people
}

// aggregations is the table of all aggregations.
var aggregations = []aggregation{
	{
		name: Time, counts: CountsSeconds, optional: []string{"weight"},
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
		required: []string{"errorThreshold"}, optional: []string{"minRequests", "emptySlot", "quorum", "weight"},
		doc: "minutes with more errors than a threshold",
		words: func(s Slots) string {
			return fmt.Sprintf("minutes with more than %s %% errors over all minutes", s.ErrorThreshold)
		},
	},
	{
		name: QualifiedRun, counts: CountsMinutes, judges: true,
		required: []string{"errorThreshold", "minRun"}, optional: []string{"minRequests", "emptySlot", "quorum"},
		doc: "such minutes, if enough of them follow each other",
		words: func(s Slots) string {
			return fmt.Sprintf("minutes with more than %s %% errors, in runs of at least %s, over all minutes", s.ErrorThreshold, FormatDuration(s.MinRun))
		},
	},
	{
		name: AllFailedMinute, counts: CountsMinutes, judges: true, optional: []string{"minRequests", "emptySlot", "quorum", "weight"},
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

// Which aggregations suit which indicators, the default first.

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

// facets are what the table says of an aggregation; nothing of that of a level
// whose own could not be read.
func (a Aggregation) facets() aggregation {
	i := slices.IndexFunc(aggregations, func(f aggregation) bool { return f.name == a })
	if i < 0 {
		return aggregation{}
	}
	return aggregations[i]
}

// Counts is what it adds up.
func (a Aggregation) Counts() Counted { return a.facets().counts }

// ByTime tells whether the unit is time rather than events.
func (a Aggregation) ByTime() bool { return a.Counts() != CountsEvents }

// Judges tells whether each minute or slot is good or bad by a rule of the
// aggregation, rather than as bad as the share of its events that is.
func (a Aggregation) Judges() bool { return a.facets().judges }

// Options are the keys of the options that it must have, and may have, in a
// specification.
func (a Aggregation) Options() (required, optional []string) {
	f := a.facets()
	return f.required, f.optional
}

// Doc says what it does, in half a sentence of the reference.
func (a Aggregation) Doc() string { return a.facets().doc }

// DefaultSlots are those of an aggregation without options.
func (a Aggregation) DefaultSlots() Slots {
	switch a.Counts() {
	case CountsMinutes:
		return Slots{Width: time.Minute}
	case CountsSlots:
		return Slots{Width: BaseWindow}
	}
	return Slots{}
}

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
