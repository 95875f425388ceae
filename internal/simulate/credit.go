package simulate

import (
	"math"
	"time"

	"github.com/upheld-sla/upheld/internal/credit"
	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Credit is what a level would owe for the period of the scenario, if all other levels
// met their targets and the rest of the period were good.
type Credit struct {
	Period  string
	Percent string // of the base
	Amount  string // with the currency; "" if no fee is known
	Words   string // how the amount is computed
}

// credit settles the level's period at the end of the scenario; nil for a level without
// credits, or without figures.
func (l *LevelResult) credit(s *stage, value func(string, time.Time) float64) *Credit {
	if !l.Level.Credits.Any() {
		return nil // most levels owe nothing
	}
	period := l.Level.CreditPeriod()
	labels := []string{metricnames.Period, period.String()}
	bad, total := value(l.named(metricnames.BadPeriod, labels...).String(), s.end), value(l.named(metricnames.TotalPeriod, labels...).String(), s.end)
	if math.IsNaN(bad) || math.IsNaN(total) {
		return nil // nothing was measured
	}
	start, end := period.Bounds(s.end)
	if period.Calendar == "" {
		start, end = s.end.Add(-period.Rolling), s.end
	}
	agreed := l.Level.Agreed(start, end).Total()
	if whole := total; l.Level.Aggregation.ByTime() {
		total = max(whole, agreed.Seconds())
	} else if known := s.end.Sub(start); known > 0 && end.After(s.end) {
		total *= float64(end.Sub(start)) / float64(known) // if traffic continues as until now
	}
	if total == 0 {
		return nil // nothing was counted
	}
	const millionths = 1_000_000_000
	share := sla.NewDecimal(int64(math.Round((1-bad/total)*millionths)), millionths)
	in := credit.Input{Policy: s.agreement.CreditPolicy, Period: period, Start: start, End: end}
	own := credit.Level{Level: l.Level, Known: true, Achieved: share, Met: share.Cmp(l.Level.TargetRatio()) >= 0}
	if l.Level.Aggregation.ByTime() {
		own.Bad, own.Agreed = sla.NewDecimal(int64(math.Round(bad)), 1), sla.NewDecimal(int64(agreed.Seconds()), 1)
		own.Outages = l.outages(s)
	}
	in.Levels = []credit.Level{own}
	settled := credit.Settle(in)
	c := &Credit{Period: period.String(), Percent: settled.Levels[0].Percent.Rounded(2), Words: settled.Levels[0].Words}
	if settled.InMoney && settled.Levels[0].Days.Sign() == 0 {
		c.Amount = sla.Money{Amount: settled.Levels[0].Amount, Currency: settled.Currency}.Text() + " " + settled.Currency.Code
	}
	return c
}

// outages are the times in which the level fails completely in the scenario.
func (l *LevelResult) outages(s *stage) (all []credit.Outage) {
	for _, p := range s.parts {
		for _, src := range p.sources {
			for _, of := range src.levels {
				if of != l.Level {
					continue
				}
				for i, seg := range src.course {
					if seg.bad < 1 || i+1 == len(src.course) || seg.from < s.at.UnixMilli() {
						continue
					}
					length := time.Duration(src.course[i+1].from-seg.from) * time.Millisecond
					all = append(all, credit.Outage{Counted: sla.Seconds(length)})
				}
			}
		}
	}
	return all
}
