package enginetest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/enginetest"
)

// groupsOf are groups that record how old the newest sample of x is, and how
// many evaluations there were.
func groupsOf(names ...string) []byte {
	var b strings.Builder
	b.WriteString("groups:\n")
	for _, n := range names {
		fmt.Fprintf(&b, "- name: %s\n  interval: 1m\n  rules:\n", n)
		fmt.Fprintf(&b, "  - {record: age, expr: 'time() - timestamp(x)', labels: {group: %s}}\n", n)
		fmt.Fprintf(&b, "  - {alert: Old, expr: 'x > 0', for: 15m, labels: {group: %s}}\n", n)
	}
	return []byte(b.String())
}

func always(time.Time) []enginetest.Sample { return []enginetest.Sample{{Series: "x", Value: 1}} }

// Groups are evaluated at moments that their names decide, and see scrapes only
// when these have ended.
func TestGroupsSeeScrapesThatHaveEnded(t *testing.T) {
	const scrape, takes = 15 * time.Second, 8 * time.Second
	w := enginetest.NewAt(t, enginetest.Start.Add(3*time.Second), scrape, always)
	w.Behave(enginetest.Timing{ScrapeTakes: func(time.Time) time.Duration { return takes }})
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	w.Load(groupsOf(names...))
	w.Run(10 * time.Minute)
	offsets := map[time.Duration]bool{}
	for _, n := range names {
		offset := w.Offset(n)
		offsets[offset] = true
		since := (offset + time.Minute - 3*time.Second) % scrape // the last scrape began
		if since < takes {
			since += scrape
		}
		if got := w.Value(fmt.Sprintf(`age{group=%q}`, n)); got < since.Seconds()-0.01 || got > since.Seconds()+0.01 {
			t.Errorf("%s, at %s after the minute: the newest sample is %gs old, want %s", n, offset, got, since)
		}
	}
	if len(offsets) != len(names) {
		t.Errorf("%d groups are evaluated at %d moments", len(names), len(offsets))
	}
}

// A group that misses an evaluation records nothing; others go on.
func TestEvaluationsAreMissed(t *testing.T) {
	w := enginetest.New(t, 15*time.Second, always)
	missed := 0
	w.Behave(enginetest.Timing{Misses: func(group string, _ time.Time) bool {
		if group == "a" && missed < 3 {
			missed++
			return true
		}
		return false
	}})
	w.Load(groupsOf("a", "b"))
	w.Run(20 * time.Minute)
	for group, want := range map[string]float64{"a": 17, "b": 20} {
		if got := w.Value(fmt.Sprintf(`count_over_time(age{group=%q}[30m])`, group)); got != want {
			t.Errorf("%s was evaluated %v times, want %v", group, got, want)
		}
	}
}

// After a restart alerts have their `for` back, and groups their moments.
func TestRestartsGiveAlertsTheirStateBack(t *testing.T) {
	w := enginetest.New(t, 15*time.Second, always)
	w.Load(groupsOf("a"))
	w.Run(12 * time.Minute)
	before := w.Offset("a")
	w.Restart(3 * time.Minute)
	if after := w.Offset("a"); after != before {
		t.Errorf("evaluated at %s, %s before", after, before)
	}
	down := w.Value(`time()`)
	w.Run(25 * time.Minute)
	first := w.Transitions()
	if len(first) != 1 || !first[0].Firing {
		t.Fatalf("transitions %v, want one alert", first)
	}
	// Of the fifteen minutes twelve had passed; ten more are the grace of a restart.
	if after := float64(first[0].At.Unix()) - down; after < 540 || after > 780 {
		t.Errorf("fired %gs after the restart, want about 600", after)
	}
	if got := w.Value(`count_over_time(age[1h])`); got < 36 || got > 37 {
		t.Errorf("%v evaluations in forty minutes of which three were down", got)
	}
}

// A step of the clock moves evaluations to the new time, and scrapes of targets
// that know nothing of it; a clock that was set back adds nothing until it is
// where it was.
func TestClockIsSet(t *testing.T) {
	var asked time.Time
	target := func(at time.Time) []enginetest.Sample {
		asked = at
		return []enginetest.Sample{{Series: "x", Value: float64(at.Sub(enginetest.Start) / time.Second)}}
	}
	w := enginetest.New(t, 15*time.Second, target)
	w.Load(groupsOf("a"))
	w.Run(10 * time.Minute)
	const step = 37*time.Minute + 13*time.Second
	w.Step(step)
	w.Run(10 * time.Minute)
	if got := asked.Sub(enginetest.Start); got != 20*time.Minute-15*time.Second {
		t.Errorf("targets lived %s", got)
	}
	if got := w.Value(`count_over_time(age[10m])`); got < 9 || got > 10 {
		t.Errorf("%v evaluations in ten minutes", got)
	}
	if got := w.Now().Sub(enginetest.Start); got != 20*time.Minute+step {
		t.Errorf("the server's clock has gone %s", got)
	}
	w.Step(-step)
	w.Run(30 * time.Minute)
	if got := w.Value(`x`); got > 1200 { // it had seen as many until then
		t.Errorf("a sample of %v s was taken before the clock was where it had been", got)
	}
	w.Run(10 * time.Minute)
	if got := w.Value(`x`); got < 3500 {
		t.Errorf("the last sample is of %v s", got)
	}
}

// A process that was stopped does at once, and once, what it should have done.
func TestProcessIsSuspended(t *testing.T) {
	w := enginetest.New(t, 15*time.Second, always)
	w.Load(groupsOf("a"))
	w.Run(10 * time.Minute)
	before, offset := w.Value(`count_over_time(age[1h])`), w.Offset("a")
	w.Suspend(5 * time.Minute)
	w.Run(10 * time.Minute)
	if got := w.Value(`count_over_time(age[1h])`); got != before+11 {
		t.Errorf("%v evaluations, %v before, want eleven more", got, before)
	}
	if got := w.Offset("a"); got != offset {
		t.Errorf("evaluated at %s, %s before", got, offset)
	}
}
