package sla

import (
	"slices"
	"time"
)

// Effect is what an exclusion does to the time that it holds.
type Effect string

// The effects.
const (
	// TreatAsUp takes what is bad for good: the time stays agreed time (AWS, Twilio).
	TreatAsUp Effect = "treat_as_up"
	// RemoveFromAgreedTime takes the time out of the agreed service time, good
	// and bad (ITIL).
	RemoveFromAgreedTime Effect = "remove_from_agreed_time"
)

// effect is an effect with all that is known of it.
type effect struct {
	name    Effect
	removes bool   // the time is no agreed time; else it stays, and what is bad in it is good
	words   string // what becomes of the time, for people
	doc     string // the same at length, for the reference
}

// effects is the table of all effects.
var effects = []effect{
	{TreatAsUp, false, "treated as up", "failures count as good"},
	{RemoveFromAgreedTime, true, "removed from the agreed time", "the time does not count at all, good or bad, and the budget shrinks with it"},
}

// Effects are all effects.
func Effects() []Effect {
	all := make([]Effect, len(effects))
	for i, f := range effects {
		all[i] = f.name
	}
	return all
}

func (e Effect) facets() effect {
	i := slices.IndexFunc(effects, func(f effect) bool { return f.name == e })
	if i < 0 {
		return effect{}
	}
	return effects[i]
}

// Words say what becomes of the time: "treated as up".
func (e Effect) Words() string { return e.facets().words }

// Doc says what becomes of the time, in a sentence of the reference.
func (e Effect) Doc() string { return e.facets().doc }

// Categories are the reasons that contracts know for what is excluded.
var Categories = []string{
	"customer_caused", "force_majeure", "suspension_under_agreement", "third_party", "beyond_demarcation", "beta", "throttling", "other",
}

// MaintenanceName is the name of the exclusion that maintenance windows are.
const MaintenanceName = "maintenance"

// Exclusion is time that the provider does not answer for: windows, or while a
// PromQL condition holds.
type Exclusion struct {
	Name      string
	Category  string // of Categories, or MaintenanceName
	Condition Query  // Text "" if it has windows
	Windows   []*Window
	Notice    time.Duration // that one-off windows need, unless they are emergencies; 0 needs none
	Effect    Effect
	Cap       *Cap // nil: there is no bound
	Pos       Position
}

// Removes tells whether the exclusion takes its time out of the agreed time; else
// the time stays, and what is bad in it is taken for good.
func (e *Exclusion) Removes() bool { return e.Effect.facets().removes }

// OnCondition tells whether it holds on a condition, so that nobody knows before
// when it will.
func (e *Exclusion) OnCondition() bool { return e.Condition.Text != "" }

// AnnouncedInTime tells whether a window excuses: one that was announced too late does not.
func (e *Exclusion) AnnouncedInTime(w *Window) bool {
	return e.Notice == 0 || w.Recurs != nil || w.Emergency || !w.Announced.IsZero() && w.Once.From.Sub(w.Announced) >= e.Notice
}

// Spans are the time within [from, to) that windows of the exclusion excuse, as
// far as its cap lets them; what a condition excuses nobody knows before.
func (e *Exclusion) Spans(from, to time.Time) Spans {
	if e.Cap != nil && e.Cap.WindowTime > 0 {
		return e.Cap.within(e.announced, from, to)
	}
	return e.announced(from, to)
}

// announced is the time of all windows that were announced as they have to be.
func (e *Exclusion) announced(from, to time.Time) Spans {
	var spans []Span
	for _, w := range e.Windows {
		if e.AnnouncedInTime(w) {
			spans = append(spans, w.Spans(from, to)...)
		}
	}
	return Union(spans...)
}

// Masked tells whether part of the time does not count for the level.
func (l *ServiceLevel) Masked() bool { return l.ServiceHours != nil || len(l.Exclusions) > 0 }

// Service is the level's service time within [from, to): its hours, or all.
func (l *ServiceLevel) Service(from, to time.Time) Spans {
	if l.ServiceHours == nil {
		return Union(Span{from, to})
	}
	return l.ServiceHours.Service(from, to)
}

// Agreed is the level's agreed service time within [from, to), as far as it is
// known before: its hours less the windows that are removed from them.
func (l *ServiceLevel) Agreed(from, to time.Time) Spans {
	agreed := l.Service(from, to)
	for _, e := range l.Exclusions {
		if e.Removes() {
			agreed = agreed.Without(e.Spans(from, to))
		}
	}
	return agreed
}

// AgreedTable is the span that agreed time is averaged over for what cannot
// follow each period: whole weeks from the Monday on or before the new year
// before the one that now is in, five years.
func AgreedTable(now time.Time) (from, to time.Time) {
	from = time.Date(now.UTC().Year()-1, 1, 1, 0, 0, 0, 0, time.UTC)
	from = from.AddDate(0, 0, -(int(from.Weekday())+6)%7)
	return from, from.AddDate(0, 0, 261*7)
}

// AlertShare is which share of all time burn alerts weigh windows against: the
// agreed one, or all, where traffic says how much of the budget a window can spend.
func (l *ServiceLevel) AlertShare(now time.Time) Decimal {
	if l.Alerting.WeighByTraffic {
		return NewDecimal(1, 1)
	}
	return l.AgreedShare(now)
}

// AgreedShare is which share of all time is agreed service time of the level, on
// the average of the years about now, to the second. What is excluded once
// changes the budget of its own period, and not this.
func (l *ServiceLevel) AgreedShare(now time.Time) Decimal {
	if !l.Masked() {
		return NewDecimal(1, 1)
	}
	from, to := AgreedTable(now)
	agreed := l.Service(from, to)
	for _, e := range l.Exclusions {
		if e.Removes() {
			endless := *e
			endless.Windows = slices.DeleteFunc(slices.Clone(e.Windows), func(w *Window) bool { return !w.endless() })
			agreed = agreed.Without(endless.Spans(from, to))
		}
	}
	return Seconds(agreed.Total().Round(time.Second)).Quo(Seconds(to.Sub(from)))
}
