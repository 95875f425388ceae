package verdict_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// drawnAdjustment is something that was written down afterwards.
type drawnAdjustment struct {
	kind      string // claim, dispute, correction
	from, to  time.Time
	provider  bool // it approved
	customer  bool
	withdrawn bool
	filed     int  // day of the month
	claims    int  // of a claim: the claimable exclusion; -1 for one by category
	removes   bool // of a claim by category
	of        int  // of a dispute: the adjustment; below 0 the exclusion -1-of
	state     string
	location  string // of a correction; "" for all
}

// takenOut is something that takes time out.
type takenOut struct {
	removes bool
	downCap time.Duration
	holds   []bool
}

func (w *world) drawAdjustments(r *rand.Rand, caps bool) {
	if r.IntN(2) == 0 {
		return
	}
	for range r.IntN(3) {
		e := drawnExclusion{removes: r.IntN(2) == 0, approval: pick(r, "both", "both", "provider", "customer"), disputeBy: pick(r, 0, 5)}
		switch {
		case caps && r.IntN(2) == 0:
			e.downCap = time.Duration(1+r.IntN(60)) * step
		case r.IntN(3) == 0:
			e.windowCap = time.Duration(1+r.IntN(200)) * step
		}
		w.claimable = append(w.claimable, e)
	}
	for range 1 + r.IntN(4) {
		from := w.focus.Add(time.Duration(r.IntN(int(w.last.Sub(w.focus)/step))-30) * step)
		a := drawnAdjustment{
			kind: pick(r, "claim", "claim", "claim", "correction"), from: from, to: from.Add(time.Duration(1+r.IntN(150)) * step), provider: r.IntN(4) > 0, customer: r.IntN(4) > 0,
			withdrawn: r.IntN(8) == 0, filed: 1 + r.IntN(5), claims: r.IntN(len(w.claimable)+1) - 1, removes: r.IntN(2) == 0, state: pick(r, "good", "bad", "unknown"),
		}
		if w.tree == nil && r.IntN(2) == 0 {
			a.location = pick(r, w.locations...)
		}
		if n := len(w.adjustments); n > 0 && r.IntN(3) == 0 { // the same time again
			a.kind, a.from, a.to, a.location = w.adjustments[n-1].kind, w.adjustments[n-1].from, w.adjustments[n-1].to, w.adjustments[n-1].location
		}
		w.adjustments = append(w.adjustments, a)
	}
	for claims := len(w.adjustments); r.IntN(2) == 0; {
		a := drawnAdjustment{kind: "dispute", of: r.IntN(claims), provider: r.IntN(3) > 0, customer: r.IntN(3) > 0, withdrawn: r.IntN(6) == 0, filed: 4 + r.IntN(8)}
		if len(w.exclusions) > 0 && r.IntN(2) == 0 {
			a.of = -1 - r.IntN(len(w.exclusions))
			a.from = w.focus.Add(time.Duration(r.IntN(int(w.last.Sub(w.focus)/step))) * step)
			a.to = a.from.Add(time.Duration(1+r.IntN(150)) * step)
		}
		w.adjustments = append(w.adjustments, a)
	}
}

// approved returns whether those approved who must.
func (w *world) approved(a drawnAdjustment, mutation string) bool {
	who := "both"
	if a.kind == "claim" && a.claims >= 0 {
		who = w.claimable[a.claims].approval
	}
	provider, customer := a.provider || mutation == "filing is approval", a.customer
	if mutation == "one approval is enough" {
		return provider || customer
	}
	return (provider || who == "customer") && (customer || who == "provider")
}

// disputes returns whether somebody disputes an adjustment, and whether both agree on
// that.
func (w *world) disputes(k int, mutation string) (some, both bool) {
	for _, d := range w.adjustments {
		if d.kind != "dispute" || d.of != k || d.withdrawn && mutation != "withdrawn adjustments count" {
			continue
		}
		of := w.adjustments[k]
		if by := 5; of.kind == "claim" && of.claims >= 0 && w.claimable[of.claims].disputeBy > 0 && d.filed-of.filed > by && mutation != "late disputes count" {
			continue
		}
		some, both = true, both || w.approved(d, mutation)
	}
	return some, both
}

// takenOut is all that takes time out by a view: the exclusions, then what is claimed.
func (j *judging) takenOut() []takenOut {
	if j.view == "raw" {
		return nil
	}
	var all []takenOut
	for k, e := range j.exclusions {
		all = append(all, takenOut{e.removes, e.downCap, j.uncontested(k, j.held(e))})
	}
	at := map[int]int{} // of all, by claimable exclusion
	var claims []drawnExclusion
	for k, a := range j.adjustments {
		if a.kind != "claim" || !j.counts(k) {
			continue
		}
		i, known := at[a.claims]
		if !known || a.claims < 0 || j.mutated("claims have a cap each") {
			e := drawnExclusion{removes: a.removes}
			if a.claims >= 0 {
				e = j.claimable[a.claims]
			}
			if i = len(claims); j.mutated("claims have no caps") {
				e.downCap, e.windowCap = 0, 0
			}
			claims = append(claims, e)
			at[a.claims] = i
		}
		c := &claims[i]
		c.from, c.to, c.announced = append(slices.Clone(c.from), a.from), append(slices.Clone(c.to), a.to), append(slices.Clone(c.announced), a.from)
	}
	for _, c := range claims {
		all = append(all, takenOut{c.removes, c.downCap, j.held(c)})
	}
	for _, x := range all {
		for i := range x.holds {
			x.holds[i] = x.holds[i] && (j.inForce(i) || j.mutated("exclusions hold before the agreement"))
		}
	}
	return all
}

