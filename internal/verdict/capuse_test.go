package verdict_test

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
)

func TestCapsOverSeveralPeriods(t *testing.T) {
	a := load(t, `  period: month
  maintenance: {effect: treat_as_up, windows: [{rrule: "FREQ=MONTHLY;BYMONTHDAY=10", start: "2026-01-10T00:00", duration: 4h}], cap: {excludedDowntime: 5h, per: quarter}}
`+upLevel)[0]
	month := func(name string, previous ...*verdict.Report) *verdict.Report {
		in := periodOf(a, utc(t, name+"-15"))
		in.Previous = previous
		window := utc(t, name+"-10")
		in.Evidence.Levels = []verdict.LevelEvidence{evidence("shop", "up", flow{in.Start, in.End, []verdict.Stretch{down(window, window.Add(4*time.Hour))}}.stretches())}
		return judge(t, in)
	}
	first := month("2026-04")
	wantLevel(t, first, map[string]string{"bad": "0", "excused": "14400"})
	if e := first.Exclusions[0]; e.CapLeft != "3600" || len(first.Findings) != 0 {
		t.Errorf("after April %s s are left, %+v", e.CapLeft, first.Findings)
	}
	second := month("2026-05", first)
	wantLevel(t, second, map[string]string{"bad": "10800", "excused": "3600"}) // the overrun counts
	if e := second.Exclusions[0]; e.CapLeft != "0" || second.Levels[0].Caps[0].Used != "18000" {
		t.Errorf("after May %s s are left, used %+v", e.CapLeft, second.Levels[0].Caps)
	}
	alone := month("2026-05")
	wantLevel(t, alone, map[string]string{"bad": "0"})
	if len(alone.Findings) != 1 || alone.Findings[0].Kind != "cap_before_period" {
		t.Errorf("nobody is told that April is not known: %+v", alone.Findings)
	}
	wantLevel(t, month("2026-07", second), map[string]string{"bad": "0", "excused": "14400"}) // the next quarter
}
