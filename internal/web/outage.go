package web

import (
	"strconv"
	"strings"
	"time"
)

// outageView is a time in which a level was down or degraded.
type outageView struct {
	From, To stamp
	GoesOn   bool
	State    mark
	Took     string
	Cost     string // of the budget, if known
	Why      string
}

// mostOutages is how many outages the page of a level lists.
const mostOutages = 50

func newOutages(s LevelStatus, c clock) []outageView {
	var views []outageView
	for i, o := range s.Outages {
		if i == mostOutages {
			break
		}
		end := o.End
		if end.IsZero() {
			end = c.now
		}
		took := end.Sub(o.Start)
		v := outageView{From: c.stamp(o.Start), To: c.stamp(o.End), GoesOn: o.End.IsZero(), State: stateMark(o.Worst), Took: span(max(0, took).Truncate(time.Second)), Why: causeWords(o.Causes)}
		v.From.Clock = o.Start.In(c.zone).Format("2006-01-02 15:04:05 MST")
		if !v.GoesOn {
			v.To.Clock = o.End.In(c.zone).Format("15:04:05 MST")
		}
		views = append(views, v)
	}
	return views
}

// causeWords says why measurements went wrong: "connect refused (12), status (3)".
func causeWords(causes []Cause) string {
	words := make([]string, 0, len(causes))
	for _, cause := range causes {
		w := reasonName(cause.Reason) + cause.Component
		if cause.Times >= 1 {
			w += " (" + strconv.FormatFloat(cause.Times, 'f', 0, 64) + "×)"
		}
		words = append(words, w)
	}
	return strings.Join(words, ", ")
}
