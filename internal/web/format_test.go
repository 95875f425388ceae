package web

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/sla"
)

// plain parses a printed number.
func plain(t interface{ Fatalf(string, ...any) }, text string) float64 {
	text = strings.NewReplacer(thin, "", "%", "", "\u2212", "-").Replace(text)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("%q is no number: %v", text, err)
	}
	return v
}

func TestAchieved(t *testing.T) {
	for _, c := range []struct {
		ratio        float64
		target, want string
	}{
		{0.9995, "99.9", "99.95 %"},
		{0.998996, "99.9", "99.8996 %"},
		{0.9989999, "99.9", "99.89999 %"},
		{1 - 0.001, "99.9", "99.90 %"}, // exactly the target, but for float noise
		{0.99999, "99.9", "99.999 %"},
		{1, "99.9", "100.00 %"},
		{1 - 1e-14, "99.9", "100.00 %"},
		{0, "99.9", "0.00 %"},
		{0.00001, "99.9", "0.001 %"},
		{0.999949999, "99.995", "99.9949999 %"},
	} {
		got := strings.ReplaceAll(achievedPercent(c.ratio, sla.MustDecimal(c.target)), thin, " ")
		if got != c.want {
			t.Errorf("achieved(%v, %s) = %s, want %s", c.ratio, c.target, got, c.want)
		}
	}
}

// However close, a shown share is on the same side of the target as the measured
// one, and only 1 is shown as 100 %.
func TestAchievedNeverTurnsABreachIntoAPass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		thousandths := rapid.Int64Range(1, 100_000).Draw(t, "target in thousandths of a percent")
		target := sla.NewDecimal(thousandths, 1000)
		off := math.Pow(10, -rapid.Float64Range(0, 11).Draw(t, "distance")) * rapid.SampledFrom([]float64{-1, 1}).Draw(t, "side")
		ratio := min(1, max(0, target.Float64()/100+off))
		shown := plain(t, achievedPercent(ratio, target))
		if missed := below(ratio, target.Float64()/100); missed && shown >= target.Float64() {
			t.Fatalf("%v misses %s %%, but is shown as %v %%", ratio, target, shown)
		} else if !missed && shown < target.Float64()-1e-9 {
			t.Fatalf("%v meets %s %%, but is shown as %v %%", ratio, target, shown)
		}
		if below(ratio, 1) && shown >= 100 {
			t.Fatalf("%v is shown as all", ratio)
		}
	})
}

func TestBudgetLeftNeverLooksBetterThanItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		left := rapid.Float64Range(-5, 1).Draw(t, "left")
		text := budgetLeft(left)
		if strings.HasPrefix(text, "<") {
			if left <= 0 || left >= 0.001 {
				t.Fatalf("%v is shown as %s", left, text)
			}
			return
		}
		shown := plain(t, strings.TrimSuffix(text, " over")) / 100
		if strings.HasSuffix(text, "over") {
			shown = -shown
		}
		if shown > left+1e-9 || shown < left-0.00101 {
			t.Fatalf("%v is shown as %s", left, text)
		}
	})
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                "0 s",
		200 * time.Millisecond:           "< 1 s",
		59900 * time.Millisecond:         "59 s",
		38*time.Minute + 12*time.Second:  "38 min 12 s",
		43 * time.Minute:                 "43 min",
		2*time.Hour + 5*time.Minute + 59: "2 h 5 min",
		75*time.Hour + 59*time.Minute:    "3 d 3 h",
	} {
		got := strings.NewReplacer(thin, " ", "\u00a0", " ").Replace(span(d))
		if got != want {
			t.Errorf("span(%s) = %q, want %q", d, got, want)
		}
	}
	if got := spanUp(1001 * time.Millisecond); got != "2"+thin+"s" {
		t.Errorf("what is overspent is rounded down: %s", got)
	}
}

func TestSmallNumbersStayVisible(t *testing.T) {
	for got, want := range map[string]string{
		percent(0.00001): "< 0.01 %", percent(0): "0 %", percent(0.1234): "12.3 %", percent(12): "1 200 %", percent(-0.5): "−50.0 %",
		times(0.004): "< 0.01×", times(0): "0×", times(14.4): "14.4×", times(1000): "1 000×",
		count(1234567.8, true): "1 234 567", count(0.25, false): "0.3", count(0.25, true): "0.2", count(3, false): "3",
		probeTime(0): "–", probeTime(40 * time.Microsecond): "< 1 ms", probeTime(12 * time.Millisecond): "12 ms", probeTime(1250 * time.Millisecond): "1.25 s",
	} {
		if got = strings.ReplaceAll(got, thin, " "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The strip judges each step by the objective, and is no longer than necessary.
func TestStrip(t *testing.T) {
	s := sample()[0]
	s.History = nil
	for i := 60; i >= 0; i-- { // ten minutes, the two last minutes bad
		good := Known(1)
		if i < 12 {
			good = Known(0.5)
		}
		s.History = append(s.History, Point{At: noon.Add(-time.Duration(i) * 10 * time.Second), Good: good})
	}
	v := newStrip(s, noon)
	if strings.ReplaceAll(v.Span, thin, " ") != "15 min" || len(v.Cells) != stripCells {
		t.Fatalf("%d cells over %s, want 60 over 15 min", len(v.Cells), v.Span)
	}
	classes := ""
	for _, c := range v.Cells {
		classes += c.Class[:1]
		if c.Y < 0 || c.Y+c.Height > stripHeight+1e-9 {
			t.Errorf("cell %+v sticks out", c)
		}
	}
	if want := strings.Repeat("n", 19) + strings.Repeat("g", 33) + strings.Repeat("b", 8); classes != want {
		t.Errorf("cells\n%s, want\n%s", classes, want)
	}
	if !strings.Contains(v.Words, "33 of 41 measured steps") {
		t.Errorf("in words: %s", v.Words)
	}
}

func TestNeighbouringFailuresAlikeAreOne(t *testing.T) {
	at := func(s int, reason string) Failure {
		return Failure{At: noon.Add(-time.Duration(s) * time.Second), Reason: reason, Duration: time.Duration(s) * time.Millisecond}
	}
	got := failures([]Failure{at(1, "status"), at(2, "status"), at(3, "dns"), at(4, "status")}, atNoon)
	if len(got) != 3 || got[0].Times != 2 || got[1].Times != 1 || got[2].Times != 1 {
		t.Fatalf("%+v", got)
	}
	if got[0].At.ISO != "2026-03-14T11:59:59Z" || got[0].First.ISO != "2026-03-14T11:59:58Z" || !strings.HasPrefix(got[0].Took, "2") {
		t.Errorf("%+v does not reach from the oldest to the newest with the longest time", got[0])
	}
}

// An inconclusive probe must not hide the last real failure.
func TestTheLastFailureIsOneThatCounts(t *testing.T) {
	s := sample()[0]
	s.Failures = append([]Failure{{At: noon, Reason: "late", Inconclusive: true}}, s.Failures...)
	if v := newLevel(s, atNoon); v.LastFailure == nil || v.LastFailure.Reason != "status" {
		t.Errorf("last failure %+v", v.LastFailure)
	}
	s.Failures = s.Failures[:1]
	if v := newLevel(s, atNoon); v.LastFailure != nil {
		t.Errorf("last failure %+v, though none counts", v.LastFailure)
	}
}
