package samples

import "math"

// columns is how many counters of one process are read together at most.
const columns = 4

// row is what the counters of one process had at one scrape, NaN where it had none.
type row struct {
	t int64
	v [columns]float64
}

// increment is what counters counted in (from, to], between two scrapes.
type increment struct {
	from, to int64
	d        [columns]float64
	gap      bool  // more than two scrape intervals
	restart  bool  // the process restarted within it
	usual    int64 // the usual distance of samples, 0 if it is not known
}

// differences computes the exact increments of the rows of one process. It extrapolates
// nothing. A counter that is lower than before restarted at 0, and with it all counters
// of its process.
type differences struct {
	last     row
	begun    bool
	distance distance
	held     []increment // increments, until the usual distance is known
}

// add takes the next row and emits the increments that are certain by now. It ignores
// rows that are not later than the last one.
func (d *differences) add(r row, emit func(increment)) {
	if !d.begun {
		d.last, d.begun = r, true
		return
	}
	if r.t <= d.last.t {
		return
	}
	inc := d.since(r)
	if d.distance.known() { // judged by earlier samples, so that no gap hides itself
		d.judge(&inc)
		d.distance.add(inc.to - inc.from)
		emit(inc)
		return
	}
	d.distance.add(inc.to - inc.from)
	d.held = append(d.held, inc)
	if d.distance.known() {
		d.rest(emit)
	}
}

// since returns what was counted from the last row to r, and makes r the last row. A
// column that is missing in one of the rows (NaN) counted nothing.
func (d *differences) since(r row) increment {
	inc := increment{from: d.last.t, to: r.t}
	for i, v := range r.v {
		inc.restart = inc.restart || v < d.last.v[i]
	}
	for i, v := range r.v {
		n := v
		if !inc.restart {
			n -= d.last.v[i]
		}
		if n > 0 { // not NaN
			inc.d[i] = n
		}
		if math.IsNaN(v) && !inc.restart {
			r.v[i] = d.last.v[i]
		}
	}
	d.last = r
	return inc
}

func (d *differences) judge(inc *increment) {
	inc.usual = d.distance.usual
	inc.gap = d.distance.gap(inc.to - inc.from)
}

// rest emits the increments that were held back, judged by the distances seen so far.
func (d *differences) rest(emit func(increment)) {
	held := d.held
	d.held = nil
	for _, inc := range held {
		d.judge(&inc)
		emit(inc)
	}
}
