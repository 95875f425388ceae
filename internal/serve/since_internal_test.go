package serve

import (
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// What an alert was at each minute, the newest last: firing (F), pending (p), not
// active (.), and the server not running (x). It fires since the first F of its run.
func TestAlertsFireSinceBeforeARestart(t *testing.T) {
	for _, c := range []struct {
		name, course string
		want         int // minutes, -1 if it does not fire
	}{
		{"no restart", "..ppFFFF", 4},
		{"a restart with nothing between", "..FFFFxxFFF", 2},
		{"a restart, and a wait before it fires again", "..FFFFxx..ppppppppppppFFF", 2},
		{"two restarts", ".FFFx..FFxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.FF", 1},
		{"over before the restart for longer than a start takes", "FFFF....xx...FF", 13},
		{"over for as long while it ran", "FFFF......FF", 10},
		{"only pending", "....pp", -1},
	} {
		end := time.Unix(1_800_000_000, 0)
		at := func(i int) int64 { return end.Add(time.Duration(i-len(c.course)+1) * time.Minute).UnixMilli() }
		h := alertHistory{step: time.Minute, patience: 5 * time.Minute, running: map[int64]bool{}, firing: map[string]map[int64]bool{}}
		of := map[byte]*promql.Series{
			'F': {Metric: labels.FromStrings("__name__", "ALERTS", "alertname", "a", "alertstate", "firing")},
			'p': {Metric: labels.FromStrings("__name__", "ALERTS", "alertname", "a", "alertstate", "pending")},
		}
		for i := range len(c.course) {
			if c.course[i] != 'x' {
				h.running[at(i)] = true
			}
			if s := of[c.course[i]]; s != nil {
				s.Floats = append(s.Floats, promql.FPoint{T: at(i), F: 1})
			}
		}
		h.add(*of['F'])
		h.add(*of['p'])
		since, fires := h.begun(end)[`{alertname="a"}`]
		if fires != (c.want >= 0) || fires && since.UnixMilli() != at(c.want) {
			t.Errorf("%s: fires %t since %s, want minute %d, which is %s", c.name, fires, since, c.want, time.UnixMilli(at(c.want)))
		}
	}
}
