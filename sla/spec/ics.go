package spec

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/upheld-sla/upheld/internal/regular"
	"github.com/upheld-sla/upheld/sla"
)

// icsWindows returns the events of an iCalendar file (RFC 5545) as windows. A relative
// name is relative to the specification. zone is the time zone of events without one.
func icsWindows(v value, file, zone string, notice time.Duration) []*sla.Window {
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(v.src().file), path)
	}
	text, err := regular.Read(path, maxFileSize, v.d.files.folders(v.src().file)...)
	switch {
	case errors.Is(err, regular.ErrOutside):
		v.error("unreadable-file", fmt.Sprintf("the iCalendar file %s is not in the directory of this file", quote(file)),
			"put it there or below, as no symbolic link that leads out, or name its directory by --files.allow")
		return nil
	case err != nil:
		v.error("unreadable-file", fmt.Sprintf("the iCalendar file %s cannot be read: %s", quote(file), withoutPath(err)),
			"name a file relative to the directory of this one")
		return nil
	}
	if at := invisible.FindIndex(bytes.TrimPrefix(text, []byte("\ufeff"))); at != nil {
		v.error("bad-ics", fmt.Sprintf("the iCalendar file %s has an invisible character, with which a text can look like another one", quote(file)), invisibleRemedy)
		return nil
	}
	windows, err := readICS(text, zone)
	if err != nil {
		v.error("bad-ics", fmt.Sprintf("%s is no calendar of windows: %s", quote(file), err), "mend it where it is made, or write the windows out")
		return nil
	}
	for _, w := range windows {
		if w.Pos = v.pos(); notice > 0 && w.Recurs == nil && w.Announced.IsZero() {
			v.error("bad-ics", fmt.Sprintf("%s says not when its event %s was announced, and maintenance needs a notice of %s", quote(file), quote(w.Name), sla.FormatDuration(notice)),
				"give the event a CREATED, or one that changes another a LAST-MODIFIED")
		}
	}
	return windows
}

// event is what matters of a VEVENT.
type event struct {
	*ics.VEvent
	zone  string // of the start
	start time.Time
	day   bool // start and end are dates without times
}

// readICS parses an iCalendar file into windows.
func readICS(text []byte, zone string) ([]*sla.Window, error) {
	if !bytes.Contains(text, []byte("BEGIN:VCALENDAR")) {
		return nil, errors.New("it has no BEGIN:VCALENDAR")
	}
	calendar, err := ics.ParseCalendar(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var windows []*sla.Window
	masters := map[string]*sla.Recurrence{} // by UID
	var changed []event                     // changed instances of recurring events
	for i, ve := range calendar.Events() {
		e, err := newEvent(ve, zone)
		if err != nil {
			return nil, fmt.Errorf("event %d%s: %w", i+1, e.description(), err)
		}
		if e.GetProperty(ics.ComponentPropertyRecurrenceId) != nil {
			if changed = append(changed, e); e.cancelled() {
				continue
			}
		} else if e.cancelled() {
			continue
		}
		w, err := e.window()
		if err != nil {
			return nil, fmt.Errorf("event %d%s: %w", i+1, e.description(), err)
		}
		if w == nil {
			continue
		}
		if w.Recurs != nil {
			masters[ve.Id()] = w.Recurs
		}
		windows = append(windows, w)
	}
	for _, e := range changed {
		if err := e.replace(masters[e.Id()]); err != nil {
			return nil, fmt.Errorf("a changed instance%s: %w", e.description(), err)
		}
	}
	return windows, nil
}

func newEvent(ve *ics.VEvent, zone string) (event, error) {
	e := event{VEvent: ve}
	start := ve.GetProperty(ics.ComponentPropertyDtStart)
	if start == nil {
		return e, errors.New("it has no DTSTART")
	}
	var err error
	e.start, e.zone, e.day, err = icsTime(start.Value, start.ICalParameters, zone)
	return e, err
}

func (e event) description() string {
	if s := e.GetProperty(ics.ComponentPropertySummary); s != nil && s.Value != "" {
		return " (" + quote(s.Value) + ")"
	}
	return ""
}

func (e event) cancelled() bool {
	s := e.GetProperty(ics.ComponentPropertyStatus)
	return s != nil && strings.EqualFold(s.Value, "CANCELLED")
}

// window is the event as a window, nil if it has no length.
func (e event) window() (*sla.Window, error) {
	w := &sla.Window{}
	if s := e.GetProperty(ics.ComponentPropertySummary); s != nil {
		w.Name = s.Value
	}
	var err error
	if w.Announced, err = e.announced(); err != nil {
		return nil, err
	}
	length, err := e.duration()
	if err != nil || length == 0 {
		return nil, err
	}
	if length < 0 || length > maxWindow {
		return nil, fmt.Errorf("it lasts %s", length)
	}
	rule := ""
	if p := e.GetProperty(ics.ComponentPropertyRrule); p != nil && e.GetProperty(ics.ComponentPropertyRecurrenceId) == nil {
		rule = p.Value
	}
	r, err := sla.NewRecurrence(rule, e.start, length, e.zone)
	if err != nil {
		return nil, fmt.Errorf("RRULE %q: %w", rule, err)
	}
	r.ByClock = e.day
	if r.Except, err = e.times(ics.ComponentPropertyExdate); err != nil {
		return nil, err
	}
	if r.Also, err = e.times(ics.ComponentPropertyRdate); err != nil {
		return nil, err
	}
	if rule == "" && len(r.Also) == 0 {
		w.Once = r.First()
	} else {
		w.Recurs = r
	}
	return w, nil
}

// announced is when the event became known: when it was created, or for a changed
// instance when it was last modified.
func (e event) announced() (time.Time, error) {
	p := e.GetProperty(ics.ComponentPropertyCreated)
	if changed := e.GetProperty(ics.ComponentPropertyLastModified); changed != nil && e.GetProperty(ics.ComponentPropertyRecurrenceId) != nil {
		p = changed
	}
	if p == nil {
		return time.Time{}, nil
	}
	wall, zone, _, err := icsTime(p.Value, p.ICalParameters, "UTC")
	return sla.Instant(wall, zone), err
}

// duration is the time from start to end: by the clock for whole days, else elapsed
// time.
func (e event) duration() (time.Duration, error) {
	if p := e.GetProperty(ics.ComponentPropertyDtEnd); p != nil {
		end, zone, day, err := icsTime(p.Value, p.ICalParameters, e.zone)
		switch {
		case err != nil:
			return 0, err
		case day != e.day:
			return 0, errors.New("it begins with a date and ends with a time, or the other way")
		case day:
			return end.Sub(e.start), nil
		}
		return sla.Instant(end, zone).Sub(sla.Instant(e.start, e.zone)), nil
	}
	if p := e.GetProperty(ics.ComponentPropertyDuration); p != nil {
		return icsDuration(p.Value)
	}
	if e.day {
		return 24 * time.Hour, nil
	}
	return 0, nil
}

// times returns the wall times of all properties of a kind, in the event's zone.
func (e event) times(kind ics.ComponentProperty) ([]time.Time, error) {
	var all []time.Time
	for _, p := range e.GetProperties(kind) {
		for text := range strings.SplitSeq(p.Value, ",") {
			t, err := e.wallTime(text, p.ICalParameters)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", kind, err)
			}
			all = append(all, t)
		}
	}
	return all, nil
}

