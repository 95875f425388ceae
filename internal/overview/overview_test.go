package overview

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/internal/inspect"
	"github.com/upheld-sla/upheld/sla"
)

var at = time.Date(2026, 12, 1, 9, 26, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

// level is a level by time that promises 99.9 % of 30 days.
func level(name string, state sla.State, left float64) inspect.LevelNow {
	return inspect.LevelNow{
		ID: sla.ID{SLA: "shop", Service: "checkout", SLO: name}, Indicator: "probe", ByTime: true, Target: "99.9", State: &state, Since: at.Add(-12 * time.Minute),
		Periods: []inspect.PeriodNow{{Period: "30d", Achieved: ptr(1 - 0.001*(1-left)), Left: &left, Budget: 43*time.Minute + 12*time.Second}},
	}
}

func TestSentenceSaysWhatMattersMost(t *testing.T) {
	composite := level("paying", sla.StateDown, 0.4)
	composite.Down = []inspect.ComponentNow{{Component: "psp-a/up", Since: at}, {Component: "psp-b/up", Since: at}}
	owed := level("owed", sla.StateDown, -0.5)
	owed.Periods[0].Credit = ptr(10.0)
	unknown := level("lost", sla.StateUnknown, 0.5)
	unknown.SinceBefore = true
	events := level("events", sla.StateDegraded, 0.25)
	events.ByTime, events.Periods[0].Budget, events.Periods[0].Period = false, 0, "month"
	alerting := level("quiet", sla.StateUp, 0.9)
	alerting.Alerts = []inspect.AlertNow{{Name: "SLABudgetBurn", Severity: "ticket"}}
	psp := func(name string) inspect.LevelNow {
		l := level("availability", sla.StateDown, 0.1)
		l.ID.Service, l.Reasons = name, []string{"overload", "connect_refused"}
		return l
	}
	named := level("paying", sla.StateDown, 0.4)
	named.Impact, named.Down = "Nobody can pay", []inspect.ComponentNow{{Component: "psp-a/availability", Since: at}, {Component: "psp-b/availability", Since: at}}
	events.BadShare = ptr(0.4)
	answers := func(l inspect.LevelNow, status int) inspect.LevelNow {
		l.Reasons, l.HTTPStatus = []string{"late", "status", "timeout"}, status
		return l
	}
	for _, test := range []struct {
		levels []inspect.LevelNow
		want   string
	}{
		{nil, "The server has nothing of these levels."},
		{[]inspect.LevelNow{level("up", sla.StateUp, 1)}, "checkout/up is up."},
		{[]inspect.LevelNow{level("a", sla.StateUp, 0.9), level("b", sla.StateUp, 0.7)}, "All 2 levels are up; the least budget left is 70 %, of checkout/b."},
		{[]inspect.LevelNow{composite, level("c", sla.StateUp, 1)}, "checkout/paying is down since 09:14: psp-a and psp-b are down; 26 min of 43 min are spent."},
		{[]inspect.LevelNow{psp("psp-a"), psp("psp-b"), named, level("x", sla.StateDown, 1)}, "Nobody can pay since 09:14: psp-a and psp-b refuse connections; 26 min of 43 min are spent. Also down: checkout/x."},
		{[]inspect.LevelNow{answers(psp("psp-a"), 503), answers(psp("psp-b"), 503), named}, "Nobody can pay since 09:14: psp-a and psp-b answer 503; 26 min of 43 min are spent."},
		{[]inspect.LevelNow{answers(psp("psp-a"), 0), answers(psp("psp-b"), 502), named}, "Nobody can pay since 09:14: psp-a answers with a wrong status and psp-b answers 502; 26 min of 43 min are spent."},
		{[]inspect.LevelNow{owed, alerting}, "checkout/owed is down since 09:14; its budget of 43 min is overspent by 22 min, a credit of 10 % is owed."},
		{[]inspect.LevelNow{unknown, alerting}, "Nobody knows how checkout/lost is since before 09:14; 22 min of 43 min are spent."},
		{[]inspect.LevelNow{events}, "checkout/events is degraded since 09:14: 40 % of the last five minutes’ events are bad; 75 % of its budget is spent."},
	} {
		if got := New("http://server", at, test.levels, nil).Sentence; got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

// The worst comes first: what is down before what is unknown, and both before a budget
// that is spent. A level with groups is as its worst group.
func TestWorstFirst(t *testing.T) {
	group := func(tenant string, state sla.State) inspect.LevelNow {
		l := level("grouped", state, 0.9)
		l.Group = "tenant=" + tenant
		return l
	}
	o := New("", at, []inspect.LevelNow{
		level("maintained", sla.StateMaintenance, 1), level("fine", sla.StateUp, 1), level("spent", sla.StateUp, -1), level("lost", sla.StateUnknown, 1), level("down", sla.StateDown, 1),
		group("a", sla.StateUp), group("b", sla.StateDegraded), group("c", sla.StateUp),
	}, nil)
	var got []string
	for _, l := range o.Levels {
		got = append(got, l.Name+l.Group)
	}
	if want := "down groupedtenant=b lost spent maintained fine"; strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	if n := o.Levels[1].Groups; n != 3 {
		t.Errorf("the level has %d groups, not 3", n)
	}
}

// No line is longer than the terminal is wide, whatever there is to say.
func TestLinesFitTheTerminal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var levels []inspect.LevelNow
		for i := range rapid.IntRange(1, 6).Draw(t, "levels") {
			l := level(fmt.Sprint(rapid.StringMatching(`[a-z]{1,40}`).Draw(t, "name"), i), rapid.SampledFrom(sla.States()).Draw(t, "state"), rapid.Float64Range(-5, 1).Draw(t, "left"))
			for range rapid.IntRange(0, 4).Draw(t, "alerts") {
				l.Alerts = append(l.Alerts, inspect.AlertNow{Name: "SLABudgetBurn", Severity: "page", Since: at})
			}
			for range rapid.IntRange(0, 4).Draw(t, "down") {
				l.Down = append(l.Down, inspect.ComponentNow{Component: "psp/availability", Since: at})
			}
			levels = append(levels, l)
		}
		width := rapid.IntRange(80, 200).Draw(t, "width")
		for line := range strings.Lines(New("http://server", at, levels, nil).Text(Look{Width: width, Zone: time.UTC})) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Fatalf("%d columns of %d: %s", n, width, line)
			}
		}
	})
}

