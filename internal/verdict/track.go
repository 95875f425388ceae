package verdict

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// knowledge is what is known of a time.
type knowledge int

// From the least to the most.
const (
	unseen  knowledge = iota // the server did not look
	missing                  // it looked, and there was no result
	known
)

// part is the time [from, to) in which the state of something does not change, in Unix
// nanoseconds.
type part struct {
	from, to int64
	is       knowledge
	bad      sla.Decimal // share from 0 to 1, if known
}

// track is the state of something over time: ascending parts without gaps. Time before
// and after it is unseen.
type track []part

// add appends a part, and joins it to the last one if nothing changes between them.
func (t track) add(p part) track {
	if p.from >= p.to {
		return t
	}
	if n := len(t); n > 0 && t[n-1].is == p.is && t[n-1].to == p.from && t[n-1].bad.Cmp(p.bad) == 0 {
		t[n-1].to = p.to
		return t
	}
	return append(t, p)
}

// over returns the track over exactly [from, to).
func (t track) over(from, to int64) track {
	var cut track
	at := from
	for _, p := range t {
		p.from, p.to = max(p.from, from), min(p.to, to)
		if p.from >= p.to {
			continue
		}
		cut = cut.add(part{from: at, to: p.from})
		cut = cut.add(p)
		at = p.to
	}
	return cut.add(part{from: at, to: to})
}

// reaching returns the track with unseen time around it, so that it covers [from, to).
func (t track) reaching(from, to int64) track {
	if len(t) == 0 {
		return track(nil).add(part{from: from, to: to})
	}
	reached := track(nil).add(part{from: from, to: t[0].from})
	for _, p := range t {
		reached = reached.add(p)
	}
	return reached.add(part{from: t[len(t)-1].to, to: to})
}

// edgesOf returns the instants at which any of several lists changes, ascending.
func edgesOf(all ...[]int64) []int64 {
	edges := slices.Concat(all...)
	slices.Sort(edges)
	return slices.Compact(edges)
}

// meanOf is the mean of what the places know at each moment. Places without a result do
// not count; if none has one, the time is missing if any place was scraped.
func meanOf(places []Place) track {
	lists := make([][]int64, len(places))
	for i, p := range places {
		for _, s := range p.Stretches {
			lists[i] = append(lists[i], s.From.UnixNano(), s.To.UnixNano())
		}
	}
	edges := edgesOf(lists...)
	next := make([]int, len(places))
	var mean track
	for i := 1; i < len(edges); i++ {
		p := part{from: edges[i-1], to: edges[i]}
		var shares sla.Decimal
		knows := int64(0)
		for j := range places {
			s, ok := stretchAt(places[j].Stretches, &next[j], p.from)
			if !ok {
				continue
			}
			p.is = max(p.is, missing)
			if s.State == Known && s.Total > 0 {
				knows++
				shares = shares.Add(shareOf(s))
			}
		}
		if knows > 0 {
			p.is, p.bad = known, shares.Quo(sla.NewDecimal(knows, 1))
		}
		mean = mean.add(p)
	}
	return mean
}

// stretchAt returns the stretch that contains an instant. next is the first that ends
// after it; instants must ascend.
func stretchAt(stretches []Stretch, next *int, at int64) (Stretch, bool) {
	for *next < len(stretches) && stretches[*next].To.UnixNano() <= at {
		*next++
	}
	if *next == len(stretches) || stretches[*next].From.UnixNano() > at {
		return Stretch{}, false
	}
	return stretches[*next], true
}

// shareOf is the bad share of a stretch with a total.
func shareOf(s Stretch) sla.Decimal {
	switch s.Bad {
	case 0:
		return sla.Decimal{}
	case s.Total:
		return one
	}
	var total, bad sum
	total.addFloat(s.Total)
	bad.addFloat(s.Bad)
	return bad.value().Quo(total.value())
}

// policy is what time without a measurement counts as.
type policy struct{ missing, unseen sla.MissingData }

// fill returns the track with unmeasured time counted by the policy. Unseen time counts
// only in [from, until): elsewhere nobody had to look.
func (p policy) fill(t track, from, until int64) track {
	if p == (policy{}) {
		return t
	}
	var filled track
	for _, x := range t {
		if x.is != unseen {
			filled = filled.add(countedAs(x, p.missing))
			continue
		}
		first, last := max(x.from, from), min(x.to, until)
		if first >= last {
			filled = filled.add(x)
			continue
		}
		filled = filled.add(part{from: x.from, to: first})
		filled = filled.add(countedAs(part{from: first, to: last}, p.unseen))
		filled = filled.add(part{from: last, to: x.to})
	}
	return filled
}

// countedAs counts an unknown part by a policy.
func countedAs(x part, counts sla.MissingData) part {
	if x.is == known || counts == sla.MissingExcluded {
		return x
	}
	x.is, x.bad = known, sla.Decimal{}
	if counts == sla.MissingBad {
		x.bad = one
	}
	return x
}

// instant is a time of Unix nanoseconds.
func instant(ns int64) time.Time { return time.Unix(0, ns).UTC() }
