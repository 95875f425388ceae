package spec

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

func decodeWindows(o *object, notice time.Duration) []*sla.Window {
	var windows []*sla.Window
	items, _, _ := read(o, "windows", value.list)
	for _, item := range items {
		item.name = "a window"
		if w := item.object(windowSection); w != nil {
			more := decodeWindow(w, notice)
			if !countWindows(item, more) {
				return nil
			}
			windows = append(windows, more...)
		}
	}
	return windows
}

// countWindows adds to the agreement's number of windows. It returns false above
// maxWindows, and reports that once.
func countWindows(v value, windows []*sla.Window) bool {
	_, end := sla.AgreedTable(time.Now())
	before := v.d.windows
	for _, w := range windows {
		v.d.windows += w.Most(end)
	}
	if v.d.windows <= maxWindows {
		return true
	}
	if before <= maxWindows {
		v.error("many-windows", fmt.Sprintf("with this one the agreement may have %d windows until %d, more than %d", v.d.windows, end.Year(), maxWindows),
			"write what repeats each day as weekly hours, join windows, or let the rule start later")
	}
	return false
}

func decodeWindow(o *object, notice time.Duration) []*sla.Window {
	windows := decodeTimes(o, notice)
	reason, _, _ := read(o, "reason", value.text)
	approved, _, _ := read(o, "approvedBy", value.text)
	for _, w := range windows {
		w.ApprovedBy = approved
		if w.Name == "" {
			w.Name = reason
		}
	}
	return windows
}

// decodeTimes reads when a window is, or several of an iCalendar file.
func decodeTimes(o *object, notice time.Duration) []*sla.Window {
	zone := o.d.zone
	if own, _, ok := read(o, "timeZone", parseZone); ok {
		zone = own
	}
	kind, ok := windowKindOf(o)
	if !ok {
		return nil
	}
	switch kind {
	case "from":
		return decodeOnce(o, zone, notice)
	case "rrule":
		return decodeRule(o, zone)
	}
	file, at, ok := read(o, "ics", value.text)
	if !ok {
		return nil
	}
	return icsWindows(at, file, zone, notice)
}

// windowKindOf returns the kind of a window: the key that says when it is. It reports
// keys that do not belong to the kind, and missing ones.
func windowKindOf(o *object) (kind string, ok bool) {
	for _, w := range windowKeys {
		if _, given := o.get(w.kind); given {
			if kind != "" {
				return "", false // both were given, which has been reported
			}
			kind = w.kind
		}
	}
	ok = kind != ""
	for _, w := range windowKeys {
		other := w.kind
		for _, key := range w.keys {
			at, given := o.get(key)
			switch {
			case given && kind != "" && other != kind:
				ok = false
				o.d.errorAt(at.key, "conflicting-keys", quote(key)+" goes with "+quote(other)+", and this window has "+quote(kind), "leave it out")
			case !given && other == kind && key != "announced" && key != "emergency":
				ok = false
				o.missing(quote(key)+" is missing in "+o.section.name+" with "+quote(kind), "add "+key+": "+o.section.field(key).sample())
			}
		}
	}
	return kind, ok
}

func decodeOnce(o *object, zone string, notice time.Duration) []*sla.Window {
	from, at, fromOK := read(o, "from", instantIn(zone))
	to, toAt, toOK := read(o, "to", instantIn(zone))
	w := &sla.Window{Once: sla.Span{From: from, To: to}, Pos: at.pos()}
	emergency, _, _ := read(o, "emergency", value.boolean)
	w.Emergency = emergency
	announced, announcedAt, announcedOK := read(o, "announced", instantIn(zone))
	w.Announced = announced
	switch {
	case !fromOK || !toOK || announcedAt.node != nil && !announcedOK:
		return nil
	case !from.Before(to):
		toAt.error("bad-window", toAt.quoted()+" is not after "+at.quoted(), "write the later one as to")
		return nil
	case to.Sub(from) > maxWindow:
		toAt.error("bad-window", "this window is longer than a year", "check its years")
		return nil
	case notice > 0 && announcedAt.node == nil && !emergency:
		o.missing("this window says not when it was announced, and maintenance needs a notice of "+sla.FormatDuration(notice),
			`add announced: "…", or emergency: true`)
		return nil
	}
	if wall, ok := parseWallTime(toAt); ok && wall.Hour() == 23 && wall.Minute() == 59 {
		toAt.warn("missing-minute", toAt.quoted()+" is the end, so that the last minute of the day is not in the window", "write "+wall.Add(time.Minute).Format("2006-01-02T15:04"))
	}
	return []*sla.Window{w}
}

func decodeRule(o *object, zone string) []*sla.Window {
	rule, at, ruleOK := read(o, "rrule", value.text)
	start, startAt, startOK := read(o, "start", parseWallTime)
	length, lengthAt, lengthOK := read(o, "duration", value.duration)
	if !ruleOK || !startOK || !lengthOK {
		return nil
	}
	if start.Location() != time.UTC {
		startAt.error("bad-time", startAt.quoted()+" has an offset, and a rule begins at wall times", "leave the offset out; timeZone says whose clock is meant")
		return nil
	}
	if length > maxWindow {
		lengthAt.error("bad-window", lengthAt.quoted()+" is longer than a year", "shorten it")
		return nil
	}
	r, err := sla.NewRecurrence(rule, start, length, zone)
	if err != nil {
		at.error("bad-rrule", at.quoted()+" is no recurrence rule that can be followed: "+err.Error(), `write it like "FREQ=MONTHLY;BYDAY=1SU" (RFC 5545, section 3.3.10)`)
		return nil
	}
	return []*sla.Window{{Recurs: r, Pos: at.pos()}}
}

// parseWallTime parses a time. A wall time is returned in time.UTC, a time with an
// offset in utcMeant.
func parseWallTime(v value) (time.Time, bool) {
	text, ok := v.scalarText()
	if !ok {
		return time.Time{}, false
	}
	for _, layout := range wallLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
		if t, err := time.Parse(layout+"Z07:00", text); err == nil {
			return t.In(utcMeant), true
		}
	}
	remedy := `write it like "2026-12-01T22:00"`
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05", time.DateOnly, "02.01.2006 15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			remedy = "write " + quote(t.Format(wallLayouts[0]))
		}
	}
	v.error("bad-time", v.quoted()+" is no time", remedy)
	return time.Time{}, false
}

// instantIn parses a time as an instant. A wall time is one of the zone.
func instantIn(zone string) func(value) (time.Time, bool) {
	return func(v value) (time.Time, bool) {
		t, ok := parseWallTime(v)
		if ok && t.Location() == time.UTC {
			t = sla.Instant(t, zone)
		}
		return t.UTC(), ok
	}
}
