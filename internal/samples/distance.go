package samples

import "slices"

// distance is the usual distance of the samples of a series: the lower median of the
// last few. It follows a change of the scrape interval within five scrapes, and no gap
// changes it.
type distance struct {
	last  [9]int64
	count int
	usual int64 // 0 until a distance was seen
}

// distancesToKnow is how many distances are needed to call one of them unusual.
const distancesToKnow = 5

func (d *distance) add(ms int64) {
	i := d.count % len(d.last)
	d.count++
	if d.last[i] == ms {
		return // the same numbers have the same median
	}
	d.last[i] = ms
	n := min(d.count, len(d.last))
	sorted := d.last // a copy
	slices.Sort(sorted[:n])
	d.usual = sorted[(n-1)/2]
}

func (d *distance) known() bool { return d.count >= distancesToKnow }

// gap returns whether a distance is longer than two usual ones. It allows a fiftieth
// more, since scrapes are not exactly evenly spaced.
func (d *distance) gap(ms int64) bool {
	return d.usual > 0 && ms > 2*d.usual+d.usual/50
}
