package overview

import (
	"time"

	"github.com/upheld-sla/upheld/internal/headline"
	"github.com/upheld-sla/upheld/sla"
)

// sentence says in one sentence what is wrong, since when, why and what it costs. The
// pages show the same sentence.
func (o *Overview) sentence() string {
	if len(o.Levels) == 0 {
		return "The server has nothing of these levels."
	}
	levels := make([]headline.Level, 0, len(o.Levels))
	for _, l := range o.Levels {
		levels = append(levels, l.headline(o.Levels))
	}
	return headline.New(levels, o.At).Plain()
}

// headline is the input of the sentence about a level. all has the levels of its
// components, too.
func (l Level) headline(all []Level) headline.Level {
	h := headline.Level{
		ID: l.id(), Group: l.Group, Impact: l.Impact, State: l.state, Before: l.SinceBefore, Why: l.why(),
		Budget: l.budget, Target: l.target, Alerts: len(l.Alerts), BadShare: l.badShare,
	}
	if l.Since != nil {
		h.Since = *l.Since
	}
	if len(l.Periods) > 0 {
		h.Left = l.Periods[0].Left
		if h.Left != nil && l.Periods[0].Budget != nil {
			h.Allowed = seconds(*l.Periods[0].Budget)
		}
	}
	for _, p := range l.Periods {
		if p.Credit != nil {
			h.Credit = max(h.Credit, *p.Credit)
		}
	}
	for _, d := range l.Down {
		c := headline.Component{Name: d.Component}
		for _, of := range all {
			if of.Agreement == l.Agreement && of.Service+"/"+of.Name == d.Component {
				c.Of, c.Why = of.id(), of.why()
			}
		}
		h.Down = append(h.Down, c)
	}
	return h
}

// why is why its probes fail, if the server's series show it.
func (l Level) why() headline.Why {
	why := headline.Why{Reason: l.Reason}
	if l.HTTPStatus != 0 {
		why.Detail = headline.HTTPDetail(l.HTTPStatus)
	}
	return why
}

func (l Level) id() sla.ID { return sla.ID{SLA: l.Agreement, Service: l.Service, SLO: l.Name} }

func (l Level) named() string {
	if l.Group != "" {
		return l.ID() + " of " + l.Group
	}
	return l.ID()
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// clock prints a time for the sentence.
func clock(at, now time.Time) string { return headline.Clock(at, now, now.Location()) }