func TestFiguresNeverLookBetter(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{achieved(0.999995, "99.9"), "99.999"},
		{achieved(0.9989999, "99.9"), "99.899"},
		{achieved(1, "99.9"), "100"},
		{achieved(0.999, "99.9"), "99.900"},
		{percentDown(0.2999, 1), "29.9 %"},
		{percentDown(-0.0001, 1), "-0.1 %"},
		{percentUp(0.7001), "70.1 %"},
		{Span(0), "0s"},
		{Span(43*time.Minute + 12*time.Second), "43m12s"},
		{Span(-26 * time.Hour), "-1d2h"},
		{Span(3600 * time.Second), "1h"},
		{rate(0), "0x"},
		{rate(0.001), "<0.01x"},
		{rate(14.4), "14.4x"},
		{rate(1000), "1000x"},
	} {
		if test.got != test.want {
			t.Errorf("got %s, want %s", test.got, test.want)
		}
	}
}

// Labels can hold anything; none of it reaches the terminal as anything but text.
func TestHostileLabelsAreText(t *testing.T) {
	l := level("up", sla.StateDown, 0.5)
	l.Group = "tenant=a\x1b[2J\nall is well\u202e\x9b"
	l.Alerts = []inspect.AlertNow{{Name: "A\x1b]0;x\a", Severity: "pa\rge"}}
	l.Down = []inspect.ComponentNow{{Component: "c\x1b[1m", Since: at}}
	got := New("http://server", at, []inspect.LevelNow{l}, []sla.ID{{SLA: "\x1b[5m", Service: "s", SLO: "l"}}).Text(Look{Width: 200, Zone: time.UTC})
	if strings.ContainsAny(got, "\x1b\r\a\u202e\u009b") || strings.Contains(got, "\nall is well") {
		t.Errorf("%q", got)
	}
}
