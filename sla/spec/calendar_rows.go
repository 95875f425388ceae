package spec

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// calendarRow is the hours that one row of a calendar gives to one day.
type calendarRow struct {
	day    time.Weekday // of weekly hours
	date   sla.Date     // of exceptions
	hours  sla.Hours
	at, to value // the row, and where its end is written
}

// calendarRows are the rows of a calendar while it is read.
type calendarRows struct{ weekly, dates []calendarRow }

const (
	oneDay  = 24 * time.Hour
	oneWeek = 7 * oneDay
)

// lint warns of rows that end one minute before the next one begins, and of rows that
// overlap. It reports each row at most once for each.
func (r *calendarRows) lint(calendar string) {
	const overlaps, lacks = "overlaps", "lacks"
	reported := map[string]bool{}
	once := func(what string, row calendarRow) bool {
		key := fmt.Sprint(what, row.at.pos())
		before := reported[key]
		reported[key] = true
		return !before
	}
	for i, a := range r.weekly {
		end := time.Duration(a.day)*oneDay + a.hours.To
		for j, b := range r.weekly {
			begin := time.Duration(b.day)*oneDay + b.hours.From
			if leavesMinute(end, begin, oneWeek) && once(lacks, a) {
				a.warnMissingMinute()
			}
			if j < i && weeklyOverlap(a, b) && once(overlaps, a) {
				a.warnOverlap(calendar, a.day.String())
			}
		}
	}
	for i, a := range r.dates {
		for j, b := range r.dates {
			if a.date == b.date && leavesMinute(a.hours.To, b.hours.From, oneDay*2) && once(lacks, a) {
				a.warnMissingMinute()
			}
			if j < i && a.date == b.date && a.hours.From < b.hours.To && b.hours.From < a.hours.To && once(overlaps, a) {
				a.warnOverlap(calendar, a.date.String())
			}
		}
	}
	for _, a := range append(r.weekly, r.dates...) {
		if a.hours.To%oneDay == oneDay-time.Minute && once(lacks, a) {
			a.warnMissingMinute()
		}
	}
}

// leavesMinute returns whether hours begin one minute after others end. cycle is the
// length of the week, or of two days.
func leavesMinute(end, begin, cycle time.Duration) bool {
	return ((begin-end)%cycle+cycle)%cycle == time.Minute
}

// weeklyOverlap returns whether two weekly rows overlap. Hours may end after midnight,
// also in the next week.
func weeklyOverlap(a, b calendarRow) bool {
	fromA, fromB := time.Duration(a.day)*oneDay+a.hours.From, time.Duration(b.day)*oneDay+b.hours.From
	lengthA, lengthB := a.hours.To-a.hours.From, b.hours.To-b.hours.From
	after := func(from, to time.Duration) time.Duration { return ((to-from)%oneWeek + oneWeek) % oneWeek }
	return after(fromA, fromB) < lengthA || after(fromB, fromA) < lengthB
}

func (r calendarRow) warnMissingMinute() {
	next := (r.hours.To + time.Minute) % oneDay
	if next == 0 {
		next = oneDay
	}
	r.to.warn("missing-minute", fmt.Sprintf("hours end at the beginning of %s, so that this minute is outside: what is firing ends and begins again with it", r.to.node.Value),
		fmt.Sprintf(`write %02d:%02d; "to" is the minute after the last one`, int(next.Hours()), int(next.Minutes())%60))
}

func (r calendarRow) warnOverlap(calendar, day string) {
	r.at.warn("overlapping-hours", fmt.Sprintf("hours of the calendar %q overlap on %s: they count once", calendar, day), "join the rows, or correct one of them")
}
