package web

import (
	"strings"
	"time"
)

// failureView is one failure, or several equal ones in a row.
type failureView struct {
	At, First    stamp // of the newest and of the oldest of them
	Times        int
	Reason       string
	Detail       string
	Took         string // the longest
	Inconclusive bool

	took time.Duration
}

// failures merges equal failures in a row: an outage is one line, not one for
// each probe.
func failures(all []Failure, c clock) []failureView {
	var views []failureView
	for _, f := range all {
		at, reason := c.stamp(f.At), strings.ReplaceAll(f.Reason, "_", " ")
		if n := len(views); n > 0 {
			if last := &views[n-1]; last.Reason == reason && last.Detail == f.Detail && last.Inconclusive == f.Inconclusive {
				last.First, last.Times, last.took = at, last.Times+1, max(last.took, f.Duration)
				last.Took = probeTime(last.took)
				continue
			}
		}
		views = append(views, failureView{
			At: at, First: at, Times: 1, Reason: reason, Detail: f.Detail,
			Took: probeTime(f.Duration), Inconclusive: f.Inconclusive, took: f.Duration,
		})
	}
	return views
}