// wallTime converts a time to a wall time in the event's zone.
func (e event) wallTime(text string, parameters map[string][]string) (time.Time, error) {
	t, zone, _, err := icsTime(text, parameters, e.zone)
	if err != nil || zone == e.zone {
		return t, err
	}
	loc, err := time.LoadLocation(e.zone)
	if err != nil {
		return t, err
	}
	local := sla.Instant(t, zone).In(loc)
	_, offset := local.Zone()
	return local.UTC().Add(time.Duration(offset) * time.Second), nil
}

// replace removes the instance that e replaces from its recurring event.
func (e event) replace(master *sla.Recurrence) error {
	id := e.GetProperty(ics.ComponentPropertyRecurrenceId)
	if len(id.ICalParameters["RANGE"]) > 0 {
		return errors.New("RECURRENCE-ID with RANGE is not known; end the event with UNTIL and begin another")
	}
	if master == nil {
		return nil // the recurring event is cancelled, or not in the file
	}
	of := event{VEvent: e.VEvent, zone: master.Zone}
	at, err := of.wallTime(id.Value, id.ICalParameters)
	if err != nil {
		return err
	}
	master.Except = append(master.Except, at)
	return nil
}

// icsTime parses a time. It returns the wall time, its zone, and whether it is a date
// without a time.
func icsTime(text string, parameters map[string][]string, zone string) (wall time.Time, in string, day bool, err error) {
	if ids := parameters["TZID"]; len(ids) > 0 {
		if in = icsZone(ids[0]); in == "" {
			return wall, "", false, fmt.Errorf("the time zone %q is none of the IANA database", ids[0])
		}
		zone = in
	}
	text = strings.TrimSpace(text)
	switch {
	case len(text) == len("20060102"):
		wall, err = time.Parse("20060102", text)
		return wall, zone, true, plainTimeError(text, err)
	case strings.HasSuffix(text, "Z"):
		wall, err = time.Parse("20060102T150405Z", text)
		return wall, "UTC", false, plainTimeError(text, err)
	}
	wall, err = time.Parse("20060102T150405", text)
	return wall, zone, false, plainTimeError(text, err)
}

func plainTimeError(text string, err error) error {
	if err != nil {
		return fmt.Errorf("%q is no time that is known here", text)
	}
	return nil
}

// icsZone is the IANA name in a TZID. Some programs put a prefix before it.
func icsZone(id string) string {
	id = strings.Trim(id, `"`)
	for {
		if knownZone(id) {
			return id
		}
		_, rest, found := strings.Cut(strings.TrimPrefix(id, "/"), "/")
		if !found {
			return ""
		}
		id = rest
	}
}

var icsDurationText = regexp.MustCompile(`^\+?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

// icsDuration parses a DURATION. Its days have 24 hours.
func icsDuration(text string) (time.Duration, error) {
	m := icsDurationText.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("DURATION %q is not known", text)
	}
	var sum time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, err := strconv.Atoi(m[i+1])
		if m[i+1] != "" && (err != nil || n > 1_000_000) {
			return 0, fmt.Errorf("DURATION %q is too long", text)
		}
		sum += time.Duration(n) * unit
	}
	return sum, nil
}
