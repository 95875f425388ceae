package verdict

// figures are the exact numbers of a level over some time. They are nanoseconds for
// levels that count time, and events for others.
type figures struct {
	total, bad       sum // what counts and is known, and what of it is bad
	rawTotal, rawBad sum // within service hours, as if nothing were excluded
	removed          sum // taken out of what is agreed, good or bad
	excused          sum // bad that counts as good
}

func (f *figures) add(o figures) {
	f.total.addSum(o.total)
	f.bad.addSum(o.bad)
	f.rawTotal.addSum(o.rawTotal)
	f.rawBad.addSum(o.rawBad)
	f.removed.addSum(o.removed)
	f.excused.addSum(o.excused)
}

// entry is what [from, to) adds to the figures, spread evenly over it.
type entry struct {
	from, to int64
	figures
}

// eachMasked cuts what was counted at the edges of the masks.
func eachMasked(all []counted, masks []mask, until int64, use func(counted, mask)) {
	m := 0
	for _, c := range all {
		for m < len(masks) && masks[m].to <= c.from {
			m++
		}
		for i := m; i < len(masks) && masks[i].from < min(c.to, until); i++ {
			if from, to := max(c.from, masks[i].from), min(c.to, masks[i].to, until); from < to {
				use(c.within(from, to), masks[i])
			}
		}
	}
}

// masked returns what was counted at each place in time that counts. takes says whether
// events count, and whether bad ones count as bad.
func masked(places []Place, masks []mask, until int64, takes func(mask) (total, bad bool)) [][]counted {
	cut := make([][]counted, len(places))
	for i, all := range countedAt(places) {
		eachMasked(all, masks, until, func(c counted, m mask) {
			total, bad := takes(m)
			if !bad {
				c.bad = sum{}
			}
			if total {
				cut[i] = append(cut[i], c)
			}
		})
	}
	return cut
}

// What a mask lets through while the agreement is in force: all within service hours, all
// that is agreed, and of that what no exclusion treats as up.
func takesServed(m mask) (total, bad bool) { return m.inForce && m.served, true }
func takesAgreed(m mask) (total, bad bool) { return m.inForce && m.agreed(), true }
func takesKept(m mask) (total, bad bool)   { return m.inForce && m.agreed(), m.kept() }

// eventEntries counts the events of all places. A stretch that crosses an edge is
// divided by time.
func eventEntries(places []Place, masks []mask, until int64) []entry {
	var entries []entry
	for _, all := range countedAt(places) {
		eachMasked(all, masks, until, func(c counted, m mask) {
			if !m.served || c.is != known {
				return
			}
			if !m.inForce {
				c.bad = sum{} // assumed to be up
			}
			e := entry{from: c.from, to: c.to, figures: figures{rawTotal: c.total, rawBad: c.bad}}
			switch {
			case m.kept():
				e.total, e.bad = c.total, c.bad
			case m.agreed():
				e.total, e.excused = c.total, c.bad
			default:
				e.removed = c.total
			}
			entries = append(entries, e)
		})
	}
	return entries
}
