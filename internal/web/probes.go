package web

import (
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Probe is one of the latest probes of a level, good or not.
type Probe struct {
	At       time.Time
	Outcome  string // good, bad, inconclusive, maintenance or missed
	Reason   string // why it is not good
	Duration time.Duration
	Phases   []Phase // in the order in which they took place
}

// Phase is a part of a probe.
type Phase struct {
	Name string // resolve, connect, tls, processing or transfer
	Took time.Duration
}

// probeView is a probe as a row of a waterfall.
type probeView struct {
	At    stamp
	State mark
	Took  string
	Bars  []phaseBar
	Words string // "connect 1 ms, processing 12 ms"
}

// phaseBar is a phase in a drawing that is waterfallWidth wide.
type phaseBar struct {
	Class    string
	X, Width float64
}

const waterfallWidth = 240.0

// newProbes draws all probes to the same scale, given by the longest.
func newProbes(probes []Probe, c clock) []probeView {
	longest := time.Millisecond
	for _, p := range probes {
		longest = max(longest, p.Duration)
	}
	var views []probeView
	for _, p := range probes {
		v := probeView{At: c.stamp(p.At), State: outcomeMark(p), Took: probeTime(p.Duration)}
		var words []string
		x := 0.0
		for _, phase := range p.Phases {
			width := waterfallWidth * float64(phase.Took) / float64(longest)
			v.Bars = append(v.Bars, phaseBar{"phase-" + phase.Name, x, max(width, 1)})
			x += width
			words = append(words, phase.Name+" "+probeTime(phase.Took))
		}
		v.Words = strings.Join(words, ", ")
		views = append(views, v)
	}
	return views
}

func outcomeMark(p Probe) mark {
	words := p.Outcome
	if p.Reason != "" {
		words += ": " + reasonName(p.Reason)
	}
	switch p.Outcome {
	case "good":
		return mark{string(sla.ClassGood), words}
	case "bad":
		return mark{string(sla.ClassBad), words}
	}
	return mark{string(sla.ClassNone), words}
}
