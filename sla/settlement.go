package sla

import (
	"fmt"
	"strings"
	"time"
)

// Settlement are the terms of a level that only verdicts follow: rules that evaluate
// minute by minute cannot hold them. The zero value has none.
type Settlement struct {
	Outage        OutageRule
	NotSeen       MissingData   // what time not seen by the server counts as
	MinCoverage   Decimal       // percent of agreed time that must be measured; 0: any
	BelowCoverage BelowCoverage // what holds below MinCoverage
	Partial       PartialPeriod
	FixedMinutes  int64 // length that every period counts as, whatever the calendar; 0: its true length
}

// OutageRule says when bad time is an outage. With ConfirmAfter or RecoverAfter only
// outages count as bad.
type OutageRule struct {
	ConfirmAfter time.Duration // how long it must be bad without a break; 0: at once
	// FromConfirmation is set if an outage begins when it is confirmed, and not with the
	// first bad moment.
	FromConfirmation bool
	RecoverAfter     time.Duration // how long it must be good without a break; the outage then ends with the first good moment
	MergeGap         time.Duration // outages with less than this between them are one; what lies between stays good
	Minimum          time.Duration // shorter outages, after merging, do not count
}

// Confirms returns whether the rule changes what is bad, and does not only group it.
func (o OutageRule) Confirms() bool {
	return o.ConfirmAfter > 0 || o.RecoverAfter > 0 || o.Minimum > 0
}

// Words describe the rule: "after 3m of bad time, backdated; ...". They are empty for the
// zero value.
func (o OutageRule) Words() string {
	if o == (OutageRule{}) {
		return ""
	}
	words := []string{"an outage begins with the first bad moment"}
	switch {
	case o.ConfirmAfter > 0 && o.FromConfirmation:
		words[0] = "an outage begins after " + FormatDuration(o.ConfirmAfter) + " of bad time"
	case o.ConfirmAfter > 0:
		words[0] += ", if " + FormatDuration(o.ConfirmAfter) + " without a break are bad"
	}
	if o.RecoverAfter > 0 {
		words = append(words, "it ends with the first good moment of "+FormatDuration(o.RecoverAfter)+" without a bad one")
	}
	if o.MergeGap > 0 {
		words = append(words, "outages less than "+FormatDuration(o.MergeGap)+" apart are one")
	}
	if o.Minimum > 0 {
		words = append(words, "those shorter than "+FormatDuration(o.Minimum)+" do not count")
	}
	return strings.Join(words, "; ")
}

// BelowCoverage is what holds if too little was measured.
type BelowCoverage string

// The choices.
const (
	InsufficientData BelowCoverage = "insufficient_data" // there is no verdict
	CountsAsBreach   BelowCoverage = "breached"          // the promise counts as broken
)

// AllBelowCoverage are all choices, the default first.
var AllBelowCoverage = []BelowCoverage{InsufficientData, CountsAsBreach}

// PartialPeriod is what the part of a period counts as in which the agreement is not in
// force.
type PartialPeriod string

// The choices.
const (
	ProRata   PartialPeriod = ""           // it does not count
	AssumeUp  PartialPeriod = "assume_up"  // it counts as good (Amazon RDS)
	NotScored PartialPeriod = "not_scored" // the whole period has no verdict
)

// proRata is how a specification writes ProRata.
const proRata = "pro_rata"

// partialPeriods is the table of all choices.
var partialPeriods = []struct {
	choice PartialPeriod
	text   string
	doc    string
}{
	{ProRata, proRata, "that part does not count"},
	{AssumeUp, string(AssumeUp), "that part counts as good"},
	{NotScored, string(NotScored), "the whole period has no verdict"},
}

// PartialPeriods are the choices as a specification writes them, the default first.
func PartialPeriods() []string {
	texts := make([]string, len(partialPeriods))
	for i, p := range partialPeriods {
		texts[i] = p.text
	}
	return texts
}

// ParsePartialPeriod is the choice that is written as text.
func ParsePartialPeriod(text string) PartialPeriod {
	for _, p := range partialPeriods {
		if p.text == text {
			return p.choice
		}
	}
	return ProRata
}

// PartialPeriodDoc describes the choices, for the reference.
func PartialPeriodDoc() string {
	sentences := make([]string, len(partialPeriods))
	for i, p := range partialPeriods {
		sentences[i] = "`" + p.text + "`: " + p.doc + "."
	}
	return strings.Join(sentences, " ")
}

// Words are the terms in words, one each, for people.
func (s Settlement) Words() []string {
	var words []string
	if text := s.Outage.Words(); text != "" {
		words = append(words, text)
	}
	if s.NotSeen != MissingExcluded {
		words = append(words, "time that the server did not see counts as "+string(s.NotSeen))
	}
	if s.MinCoverage.Sign() > 0 {
		below := "there is no verdict"
		if s.BelowCoverage == CountsAsBreach {
			below = "the promise counts as broken"
		}
		words = append(words, fmt.Sprintf("below a coverage of %s %% %s", s.MinCoverage, below))
	}
	if s.FixedMinutes > 0 {
		words = append(words, fmt.Sprintf("every period counts as %d minutes", s.FixedMinutes))
	}
	for _, p := range partialPeriods {
		if p.choice == s.Partial && s.Partial != ProRata {
			words = append(words, "of a period in which the agreement is not always in force, "+p.doc)
		}
	}
	return words
}

// Declared is a promise without a number: it is reported, and never scored.
type Declared struct {
	Service, Name string
	Description   string
	Pos           Position
}

// VerdictKey is a key of a specification that only verdicts follow.
type VerdictKey struct {
	Key string
	Pos Position
}
