package headline

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

var at = time.Date(2026, 12, 1, 9, 26, 0, 0, time.UTC)

func level(name string, state sla.State, left float64) Level {
	return Level{ID: sla.ID{SLA: "shop", Service: "api", SLO: name}, State: state, Since: at.Add(-12 * time.Minute), Left: &left, Allowed: 43*time.Minute + 12*time.Second}
}

func TestOneSentence(t *testing.T) {
	paying := level("paying", sla.StateDown, 1-6.0/432)
	paying.Impact, paying.Allowed = "Nobody can pay.", 432*time.Second
	http := Why{"status", "HTTP 503, and something that nobody needs to know"}
	for _, name := range []string{"psp-a", "psp-b", "psp-a"} {
		paying.Down = append(paying.Down, Component{name + "/availability", sla.ID{SLA: "shop", Service: name, SLO: "availability"}, http})
	}
	step := level("journey", sla.StateDown, 0.999)
	step.Why = Why{"status", "step pay, POST https://shop.example/pay: HTTP 502"}
	several := paying
	several.Down = []Component{{"psp-a/up", sla.ID{}, http}, {"psp-a/fast", sla.ID{}, Why{Reason: "slow"}}, {"psp-b/up", sla.ID{}, Why{}}}
	psp := level("availability", sla.StateDown, 0)
	psp.ID.Service = "psp-a"
	own := level("own", sla.StateDown, 0.999)
	own.Why, own.Credit = Why{"dns", "no such host"}, 2.5
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	abroad := own
	abroad.Zone, abroad.Since, abroad.Why.Reason = berlin, at.AddDate(0, 0, -1), "new_reason"
	nearly := level("nearly", sla.StateDegraded, 0.001)
	nearly.Since, nearly.Group = time.Time{}, "tenant=acme"
	of := func(agreement string, l Level) Level { l.ID.SLA = agreement; return l }
	unknown := level("x", sla.StateUnknown, 1)
	for _, test := range []struct {
		levels []Level
		want   string
	}{
		{nil, ""},
		{[]Level{psp, paying}, "Nobody can pay since 09:14: psp-a and psp-b answer 503; 6 s of 7 min are spent."},
		{[]Level{several}, "Nobody can pay since 09:14: psp-a/up answers 503, psp-a/fast answers too slowly and psp-b is down; 6 s of 7 min are spent."},
		{[]Level{own, nearly, unknown}, "api/own is down since 09:14: it does not resolve; 3 s of 43 min are spent, a credit of 2.5 % is owed. Also degraded: api/nearly of tenant=acme. Also unknown: api/x."},
		{[]Level{abroad}, "api/own is down since 30 Nov 10:26 CET: it fails (new reason); 3 s of 43 min are spent, a credit of 2.5 % is owed."},
		{[]Level{step}, "api/journey is down since 09:14: it answers 502; 3 s of 43 min are spent."},
		{[]Level{nearly}, "api/nearly of tenant=acme is degraded; 43 min 9 s of 43 min 12 s are spent."},
		{[]Level{unknown, unknown}, "Nothing is known: no level is measured."},
		{[]Level{of("a", level("x", sla.StateUp, 1)), of("b", level("x", sla.StateUp, 0.123456))}, "All 2 levels are up; the least budget left is 12.3 %, of b:api/x."},
		{[]Level{level("x", sla.StateMaintenance, 1)}, "api/x is in maintenance."},
	} {
		if got := New(test.levels, at).Plain(); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestTimesAsPeopleSayThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 400 * time.Millisecond: "0 s", 59 * time.Second: "59 s", 59*time.Second + 700*time.Millisecond: "1 min", 7*time.Minute + 12*time.Second: "7 min",
		59*time.Minute + 40*time.Second: "1 h", 2*time.Hour + 40*time.Minute: "2 h 40 min", 13*time.Hour + 40*time.Minute: "14 h", 76*time.Hour + 10*time.Minute: "3 d 4 h",
	} {
		if got := (Sentence{Rest: Span(d)}).Plain(); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
	for share, want := range map[float64]string{0: "0 %", 0.0001: "0.1 %", 0.25: "25 %", 0.7501: "76 %", 0.9999: "99 %", 1: "100 %", 2.5: "250 %"} {
		if got := (Sentence{Rest: percentUp(share)}).Plain(); got != want {
			t.Errorf("%g is %q, want %q", share, got, want)
		}
	}
}
