package verdict

import "github.com/upheld-sla/upheld/sla"

// piece is a time in which neither a level's state nor what counts changes.
type piece struct {
	from, to int64
	mask     mask
	measured bool        // known without the policy for missing data
	weight   sla.Decimal // share that bad time counts
	// The state as measured, by what is agreed, and by what counts. For slots they
	// differ, since only the events that count decide a slot. For other levels bad time
	// counts in full or not at all.
	raw, agreed, counted part
}

// states are the tracks that pieces are made of.
type states struct {
	measured, raw, agreed, counted track
	excused                        bool // counted already lacks what exclusions treat as up
}

// alike returns the states of a level that all of its measurements decide.
func alike(measured, filled track) states {
	return states{measured: measured, raw: filled, agreed: filled, counted: filled}
}

// pieces cuts states wherever it changes what counts, from the first mask to until.
func (s states) pieces(masks []mask, weights []Weight, until int64) []piece {
	if len(masks) == 0 {
		return nil
	}
	from := masks[0].from
	tracks := []track{s.measured, s.raw, s.agreed, s.counted, weightsOver(weights, from, until)}
	next := make([]int, len(tracks))
	for i, t := range tracks {
		tracks[i] = t.over(from, until)
	}
	var all []piece
	m := 0
	for at := from; at < until; {
		to := min(masks[m].to, until)
		for i, t := range tracks {
			to = min(to, t[next[i]].to)
		}
		p := piece{
			from: at, to: to, mask: masks[m],
			measured: tracks[0][next[0]].is == known, weight: tracks[4][next[4]].bad,
			raw: tracks[1][next[1]], agreed: tracks[2][next[2]], counted: tracks[3][next[3]],
		}
		if !p.mask.kept() && !s.excused {
			p.counted.bad = sla.Decimal{}
		}
		if p.mask.served && !p.mask.inForce { // assumed to be up
			good := part{is: known}
			p.measured, p.raw, p.agreed, p.counted = true, good, good, good
		}
		all = append(all, p)
		for i, t := range tracks {
			if t[next[i]].to == to {
				next[i]++
			}
		}
		if masks[m].to == to {
			m++
		}
		at = to
	}
	return all
}

// entry is what the time of a piece adds to the figures.
func (p piece) entry() entry {
	e := entry{from: p.from, to: p.to}
	if !p.mask.served {
		return e
	}
	length := p.to - p.from
	if p.raw.is == known {
		e.rawTotal.add(length)
		e.rawBad.addShare(length, p.weighed(p.raw.bad))
	}
	if !p.mask.agreed() {
		e.removed.add(length)
		return e
	}
	if p.counted.is == known {
		e.total.add(length)
		e.bad.addShare(length, p.weighed(p.counted.bad))
	}
	if p.agreed.is == known {
		e.excused.addShare(length, p.weighed(p.agreed.bad.Sub(p.counted.bad)))
	}
	return e
}

func (p piece) weighed(bad sla.Decimal) sla.Decimal {
	if bad.Sign() == 0 || p.weight.Cmp(one) == 0 {
		return bad
	}
	return bad.Mul(p.weight)
}

func timeEntries(pieces []piece) []entry {
	entries := make([]entry, len(pieces))
	for i, p := range pieces {
		entries[i] = p.entry()
	}
	return entries
}
