package exporter

import (
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// Good results that took longer than a threshold are remembered apart: twenty fast ones do not
// push them out, and what a target without thresholds took is nobody's concern.
func TestSlowResultsAreRemembered(t *testing.T) {
	e := New(Options{})
	targetOf := func(thresholds ...time.Duration) *target {
		return &target{spec: &sla.ProbeTarget{Probe: &sla.Probe{Check: &sla.TCPCheck{Address: "127.0.0.1:1"}}, Thresholds: thresholds}, history: &history{}, exporter: e}
	}
	timed, untimed := targetOf(300*time.Millisecond, time.Second), targetOf()
	at := time.Unix(1000, 0)
	for i, took := range []time.Duration{time.Second, 300 * time.Millisecond, 2 * time.Second} {
		r := Record{At: at.Add(time.Duration(i) * time.Second), Outcome: probe.Good, Duration: took, Count: 1}
		timed.remember(r)
		untimed.remember(r)
	}
	timed.remember(Record{At: at.Add(4 * time.Second), Outcome: probe.Bad, Reason: probe.Status, Duration: 5 * time.Second, Count: 1})
	for i := range 30 {
		timed.remember(Record{At: at.Add(time.Duration(10+i) * time.Second), Outcome: probe.Good, Duration: time.Millisecond, Count: 1})
	}
	slow := timed.history.slowest()
	if len(slow) != 2 || slow[0].Duration != 2*time.Second || slow[1].Duration != time.Second {
		t.Errorf("slow are %+v", slow)
	}
	if slow := untimed.history.slowest(); len(slow) != 0 {
		t.Errorf("without thresholds %+v are slow", slow)
	}
}
