package sla

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Words are the calendar's name and hours: "prime: Mon to Fri 08:00 to 20:00
// (Europe/Berlin), without 3 holidays".
func (c *Calendar) Words() string {
	words := strings.Join(c.WeeklyWords(), "; ")
	if c.Zone != "" {
		words += " (" + c.Zone + ")"
	}
	if n := len(c.Holidays); n > 0 {
		words += ", without " + counted(n, "holiday")
	}
	if n := len(c.Exceptions); n > 0 {
		words += ", and " + counted(n, "day") + " with hours of its own"
		if n > 1 {
			words = strings.TrimSuffix(words, "its own") + "their own"
		}
	}
	if c.Complement {
		words = "all but " + words
	}
	return c.Name + ": " + words
}

// WeeklyWords are the hours of the week, days with the same hours together: "Mon to Fri
// 08:00 to 20:00". Days without hours are left out.
func (c *Calendar) WeeklyWords() []string {
	var parts []string
	days := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}
	for i := 0; i < len(days); {
		last := i
		for last+1 < len(days) && slices.Equal(c.Weekly[days[i]], c.Weekly[days[last+1]]) {
			last++
		}
		if hours := hoursWords(c.Weekly[days[i]]); hours != "" {
			name := days[i].String()[:3]
			if last > i {
				name += " to " + days[last].String()[:3]
			}
			parts = append(parts, name+" "+hours)
		}
		i = last + 1
	}
	return parts
}

// DayWords are the days that differ from the week, in order: "2026-12-24: 09:00 to
// 13:00", "12-25: none".
func (c *Calendar) DayWords() []string {
	var days []string
	for d := range c.Holidays {
		if _, own := c.Exceptions[d]; !own {
			days = append(days, d.String()+": none")
		}
	}
	for d, hours := range c.Exceptions {
		words := hoursWords(hours)
		if words == "" {
			words = "none"
		}
		days = append(days, d.String()+": "+words)
	}
	slices.Sort(days)
	return days
}

func hoursWords(hours []Hours) string {
	clock := func(d time.Duration) string { return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60) }
	words := make([]string, len(hours))
	for i, h := range hours {
		to := clock(h.To)
		if h.To > 24*time.Hour {
			to = clock(h.To-24*time.Hour) + " of the next day"
		}
		words[i] = clock(h.From) + " to " + to
	}
	return strings.Join(words, " and ")
}

// counted is "1 holiday", "3 holidays".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
