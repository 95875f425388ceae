package sla

import (
	"slices"
	"time"
)

// Effect is what an exclusion does to its time.
type Effect string

// The effects.
const (
	// TreatAsUp counts bad as good; the time stays agreed time (AWS, Twilio).
	TreatAsUp Effect = "treat_as_up"
	// RemoveFromAgreedTime removes the time from the agreed time, good and bad (ITIL).
	RemoveFromAgreedTime Effect = "remove_from_agreed_time"
)

// effect is an effect with everything that is known about it.
type effect struct {
	name    Effect
	removes bool   // the time is not agreed time; otherwise it is, and bad counts as good in it
	words   string // what happens to the time, for people
	doc     string // the same in a sentence, for the reference
}

// effects is the table of all effects.
var effects = []effect{
	{TreatAsUp, false, "treated as up", "failures count as good"},
	{RemoveFromAgreedTime, true, "removed from the agreed time", "the time does not count at all, good or bad, and the budget shrinks with it"},
}

// Effects returns all effects.
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

// Words says what happens to the time: "treated as up".
func (e Effect) Words() string { return e.facets().words }

// Doc says what happens to the time, for the reference.
func (e Effect) Doc() string { return e.facets().doc }

// Categories are the usual reasons for exclusions in contracts.
var Categories = []string{
	"customer_caused", "force_majeure", "suspension_under_agreement", "third_party", "beyond_demarcation", "beta", "throttling", "other",
}

// MaintenanceName is the name of the exclusion for maintenance windows.
const MaintenanceName = "maintenance"

// Exclusion is time for which the provider does not answer: windows, or while a PromQL
// condition holds.
type Exclusion struct {
	Name      string
	Category  string // one of Categories, or MaintenanceName
	Condition Query  // without Text if it has windows
	Windows   []*Window
	Notice    time.Duration // how early one-off windows must be announced, except emergencies; 0: they need not
	Effect    Effect
	Cap       *Cap   // nil: no limit
	Claim     *Claim // how its time is claimed, if it has neither windows nor a condition
	Pos       Position
}

// Removes returns whether the exclusion removes its time from the agreed time. Otherwise
// bad counts as good in it.
func (e *Exclusion) Removes() bool { return e.Effect.facets().removes }

// OnCondition returns whether the exclusion has a condition, so that its time is not
// known in advance.
func (e *Exclusion) OnCondition() bool { return e.Condition.Text != "" }

// AnnouncedInTime returns whether a window was announced early enough. Others excuse
// nothing.
func (e *Exclusion) AnnouncedInTime(w *Window) bool {
	return e.Notice == 0 || w.Recurs != nil || w.Emergency || !w.Announced.IsZero() && w.Once.From.Sub(w.Announced) >= e.Notice
}

// Spans returns the time in [from, to) that windows of the exclusion excuse, within its
// cap. It returns nothing for a condition, whose time is not known in advance.
func (e *Exclusion) Spans(from, to time.Time) Spans {
	if e.Cap != nil && e.Cap.WindowTime > 0 {
		return e.Cap.within(e.announced, from, to)
	}
	return e.announced(from, to)
}

// Capped limits spans in [from, to), which were claimed afterwards, to what a cap on the
// time of windows allows.
func (e *Exclusion) Capped(spans Spans, from, to time.Time) Spans {
	if e.Cap == nil || e.Cap.WindowTime == 0 {
		return spans.Within(from, to)
	}
	return e.Cap.within(spans.Within, from, to)
}

// announced is the time of all windows that were announced early enough.
func (e *Exclusion) announced(from, to time.Time) Spans {
	var spans []Span
	for _, w := range e.Windows {
		if e.AnnouncedInTime(w) {
			spans = append(spans, w.Spans(from, to)...)
		}
	}
	return Union(spans...)
}

// Masked returns whether some time does not count for the level.
func (l *ServiceLevel) Masked() bool { return l.ServiceHours != nil || len(l.Exclusions) > 0 }

// Service is the level's service hours in [from, to), or all of it without hours.
func (l *ServiceLevel) Service(from, to time.Time) Spans {
	if l.ServiceHours == nil {
		return Union(Span{from, to})
	}
	return l.ServiceHours.Service(from, to)
}

// Agreed is the level's agreed time in [from, to), as far as it is known in advance: its
// service hours without the windows that are removed from them.
func (l *ServiceLevel) Agreed(from, to time.Time) Spans {
	agreed := l.Service(from, to)
	for _, e := range l.Exclusions {
		if e.Removes() {
			agreed = agreed.Without(e.Spans(from, to))
		}
	}
	return agreed
}

// AgreedTable is the span over which agreed time is averaged for values that cannot
// depend on the current period: five years in whole weeks, from the Monday on or before
// the first of January of last year.
func AgreedTable(now time.Time) (from, to time.Time) {
	from = time.Date(now.UTC().Year()-1, 1, 1, 0, 0, 0, 0, time.UTC)
	from = from.AddDate(0, 0, -(int(from.Weekday())+6)%7)
	return from, from.AddDate(0, 0, 261*7)
}

// AlertShare is the share of all time that burn alerts use to weigh windows: the agreed
// share, or 1 if windows are weighed by traffic.
func (l *ServiceLevel) AlertShare(now time.Time) Decimal {
	if l.Alerting.WeighByTraffic {
		return NewDecimal(1, 1)
	}
	return l.AgreedShare(now)
}

// AgreedShare is the share of all time that is agreed time of the level, on average over
// AgreedTable, to the second. One-off exclusions change only the budget of their own
// period, and not this.
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
