package sla

import (
	"slices"
	"time"
)

// Adjustment is something that the parties wrote down after the fact: time that does not
// count, a dispute, a correction of what was measured, whether an obligation was
// fulfilled, or the cause of an outage. Exactly one of Excluded, Disputed, Corrected,
// Delivered and Cause is set.
type Adjustment struct {
	Name      string // unique among those of the agreement
	Agreement string
	Filed     Date
	By        Party
	Reason    string
	Evidence  []string // files, URLs, or words; they are not read
	Approvals []PartyApproval
	Withdrawn Date // the zero Date: it was not
	Excluded  *ExcludedTime
	Disputed  *Dispute
	Corrected *Correction
	Delivered *DeliveryRecord
	Cause     *Cause
	Pos       Position
}

// PartyApproval is that somebody approved for a party.
type PartyApproval struct {
	Party Party
	Name  string
	On    Date
	Why   string
}

// Reach is the time of some levels.
type Reach struct {
	Span
	Levels []ID // all of the agreement if it is empty
}

// Covers returns whether a level is meant.
func (r Reach) Covers(level ID) bool { return len(r.Levels) == 0 || slices.Contains(r.Levels, level) }

// ExcludedTime claims that time does not count.
type ExcludedTime struct {
	Reach
	Exclusion string // the exclusion of the agreement that is claimed; "" for one that it does not name
	Category  string
	Effect    Effect
	Claim     Claim
}

// Dispute says that a party does not accept an adjustment, or an exclusion of the
// agreement in some time.
type Dispute struct {
	Reach        // of an exclusion
	Of    string // the name of the adjustment or exclusion
	// OfAdjustment is the disputed adjustment, nil if an exclusion is disputed.
	OfAdjustment *Adjustment
}

// Observed is what a correction says about its time.
type Observed string

// What corrections say.
const (
	WasGood    Observed = "good"
	WasBad     Observed = "bad"
	WasUnknown Observed = "unknown"
)

// AllObserved are all of them.
var AllObserved = []Observed{WasGood, WasBad, WasUnknown}

// Correction replaces what was measured.
type Correction struct {
	Reach
	State  Observed
	Labels map[string]string // only of places with these labels; empty: all
}

// DeliveryRecord says what became of an obligation.
type DeliveryRecord struct {
	ID   string
	Due  Date      // the day at whose end it was due
	Done time.Time // the zero Time: not yet
}

// CauseParty says who caused something.
type CauseParty string

// CauseParties are all of them. Unknown counts against the provider, until an exclusion
// is approved.
var CauseParties = []CauseParty{"provider", "customer", "third_party", "force_majeure", "unknown"}

// Cause says why levels were down.
type Cause struct {
	Reach
	By   CauseParty
	What string
}

// Effective returns whether the adjustment was not withdrawn.
func (a *Adjustment) Effective() bool { return a.Withdrawn.IsZero() }

// Kind is what the adjustment is, in a word.
func (a *Adjustment) Kind() string {
	switch {
	case a.Excluded != nil:
		return "exclusion"
	case a.Disputed != nil:
		return "dispute"
	case a.Corrected != nil:
		return "correction"
	case a.Delivered != nil:
		return "obligation"
	}
	return "cause"
}

// Rule says who must approve the adjustment.
func (a *Adjustment) Rule() ApprovalRule {
	if a.Excluded != nil && a.Excluded.Claim.Approval != "" {
		return a.Excluded.Claim.Approval
	}
	return DefaultApproval
}

// Lacking returns the parties that must approve the adjustment and did not.
func (a *Adjustment) Lacking() []Party { return a.Rule().Lacking(a.Approvals) }

// InTime returns whether a dispute was filed early enough: within the disputeBy of the
// exclusion that the disputed adjustment claims.
func (a *Adjustment) InTime() bool {
	d := a.Disputed
	if d == nil || d.OfAdjustment == nil || d.OfAdjustment.Excluded == nil || d.OfAdjustment.Excluded.Claim.DisputeBy == 0 {
		return true
	}
	return a.Filed.DaysSince(d.OfAdjustment.Filed) <= d.OfAdjustment.Excluded.Claim.DisputeBy
}

// DisputedBy returns the disputes of an adjustment that count: in time and not
// withdrawn.
func (a *Adjustment) DisputedBy(all []*Adjustment) []*Adjustment {
	return slices.DeleteFunc(slices.Clone(all), func(other *Adjustment) bool {
		return other.Disputed == nil || other.Disputed.OfAdjustment != a || !other.Effective() || !other.InTime()
	})
}

// Accepted returns whether an adjustment is a dispute that all required parties approved,
// so that the disputed adjustment or exclusion does not hold.
func (a *Adjustment) Accepted() bool { return a.Disputed != nil && len(a.Lacking()) == 0 }

// Void returns whether a dispute of the adjustment is accepted, so that nobody claims it
// any more.
func (a *Adjustment) Void(all []*Adjustment) bool {
	return slices.ContainsFunc(a.DisputedBy(all), (*Adjustment).Accepted)
}
