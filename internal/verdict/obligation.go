package verdict

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// lateness returns an exclusion for each time in which the customer was late with an
// obligation that excuses the level. It excuses only the downtime within. By the
// lenient view, lateness that is not agreed on counts too.
func (in Input) lateness(l *sla.ServiceLevel, by view) []exclusion {
	var all []exclusion
	for _, d := range in.late() {
		o := d.Obligation
		if !slices.Contains(o.Excuses, l.ID) || by != lenient && in.open(d.Recorded) != "" {
			continue
		}
		until, _ := d.LateUntil(in.until())
		e := &sla.Exclusion{Name: o.ID, Category: "customer_caused", Effect: sla.TreatAsUp, Pos: o.Pos}
		all = append(all, exclusion{e, sla.Union(sla.Span{From: d.Due, To: until}), true})
	}
	return all
}

// late returns the recorded deliveries that were late in the period, even if they were
// due before it.
func (in Input) late() []sla.Delivery {
	var all []sla.Delivery
	for _, d := range in.Agreement.Deliveries(in.Start, in.End) {
		if _, late := d.LateUntil(in.until()); late && d.Recorded != nil {
			all = append(all, d)
		}
	}
	return all
}

// unsettledLateness names the late obligations that would excuse the level if the
// parties agreed on them.
func (in Input) unsettledLateness(l *sla.ServiceLevel) (why []string) {
	for _, d := range in.late() {
		if slices.Contains(d.Obligation.Excuses, l.ID) && in.open(d.Recorded) != "" {
			why = append(why, fmt.Sprintf("%q: %s", d.Recorded.Name, in.open(d.Recorded)))
		}
	}
	return why
}

// obligations lists what was due in the period, or late in it. Obligations that nobody
// recorded anything about are late from when they are due.
func (r *Report) obligations(in Input) {
	for _, d := range in.Agreement.Deliveries(in.Start, in.until()) {
		_, late := d.LateUntil(in.until())
		o := Obligation{Party: string(d.Obligation.Party), Name: d.Obligation.ID, Due: d.Due.UTC().Format(time.RFC3339), Late: late}
		if !d.Done.IsZero() {
			o.Done = d.Done.UTC().Format(time.RFC3339)
		}
		if late && len(d.Obligation.Excuses) > 0 {
			o.Excused = r.excusedBy(d.Obligation.ID)
		}
		r.Obligations = append(r.Obligations, o)
	}
}

// excusedBy adds up the downtime of all levels that an exclusion excuses, in seconds.
func (r *Report) excusedBy(name string) string {
	var total sla.Decimal
	for _, l := range r.Levels {
		for _, o := range l.Outages {
			for _, x := range o.Excluded {
				if d, err := sla.ParseDecimal(x.Seconds); err == nil && x.Name == name {
					total = total.Add(d)
				}
			}
		}
	}
	return total.Rounded(9)
}

// Restate makes a report the next version of an old one. Both stay as they are. An
// error says why it cannot replace the old one.
func Restate(old, report *Report, reason string) (*Report, error) {
	switch {
	case reason == "":
		return nil, errors.New("a restated report needs a reason; say why it is restated")
	case old.Agreement != report.Agreement || !old.Period.Start.Equal(report.Period.Start) || !old.Period.End.Equal(report.Period.End):
		return nil, fmt.Errorf("the report of %s, %s cannot replace that of %s, %s; restate the same period", report.Agreement, report.Period.Name, old.Agreement, old.Period.Name)
	}
	next := *report
	next.Version, next.Supersedes, next.Reason = old.Version+1, old.Version, reason
	return &next, nil
}
