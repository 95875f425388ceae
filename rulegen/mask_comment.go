package rulegen

import (
	"fmt"
	"time"
)

// Comments on the constants of timetables.

// words explain the constants of the mask.
func (t timetable) words() []string {
	var words, ofCycle, ofInstants []string
	for _, p := range t.pattern {
		ofCycle = append(ofCycle, fmt.Sprintf("%d = %s", p.from, t.cycle.at(p.from)), fmt.Sprintf("%d = %s", p.to, t.cycle.at(p.to)))
	}
	for _, e := range t.instants() {
		ofInstants = append(ofInstants, fmt.Sprintf("%d = %s", e.at, instant(time.Unix(e.at, 0))))
	}
	if len(ofCycle) > 0 {
		words = append(words, fmt.Sprintf("Seconds %s: %s.", t.cycle.since(), firstOf(ofCycle)))
	}
	if len(ofInstants) > 0 {
		words = append(words, fmt.Sprintf("Unix seconds: %s.", firstOf(ofInstants)))
	}
	return words
}

// elapsedWords say how elapsed counts.
func (t timetable) elapsedWords() []string {
	var words []string
	if len(t.pattern) > 0 {
		words = append(words, fmt.Sprintf("%d seconds in each %s, and the part of the running one%s", t.perCycle(), t.cycle.name(), colon(t.words())))
	} else if len(t.instants()) > 0 {
		words = append(words, "Of each window its length, or what has passed of it"+colon(t.words()))
	}
	return append(words, t.words()...)
}

// colon ends a line, as one that others follow if there are some.
func colon(lines []string) string {
	if len(lines) == 0 {
		return "."
	}
	return ":"
}

func (c cycle) name() string {
	if c.length == daySeconds {
		return "day"
	}
	return "week"
}

// since is the beginning of the cycle.
func (c cycle) since() string {
	if c.length == daySeconds {
		return "since midnight"
	}
	return "since Monday's midnight"
}

// words explain the constants of the cycle's clock.
func (c cycle) words() []string {
	words := []string{fmt.Sprintf("%d = seconds in a %s", c.length, c.name())}
	if c.phase != 0 {
		words = append(words, fmt.Sprintf("%d = seconds from a Monday to the Thursday on which Unix seconds begin", c.phase))
	}
	return words
}

// at is a second of the cycle for people: "Mon 08:00".
func (c cycle) at(second int64) string {
	clock := fmt.Sprintf("%02d:%02d", second%daySeconds/3600, second%3600/60)
	if second%60 != 0 {
		clock += fmt.Sprintf(":%02d", second%60)
	}
	switch {
	case second == c.length && c.length == daySeconds:
		return "24:00"
	case second == c.length:
		return "Sun 24:00"
	case c.length == daySeconds:
		return clock
	}
	return time.Weekday((second/daySeconds + 1) % 7).String()[:3] + " " + clock
}
