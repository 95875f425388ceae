package sla

import (
	"math"
	"slices"
	"time"
)

// BaseWindow is the window over which raw series are read. Longer windows are summed
// from what is recorded over it.
const BaseWindow = 5 * time.Minute

// Tier is one tier of multi-window, multi-burn-rate alerting (Google SRE Workbook,
// chapter 5): it fires while the bad share over both windows exceeds Factor × budget.
type Tier struct {
	Name          string // "page-fast"
	Severity      string // the label severity: the name of the urgency, or another text
	Urgency       Urgency
	Long, Short   time.Duration
	Factor        Decimal // burn rate: 1 spends the budget in exactly one period
	For           time.Duration
	KeepFiringFor time.Duration
	Labels        map[string]string // added to the tier's alert
	Pos           Position          // of a tier in the specification
}

// StandardWindows are recorded for every level, whatever its tiers, because dashboards
// use them; ascending.
var StandardWindows = []time.Duration{
	5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour, 72 * time.Hour,
}

// workbook is the table of the SRE Workbook for a 30-day period. floor is the shortest
// long window for a period of a day or more, least the shortest for shorter periods.
var workbook = []struct {
	name         string
	urgency      Urgency
	long         time.Duration
	factor       Decimal
	floor, least time.Duration
}{
	{"page-fast", Page, time.Hour, MustDecimal("14.4"), 30 * time.Minute, 10 * time.Minute},
	{"page-slow", Page, 6 * time.Hour, MustDecimal("6"), time.Hour, 15 * time.Minute},
	{"ticket-fast", Ticket, 24 * time.Hour, MustDecimal("3"), 2 * time.Hour, 20 * time.Minute},
	{"ticket-slow", Ticket, 72 * time.Hour, MustDecimal("1"), 6 * time.Hour, 30 * time.Minute},
}

// windowSteps are the windows that scaled windows are rounded to.
var windowSteps = []time.Duration{
	30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour,
	12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 72 * time.Hour,
}

const referencePeriod = 30 * 24 * time.Hour

// DefaultTiers returns the workbook's table for a period. Periods of 28 days and more
// keep the windows and the share of the budget that each tier stands for (2 % in 1 h, 5
// % in 6 h, 10 % in 1 d and 3 d), so the factor depends on the period: share × period /
// window. Shorter periods keep the factors and get shorter windows, because a day of
// burning is most of a week's budget.
//
// Below a day the windows shrink with the period, down to a few minutes; below that the
// factors shrink, so that each tier keeps the share of the budget that it has at a day,
// about a quarter. Tiers with a burn rate below 1 are left out, so a period of an hour
// has two.
func DefaultTiers(of Period) []Tier {
	period := of.Nominal()
	if period < day {
		return shortTiers(period)
	}
	tiers := make([]Tier, 0, len(workbook))
	for _, row := range workbook {
		t := Tier{Name: row.name, Severity: row.urgency.String(), Urgency: row.urgency, Long: row.long, Factor: row.factor}
		if period >= 28*24*time.Hour {
			t.Factor = t.Factor.Mul(NewDecimal(int64(period), int64(referencePeriod)))
		} else {
			scaled := time.Duration(float64(row.long) * float64(period) / float64(referencePeriod))
			t.Long = max(nearest(windowSteps, scaled), row.floor)
		}
		t.Short = ShortWindow(t.Long)
		tiers = append(tiers, t)
	}
	return tiers
}

// shortWindowSteps are the same for periods below a day.
var shortWindowSteps = append([]time.Duration{10 * time.Minute, 15 * time.Minute, 20 * time.Minute}, windowSteps...)

// atMost is the longest of the ascending steps that is not above d, or the first one.
func atMost(steps []time.Duration, d time.Duration) time.Duration {
	i, found := slices.BinarySearch(steps, d)
	if found {
		return d
	}
	return steps[max(i-1, 0)]
}

