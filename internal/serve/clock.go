package serve

import "time"

// maxAhead is how far ahead of a correct clock a sample may be: scrapes accept targets'
// own timestamps up to there.
const maxAhead = 10 * time.Minute

// newest is the time of the newest sample; without samples, before all time.
func (w *writes) newest() time.Time {
	newest := w.db.Head().MaxTime()
	for _, b := range w.db.Blocks() {
		newest = max(newest, b.Meta().MaxTime)
	}
	return time.UnixMilli(newest)
}

// behind reports whether the clock was set back, now or before this process started.
// The storage would refuse each sample of series that have newer ones.
func (w *writes) behind() bool {
	newest, now := w.newest(), time.Now()
	if newest.Sub(now) <= maxAhead {
		return false
	}
	w.note(lostClockBehind, "clock", now.UTC(), "newest_sample", newest.UTC())
	return true
}
