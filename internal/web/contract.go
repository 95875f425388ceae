package web

import (
	"strconv"
	"strings"
	"time"
)

// leftOut says what hours and exclusions took out of what was bad: "of 1 h 10 min
// bad, 40 min are excluded and 30 min count"; empty where nothing can be.
func leftOut(s LevelStatus) string {
	c := s.Contract
	if !c.MeasuredBad.Known || !s.Bad.Known {
		return ""
	}
	amount := func(f Figure) string {
		if s.Level.Aggregation.ByTime() {
			return span(time.Duration(f.Value * float64(time.Second)))
		}
		return group(strconv.FormatFloat(f.Value, 'f', 0, 64))
	}
	parts := []string{}
	if c.ExcludedBad.Known {
		parts = append(parts, amount(c.ExcludedBad)+" excluded")
	}
	if outside := c.MeasuredBad.Value - c.ExcludedBad.Value - s.Bad.Value; s.Level.ServiceHours != nil && outside > 0 {
		parts = append(parts, amount(Known(outside))+" outside of hours")
	}
	return "of " + amount(c.MeasuredBad) + " bad: " + strings.Join(append(parts, amount(s.Bad)+" counted"), ", ")
}

// owed says what is owed so far, and how much outage the next credit tier is
// away: "nothing owed; 10 % after 43 min more of outage". Empty without credits.
func owed(s LevelStatus) string {
	c := s.Contract
	if !c.Owed.Known {
		return ""
	}
	words := "nothing owed"
	if c.Owed.Value > 0 {
		words = strconv.FormatFloat(c.Owed.Value, 'f', -1, 64) + thin + "% owed if the rest is good"
	}
	for i, t := range s.Level.Credits.Tiers {
		if i < len(c.MinutesToTier) && c.MinutesToTier[i].Known && c.MinutesToTier[i].Value > 0 {
			return words + "; " + t.Percent.String() + thin + "% after " + span(time.Duration(c.MinutesToTier[i].Value*float64(time.Minute))) + " more of outage"
		}
	}
	return words
}
