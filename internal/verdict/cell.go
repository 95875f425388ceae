package verdict

import (
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// cell is a clock minute or slot [from, to), in Unix nanoseconds, with what was counted
// in it.
type cell struct {
	from, to   int64
	is         knowledge
	total, bad sum
}

// cellsOf are the cells of a width that a time touches, aligned to the clock of a zone.
// Where the offset of the zone changes within a cell, it ends there.
func cellsOf(from, to int64, width time.Duration, zone *time.Location) []cell {
	var cells []cell
	for at := from; at < to; {
		begin, end := cellAt(at, int64(width), zone)
		cells = append(cells, cell{from: begin, to: end})
		at = end
	}
	return cells
}

func cellAt(at, width int64, zone *time.Location) (from, to int64) {
	local := instant(at).In(zone)
	_, seconds := local.Zone()
	offset := int64(seconds) * int64(time.Second)
	since := (at + offset) % width
	if since < 0 {
		since += width
	}
	from, to = at-since, at-since+width
	begin, end := local.ZoneBounds()
	if !begin.IsZero() && begin.UnixNano() > from && begin.UnixNano() <= at {
		from = begin.UnixNano()
	}
	if !end.IsZero() && end.UnixNano() < to {
		to = end.UnixNano()
	}
	return from, to
}

// extent is the range of time in which anything was counted, at any place.
func extent(places [][]counted) (from, to int64, ok bool) {
	for _, p := range places {
		if len(p) == 0 {
			continue
		}
		if first, last := p[0].from, p[len(p)-1].to; ok {
			from, to = min(from, first), max(to, last)
		} else {
			from, to, ok = first, last, true
		}
	}
	return from, to, ok
}

// counted is what was counted in [from, to), spread evenly over it.
type counted struct {
	from, to   int64
	is         knowledge
	total, bad sum
}

// countedIn are the stretches of a place.
func countedIn(p Place) []counted {
	all := make([]counted, len(p.Stretches))
	for i, s := range p.Stretches {
		c := counted{from: s.From.UnixNano(), to: s.To.UnixNano(), is: missing}
		if s.State == Known {
			c.is = known
			c.total.addFloat(s.Total)
			c.bad.addFloat(s.Bad)
		}
		all[i] = c
	}
	return all
}

func countedAt(places []Place) [][]counted {
	all := make([][]counted, len(places))
	for i, p := range places {
		all[i] = countedIn(p)
	}
	return all
}

// within is the part of c in [from, to), which must overlap it.
func (c counted) within(from, to int64) counted {
	from, to = max(c.from, from), min(c.to, to)
	return counted{from, to, c.is, c.total.part(to-from, c.to-c.from), c.bad.part(to-from, c.to-c.from)}
}

// count adds what was counted to the cells that it lies in. What lies in several is
// divided by time.
func count(cells []cell, all []counted) {
	first := 0
	for _, c := range all {
		for first < len(cells) && cells[first].to <= c.from {
			first++
		}
		for i := first; i < len(cells) && cells[i].from < c.to; i++ {
			own := c.within(cells[i].from, cells[i].to)
			cells[i].is = max(cells[i].is, own.is)
			cells[i].total.addSum(own.total)
			cells[i].bad.addSum(own.bad)
		}
	}
}

// judge is the state of a cell by the level's rule. A cell with too few events is empty:
// it is good, or else missing.
func (r rule) judge(c cell, slots sla.Slots) part {
	p := part{from: c.from, to: c.to, is: c.is}
	if c.is != known {
		return p
	}
	total := c.total.value()
	if total.Sign() == 0 || total.Cmp(sla.NewDecimal(slots.MinRequests, 1)) < 0 {
		if slots.EmptyUnknown {
			p.is = missing
		}
		return p
	}
	bad := c.bad.value()
	switch {
	case bad.Sign() == 0:
	case r.down == nil:
		p.bad = bad.Quo(total)
	case r.down(slots, total, bad):
		p.bad = one
	}
	return p
}

// judgedCells is the track of the level's minutes or slots, each judged by itself with
// what was counted at all places.
func judgedCells(places [][]counted, r rule, slots sla.Slots, zone *time.Location) track {
	from, to, ok := extent(places)
	if !ok {
		return nil
	}
	cells := cellsOf(from, to, slots.Width, zone)
	for _, p := range places {
		count(cells, p)
	}
	var judged track
	for _, c := range cells {
		judged = judged.add(r.judge(c, slots))
	}
	return judged
}

// judgedByQuorum is the track of minutes that are bad if a quorum of locations finds
// them bad. A minute is missing if fewer locations than that have a result.
func judgedByQuorum(places []Place, r rule, slots sla.Slots, zone *time.Location) track {
	from, to, ok := extent(countedAt(places))
	if !ok {
		return nil
	}
	cells := cellsOf(from, to, slots.Width, zone)
	reporting, against := make([]int64, len(cells)), make([]int64, len(cells))
	seen := make([]knowledge, len(cells))
	for _, location := range byLocation(places) {
		own := slices.Clone(cells)
		for _, p := range location {
			count(own, countedIn(p))
		}
		for i, c := range own {
			seen[i] = max(seen[i], min(c.is, missing))
			total := c.total.value()
			if c.is != known || total.Sign() == 0 {
				continue
			}
			reporting[i]++
			if r.down(slots, total, c.bad.value()) {
				against[i]++
			}
		}
	}
	var judged track
	for i, c := range cells {
		p := part{from: c.from, to: c.to, is: seen[i]}
		if reporting[i] >= slots.Quorum {
			p.is = known
			if against[i] >= slots.Quorum {
				p.bad = one
			}
		}
		judged = judged.add(p)
	}
	return judged
}

// byLocation are the places of each location, in order of appearance.
func byLocation(places []Place) [][]Place {
	var names []string
	var groups [][]Place
	for _, p := range places {
		i := slices.Index(names, p.Labels[locationLabel])
		if i < 0 {
			i = len(names)
			names, groups = append(names, p.Labels[locationLabel]), append(groups, nil)
		}
		groups[i] = append(groups[i], p)
	}
	return groups
}

// locationLabel is the label of a place that quorums count.
const locationLabel = "location"

// runsOf leaves only bad time in runs of at least a length. Unknown time ends a run.
func runsOf(t track, least time.Duration) track {
	var runs track
	for i := 0; i < len(t); {
		j := i
		for j < len(t) && isBad(t[j]) {
			j++
		}
		if j == i {
			runs = runs.add(t[i])
			i++
			continue
		}
		for _, p := range t[i:j] {
			if t[j-1].to-t[i].from < int64(least) {
				p.bad = sla.Decimal{}
			}
			runs = runs.add(p)
		}
		i = j
	}
	return runs
}

func isBad(p part) bool { return p.is == known && p.bad.Sign() > 0 }
