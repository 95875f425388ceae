package rulegen_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla/spec"
)

// What is well formed and will not do what is meant is found, and nothing is of
// hours and windows that will.
func TestHoursAndWindowsThatWillNotDo(t *testing.T) {
	const prime = `prime: {weekly: [{days: [Mon, Tue], from: "08:00", to: "20:00"}]}`
	for name, test := range map[string]struct{ spec, level, want string }{
		"fine":       {`calendars: {` + prime + `}`, `serviceHours: prime`, ""},
		"complement": {`calendars: {` + prime + `, rest: {complementOf: prime}}`, `serviceHours: rest`, ""},
		"unused":     {`calendars: {` + prime + `}`, ``, "unused-calendar: no service level uses the calendar \"prime\""},
		"never": {`calendars: {` + prime + `}
  maintenance: {effect: remove_from_agreed_time, windows: [{rrule: FREQ=DAILY, start: "2020-01-01T00:00", duration: 24h}]}`, `serviceHours: prime`, `no-hours: the level "a" is never in service`},
		"holidays end": {`holidaySets: {de: ["2026-12-25"]}
  calendars: {prime: {weekly: [{days: [Mon, Tue], from: "08:00", to: "20:00"}], holidays: [de]}}`, `serviceHours: prime`, "holidays-end: the last dated holiday of the calendar \"prime\" is 2026-12-25"},
		"holidays go on": {`holidaySets: {de: ["2027-10-03", "12-25"]}
  calendars: {prime: {weekly: [{days: [Mon, Tue], from: "08:00", to: "20:00"}], holidays: [de]}}`, `serviceHours: prime`, ""},
		"late": {
			`maintenance: {effect: treat_as_up, notice: 5d, windows: [{from: "2026-12-01T10:00", to: "2026-12-01T12:00", announced: "2026-11-30T10:00"}]}`, ``,
			"late-notice: this window was announced 1d before it begins, and maintenance needs 5d",
		},
		"past": {`maintenance: {effect: treat_as_up, windows: [{from: "2019-12-01T10:00", to: "2019-12-01T12:00"}]}`, ``, "past-window: this window of maintenance ended on 2019-12-01"},
		"overlap": {
			`maintenance: {effect: treat_as_up, windows: [{rrule: "FREQ=WEEKLY;BYDAY=SU", start: "2026-01-04T01:00", duration: 4h}, {from: "2026-11-29T03:00", to: "2026-11-29T07:00"}]}`, ``,
			"overlapping-windows: two windows of maintenance overlap on 2026-11-29",
		},
		"outside": {
			`calendars: {` + prime + `}
  maintenance: {effect: treat_as_up, windows: [{rrule: "FREQ=WEEKLY;BYDAY=SU", start: "2026-01-04T01:00", duration: 4h}]}`, `serviceHours: prime`,
			"outside-hours: all windows of maintenance are outside the service hours of every level",
		},
		"too long": {
			`exclusions: [{name: odd, effect: treat_as_up, windows: [{rrule: "FREQ=DAILY;INTERVAL=3", start: "2024-01-01T01:00", duration: 1h}]}]`, ``,
			"large-timetable: the exclusion odd needs 1",
		},
		"no condition": {`exclusions: [{name: odd, effect: treat_as_up, condition: "link_up"}]`, ``, "not-a-condition: "},
		"syntax":       {`exclusions: [{name: odd, effect: treat_as_up, condition: "link_up =="}]`, ``, "promql-syntax: "},
	} {
		agreements, findings := spec.LoadText("spec.yaml", `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  `+test.spec+`
  serviceLevels:
    - {name: a, indicator: {events: {bad: b, total: t}}, target: "99", `+strings.TrimSuffix(test.level+", ", ", ")+`}
`)
		if len(findings) > 0 {
			t.Fatalf("%s: %v", name, findings)
		}
		_, findings = rulegen.Compile(agreements[0], generated2026)
		var got []string
		for _, f := range findings {
			if got = append(got, f.Rule+": "+f.Message); f.Remedy == "" || f.Pos.Line == 0 {
				t.Errorf("%s: no remedy or place: %+v", name, f)
			}
		}
		if test.want == "" && len(got) > 0 || test.want != "" && (len(got) != 1 || !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, test.want) })) {
			t.Errorf("%s: found %q, want %q", name, got, test.want)
		}
	}
}