// counts returns whether a claim counts by the view.
func (j *judging) counts(k int) bool {
	a := j.adjustments[k]
	disputed, givenUp := j.disputes(k, j.mutation)
	switch {
	case a.withdrawn && !j.mutated("withdrawn adjustments count"):
		return false
	case givenUp && !j.mutated("claims that both gave up are open"):
		return j.mutated("disputed claims count")
	case j.view == "lenient":
		return true
	}
	return j.approved(a, j.mutation) && (!disputed || j.mutated("disputed claims count"))
}

// uncontested takes away where an exclusion of the agreement does not hold.
func (j *judging) uncontested(k int, holds []bool) []bool {
	for _, d := range j.adjustments {
		if d.kind != "dispute" || d.of != -1-k || d.withdrawn && !j.mutated("withdrawn adjustments count") {
			continue
		}
		givenUp := j.approved(d, j.mutation) && !j.mutated("exclusions that both gave up hold")
		if j.view != "strict" && !givenUp && !j.mutated("contested exclusions hold nothing") {
			continue
		}
		for i := range holds {
			holds[i] = holds[i] && (j.at(i).Before(d.from) || !j.at(i).Before(d.to))
		}
	}
	return holds
}

// corrected is the world with what the parties agreed that was measured, and with the
// period that a mutation has.
func (w *world) corrected(mutation string) *world {
	c := w.bounded(mutation)
	c.places = make([][]measured, len(w.places))
	for p := range w.places {
		c.places[p] = slices.Clone(w.places[p])
	}
	adjustments := slices.Clone(w.adjustments)
	order := make([]int, len(adjustments))
	for k := range order {
		order[k] = k
	}
	if mutation == "the first correction holds" {
		slices.Reverse(order)
	}
	for _, k := range order {
		a := adjustments[k]
		disputed, _ := w.disputes(k, mutation)
		open := disputed && mutation != "disputed claims count" || !w.approved(a, mutation) && mutation != "corrections need no approval"
		if a.kind != "correction" || open || a.withdrawn && mutation != "withdrawn adjustments count" {
			continue
		}
		for p := range c.places {
			if a.location == "" || w.locations[p] == a.location || mutation == "corrections are of all places" {
				w.correct(c.places[p], a, w.method == "time" && w.tree == nil || w.tree != nil && w.kinds[p] == "condition", mutation)
			}
		}
	}
	return c
}

func (w *world) correct(steps []measured, a drawnAdjustment, bySeconds bool, mutation string) {
	for i, m := range steps {
		if at := w.origin.Add(time.Duration(i) * step); at.Before(a.from) || !at.Before(a.to) {
			continue
		}
		if bySeconds || mutation == "corrected counts are gone" {
			m = measured{is: stepKnown, total: 1}
		}
		if m.is != stepKnown {
			continue
		}
		switch a.state {
		case "unknown":
			m = measured{is: stepMissing}
		case "bad":
			m.bad = m.total
		default:
			m.bad = 0
		}
		steps[i] = m
	}
}

// addAdjustments puts them into an agreement.
func (w *world) addAdjustments(a *sla.Agreement) {
	for i, e := range w.claimable {
		x := w.exclusion(e)
		x.Name, x.Category, x.Claim = fmt.Sprint("c", i), "other", &sla.Claim{Approval: sla.ApprovalRule(e.approval), DisputeBy: e.disputeBy}
		a.OnClaim = append(a.OnClaim, x)
	}
	a.Levels[0].OnClaim = a.OnClaim
	for k, d := range w.adjustments {
		x := &sla.Adjustment{Name: fmt.Sprint("a", k), Agreement: a.Name, By: sla.ByProvider, Filed: sla.Date{Year: 2026, Month: 12, Day: d.filed}}
		if d.provider {
			x.Approvals = append(x.Approvals, sla.PartyApproval{Party: sla.ByProvider})
		}
		if d.customer {
			x.Approvals = append(x.Approvals, sla.PartyApproval{Party: sla.ByCustomer})
		}
		if d.withdrawn {
			x.Withdrawn = sla.Date{Year: 2026, Month: 12, Day: 30}
		}
		reach := sla.Reach{Span: sla.Span{From: d.from, To: d.to}}
		switch d.kind {
		case "claim":
			x.Excluded = &sla.ExcludedTime{Reach: reach, Category: "other", Effect: effectOf(d.removes)}
			if d.claims >= 0 {
				of := a.OnClaim[d.claims]
				x.Excluded.Exclusion, x.Excluded.Effect, x.Excluded.Claim = of.Name, of.Effect, *of.Claim
			}
		case "correction":
			x.Corrected = &sla.Correction{Reach: reach, State: sla.Observed(d.state)}
			if d.location != "" {
				x.Corrected.Labels = map[string]string{"location": d.location}
			}
		case "dispute":
			x.Disputed = &sla.Dispute{Reach: reach}
			if d.of >= 0 {
				x.Disputed.OfAdjustment = a.Adjustments[d.of]
				x.Disputed.Of = x.Disputed.OfAdjustment.Name
			} else {
				x.Disputed.Of = a.Exclusions[-1-d.of].Name
			}
		}
		a.Adjustments = append(a.Adjustments, x)
	}
}

func effectOf(removes bool) sla.Effect {
	if removes {
		return sla.RemoveFromAgreedTime
	}
	return sla.TreatAsUp
}
