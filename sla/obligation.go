package sla

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Obligation is something that a party owes the other one.
type Obligation struct {
	ID      string // unique within the agreement
	Party   Party  // who owes it
	Deliver string // what, in words

	// Either By is set: due on a business day after each period of Every.
	By       BusinessDay
	Every    Period
	Calendar *Calendar // whose business days; nil: every day is one
	// Or Before is set, in days: due so many days before each of Dates. Without
	// Dates adjustments say when it was due.
	Before int
	Dates  []Date

	Excuses []ID // levels of which downtime is excused while this is late; customers' only
	Pos     Position
}

// Words say when it is due.
func (o *Obligation) Words() string {
	if o.By > 0 {
		words := "by " + o.By.Words() + " after each " + string(o.Every.Calendar)
		if o.Calendar != nil {
			words += " (" + o.Calendar.Name + ")"
		}
		return words
	}
	var words strings.Builder
	words.WriteString(FormatDuration(time.Duration(o.Before)*day) + " before ")
	for i, d := range o.Dates {
		if i > 0 {
			words.WriteString(", ")
		}
		words.WriteString(d.String())
	}
	if len(o.Dates) == 0 {
		words.WriteString("the time that an adjustment names")
	}
	return words.String()
}

// maxDue limits how many periods are looked at: the weeks of a hundred years.
const maxDue = 5300

// Due returns when it is due in [from, to), ascending: at ends of days in a zone.
func (o *Obligation) Due(from, to time.Time, zone string) []time.Time {
	var due []time.Time
	in := func(t time.Time) bool { return !t.Before(from) && t.Before(to) }
	for _, d := range o.Dates {
		if at := d.add(-o.Before).End(zone); in(at) {
			due = append(due, at)
		}
	}
	if o.By == 0 {
		slices.SortFunc(due, time.Time.Compare)
		return due
	}
	// A business day lies at most a little over three years after its period.
	_, end := o.Every.Bounds(from.AddDate(-4, 0, 0))
	for n := 0; n < maxDue && end.Before(to); n++ {
		if at, ok := o.By.Due(o.Calendar, zone, end); ok && in(at) {
			due = append(due, at)
		}
		_, end = o.Every.Bounds(end)
	}
	slices.SortFunc(due, time.Time.Compare)
	return due
}

// Delivery is what became of one due time of an obligation.
type Delivery struct {
	Obligation *Obligation
	Due        time.Time
	Done       time.Time   // the zero Time: not yet, as far as anybody wrote down
	Recorded   *Adjustment // that says so; nil if none does
}

// LateUntil is the end of the lateness as of now: [Due, end). late is false if it came
// in time, or is not due yet.
func (d Delivery) LateUntil(now time.Time) (end time.Time, late bool) {
	end = now
	if !d.Done.IsZero() {
		end = d.Done
	}
	return end, d.Due.Before(end)
}

// Deliveries returns what became of the obligations that were due, or done, in
// [from, to): what adjustments say about them, and the other due times, about which
// nobody wrote anything. They are ascending by the due time.
func (a *Agreement) Deliveries(from, to time.Time) []Delivery {
	var all []Delivery
	for _, o := range a.Terms.Obligations {
		recorded := map[int64]bool{}
		for _, adj := range a.Adjustments {
			d := adj.Delivered
			if d == nil || d.ID != o.ID || !adj.Effective() {
				continue
			}
			due := d.Due.End(a.Zone)
			recorded[due.Unix()] = true
			if due.Before(to) && (d.Done.IsZero() || d.Done.After(from) || !due.Before(from)) {
				all = append(all, Delivery{o, due, d.Done, adj})
			}
		}
		for _, due := range o.Due(from, to, a.Zone) {
			if !recorded[due.Unix()] {
				all = append(all, Delivery{Obligation: o, Due: due})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y Delivery) int {
		return cmp.Or(x.Due.Compare(y.Due), cmp.Compare(x.Obligation.ID, y.Obligation.ID))
	})
	return all
}
