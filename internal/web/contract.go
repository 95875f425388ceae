package web

import (
	"strconv"
	"strings"
	"time"
)

// excludedWords says how much bad time (or how many bad events) service hours and
// exclusions leave out: "of 1 h 10 min bad: 40 min excluded, 30 min counted". It is
// empty for a level without them.
func excludedWords(s LevelStatus) string {
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
		parts = append(parts, amount(Known(outside))+" outside service hours")
	}
	return "of " + amount(c.MeasuredBad) + " bad: " + strings.Join(append(parts, amount(s.Bad)+" counted"), ", ")
}

// creditWords says which credit is due so far, and how much more outage leads to the
// next tier: "no credit so far; 10 % after 43 min more outage". It is empty without
// credits.
func creditWords(s LevelStatus) string {
	c := s.Contract
	if !c.Credit.Known {
		return ""
	}
	words := "no credit so far"
	if c.Credit.Value > 0 {
		words = strconv.FormatFloat(c.Credit.Value, 'f', -1, 64) + thin + "% if the rest of the period is good"
	}
	for i, t := range s.Level.Credits.Tiers {
		if i < len(c.MinutesToTier) && c.MinutesToTier[i].Known && c.MinutesToTier[i].Value > 0 {
			return words + "; " + t.Percent.String() + thin + "% after " + span(time.Duration(c.MinutesToTier[i].Value*float64(time.Minute))) + " more outage"
		}
	}
	return words
}