func shortTiers(period time.Duration) []Tier {
	var tiers []Tier
	for _, row := range workbook {
		t := Tier{Name: row.name, Severity: row.urgency.String(), Urgency: row.urgency, Factor: row.factor}
		inDay := NewDecimal(int64(row.floor), int64(day)) // the floor is the window for a period of a day
		t.Long = max(atMost(shortWindowSteps, inDay.Mul(Seconds(period)).Duration()), row.least)
		if same := t.Factor.Mul(inDay).Mul(NewDecimal(int64(period), int64(t.Long))); same.Cmp(t.Factor) < 0 {
			t.Factor = twoPlaces(same)
		}
		t.Short = ShortWindow(t.Long)
		if t.Factor.Cmp(NewDecimal(1, 1)) >= 0 {
			tiers = append(tiers, t)
		}
	}
	return tiers
}

// twoPlaces rounds down.
func twoPlaces(d Decimal) Decimal { return NewDecimal(int64(d.Float64()*100+1e-9), 100) }

// ShortWindow is the workbook's short window: a twelfth of the long one, at least
// BaseWindow.
func ShortWindow(long time.Duration) time.Duration { return max(long/12, BaseWindow) }

// nearest is the step that is closest to d in proportion.
func nearest(steps []time.Duration, d time.Duration) time.Duration {
	return slices.MinFunc(steps, func(a, b time.Duration) int {
		fa := math.Abs(math.Log(float64(a) / float64(d)))
		fb := math.Abs(math.Log(float64(b) / float64(d)))
		switch {
		case fa < fb:
			return -1
		case fa > fb:
			return 1
		}
		return 0
	})
}

// MaxThreshold is the highest threshold of an alert. Above it even a total outage would
// hardly fire one, or never.
var MaxThreshold = MustDecimal("0.9")

// Threshold is the bad share at which the tier fires for a budget (e.g. 0.001): Factor ×
// budget, but at most MaxThreshold; adapted is true if it was lowered to that.
func (t Tier) Threshold(budget Decimal) (threshold Decimal, adapted bool) {
	threshold = t.Factor.Mul(budget)
	if threshold.Cmp(MaxThreshold) > 0 {
		return MaxThreshold, true
	}
	return threshold, false
}

// TimeToDetect is how long a total outage at constant traffic lasts before the tier
// fires, without the delays of scraping and evaluation. Windows are sums of five-minute
// rates, so an outage enters them as a ramp: after t its share of a window w is
// t²/(2·5m·w) up to five minutes and (t-2.5m)/w after that; the five-minute rate itself
// is t/5m.
func (t Tier) TimeToDetect(budget Decimal) time.Duration {
	threshold, _ := t.Threshold(budget)
	return max(reach(threshold, t.Long), reach(threshold, t.Short)) + t.For
}

func reach(threshold Decimal, window time.Duration) time.Duration {
	w, base := window.Seconds(), BaseWindow.Seconds()
	bad := threshold.Float64() * w // seconds of total outage that the window must contain
	var seconds float64
	switch {
	case window <= BaseWindow:
		seconds = bad
	case bad < base/2:
		seconds = math.Sqrt(2 * base * bad)
	default:
		seconds = bad + base/2
	}
	return time.Duration(seconds * float64(time.Second))
}

// ThresholdWithin is Threshold for a service with service hours, whose windows are
// weighed by them. share is the agreed part of all time. The limit is what a total
// outage in service hours reaches.
func (t Tier) ThresholdWithin(share, budget Decimal) (threshold Decimal, adapted bool) {
	threshold, adapted = t.Threshold(budget.Mul(share))
	return threshold.Quo(share), adapted
}

// BudgetTime is the bad time that a budget allows in a period of the level, on average
// over its agreed time.
func (l *ServiceLevel) BudgetTime(budget Decimal, period Period, now time.Time) time.Duration {
	return BudgetTime(budget.Mul(l.AgreedShare(now)), period)
}

// BudgetTime is the bad time that a budget allows in a period: budget × period.
func BudgetTime(budget Decimal, period Period) time.Duration {
	return budget.Mul(Seconds(period.Nominal())).Duration()
}
