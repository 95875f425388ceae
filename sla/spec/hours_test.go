package spec_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// What is read of hours, windows and exclusions is what is written.
func TestServiceHours(t *testing.T) {
	agreements, findings := spec.Load("testdata/valid/service-hours.yaml")
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	a := agreements[0]
	levels := map[string]*sla.ServiceLevel{}
	for _, l := range a.Levels {
		levels[l.ID.SLO] = l
	}
	at := func(text string) time.Time {
		loc, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		got, err := time.ParseInLocation("2006-01-02 15:04", text, loc)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for text, want := range map[string]bool{
		"2026-10-29 08:00": true, "2026-10-29 19:59": true, "2026-10-29 20:00": false, "2026-10-30 12:00": false, "2026-10-31 10:00": true, "2026-10-31 14:00": false,
		"2026-12-24 08:30": false, "2026-12-24 12:59": true, "2026-12-24 13:30": false, "2026-12-24 14:30": true, "2026-12-25 12:00": false, "2030-12-25 12:00": false,
		"2026-12-31 12:00": false, "2027-12-31 12:00": true,
	} {
		prime, rest := levels["prime"].ServiceHours.InService(at(text)), levels["non-prime"].ServiceHours.InService(at(text))
		if prime != want || rest == want {
			t.Errorf("%s: in service %v, its complement %v, want %v", text, prime, rest, want)
		}
	}
	if s := levels["support"].ServiceHours; !s.InService(at("2026-11-10 04:00")) || !s.InService(at("2026-11-11 11:59")) || s.InService(at("2026-11-11 12:00")) {
		t.Error("22:00 to 06:00 in New York is 04:00 to 12:00 in Berlin, and belongs to Monday and Tuesday")
	}
	if levels["always"].ServiceHours != nil || len(levels["always"].Exclusions) != 0 || len(levels["prime"].Exclusions) != 4 || len(levels["non-prime"].Exclusions) != 2 {
		t.Errorf("exclusions %v", levels["non-prime"].Exclusions)
	}
	if len(a.Calendars) != 3 || a.Calendars[1].Of != "prime" {
		t.Errorf("calendars %+v", a.Calendars)
	}
	maintenance := a.Exclusions[0]
	if c := maintenance.Cap; c == nil || c.WindowTime != 240*time.Hour || c.Downtime != 0 || c.Per != (sla.Period{Calendar: sla.Month, Zone: "Europe/Berlin"}) {
		t.Errorf("the cap of maintenance is %+v", c)
	}
	if c := a.Exclusions[2].Cap; c == nil || c.Downtime != 4*time.Hour || c.Per.FiscalOffset != 1 || c.Notice.Severity != "page" || c.Notice.For != 10*time.Minute || c.Notice.Labels["channel"] != "managers" {
		t.Errorf("the cap of outside-tests is %+v", c)
	}
	for text, want := range map[string]bool{
		"2026-12-01 21:59": false, "2026-12-01 22:00": true, "2026-12-02 03:59": true, "2026-12-02 04:00": false, // one-off
		"2026-12-05 23:30": true, "2026-12-06 00:30": false, // in UTC
		"2026-03-29 01:30": true, "2026-03-29 05:59": true, "2026-10-25 03:59": true, "2026-10-25 04:00": false, // four hours of Sundays on which clocks change
		"2026-02-10 22:00": true, "2026-02-11 00:59": true, "2026-02-11 01:00": false, // second Tuesday
		"2026-08-11 22:30": false, "2026-03-10 22:30": false, "2026-03-11 22:30": true, // left out, and moved
		"2026-03-28 00:00": true, "2026-03-29 23:59": true, "2026-03-30 00:00": false, // two days
		"2026-05-01 03:00": false, // cancelled
		"2026-06-01 06:00": true, "2026-06-01 07:30": false, "2026-07-01 06:10": true, "2026-08-01 07:29": true,
	} {
		if got := maintenance.Spans(at("2026-01-01 00:00"), at("2027-01-01 00:00")).Contain(at(text)); got != want {
			t.Errorf("%s: in maintenance %v, want %v", text, got, want)
		}
	}
	storm := a.Exclusions[3].Windows[0].Once
	if storm.To.Sub(storm.From) != 35*time.Hour {
		t.Errorf("the storm is %v", storm)
	}
}

// A window that was announced too late excuses nothing.
func TestNotice(t *testing.T) {
	e := &sla.Exclusion{Notice: 5 * 24 * time.Hour}
	from := time.Date(2026, 12, 1, 22, 0, 0, 0, time.UTC)
	for days, want := range map[int]int{4: 0, 5: 1, 6: 1} {
		e.Windows = []*sla.Window{{Once: sla.Span{From: from, To: from.Add(time.Hour)}, Announced: from.AddDate(0, 0, -days)}}
		if got := e.Spans(from.AddDate(0, -1, 0), from.AddDate(0, 1, 0)); len(got) != want {
			t.Errorf("announced %d days before: %v", days, got)
		}
	}
}

// Calendars that other programs write, and those that are none.
func TestICalendarFiles(t *testing.T) {
	event := func(lines ...string) string {
		return "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\n" + strings.Join(lines, "\n") + "\nEND:VEVENT\nEND:VCALENDAR\n"
	}
	for name, test := range map[string]struct{ text, want string }{
		"prefixed zone":  {event("DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260701T100000", "DTEND;TZID=Europe/Berlin:20260701T110000"), "2026-07-01T08:00:00Z 1h0m0s"},
		"floating":       {event("DTSTART:20260701T100000", "DURATION:P1W"), "2026-07-01T08:00:00Z 168h0m0s"},
		"no length":      {event("DTSTART:20260701T100000Z"), ""},
		"one day":        {event("DTSTART;VALUE=DATE:20261025"), "2026-10-24T22:00:00Z 25h0m0s"},
		"other zone end": {event("DTSTART;TZID=Europe/Berlin:20260701T100000", "DTEND;TZID=America/New_York:20260701T050000"), "2026-07-01T08:00:00Z 1h0m0s"},
		"windows zone":   {event("DTSTART;TZID=W. Europe Standard Time:20260701T100000", "DURATION:PT1H"), "time zone"},
		"bad rule":       {event("DTSTART:20260701T100000Z", "DURATION:PT1H", "RRULE:FREQ=SOMETIMES"), "RRULE"},
		"bad time":       {event("DTSTART:yesterday", "DURATION:PT1H"), "no time"},
		"bad duration":   {event("DTSTART:20260701T100000Z", "DURATION:long"), "DURATION"},
		"no start":       {event("SUMMARY:x"), "DTSTART"},
		"backwards":      {event("DTSTART:20260701T100000Z", "DTEND:20260701T090000Z"), "lasts -1h"},
		"this and after": {event("DTSTART:20260701T100000Z", "DURATION:PT1H", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260701T100000Z"), "RANGE"},
		"no calendar":    {"<html>sign in</html>", "BEGIN:VCALENDAR"},
		"cut off":        {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID", "no calendar"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "w.ics"), []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		agreements, findings := spec.LoadText(filepath.Join(dir, "spec.yaml"), `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  timeZone: Europe/Berlin
  maintenance: {effect: treat_as_up, windows: [{ics: w.ics}]}
  serviceLevels: [{name: a, indicator: {events: {bad: b, total: t}}, target: "99"}]
`)
		got := ""
		for _, w := range agreements[0].Exclusions[0].Windows {
			got += fmt.Sprintf("%s %s", w.Once.From.Format(time.RFC3339), w.Once.To.Sub(w.Once.From))
		}
		for _, f := range findings {
			got += f.Message
		}
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
