package verdict

import (
	"github.com/upheld-sla/upheld/sla"
)

// outageSpan is an outage in Unix nanoseconds, as it was, whatever the period.
type outageSpan struct {
	from, to int64
	open     bool // nobody knows how it went on: from to on the state is unknown
}

// outagesOf finds the outages of a level by its rule, and returns the state with only
// these as bad time. Without a rule every maximal run of bad time is an outage. Unknown
// time ends a run of bad or good time, and an outage.
func outagesOf(t track, rule sla.OutageRule) (track, []outageSpan) {
	spans := confirmed(t, rule)
	var merged []outageSpan
	var counted []outageSpan // the bad time within outages that count
	for i := 0; i < len(spans); {
		j := i + 1
		for j < len(spans) && spans[j].from-spans[j-1].to < int64(rule.MergeGap) {
			j++
		}
		one := outageSpan{spans[i].from, spans[j-1].to, spans[j-1].open}
		if one.to-one.from >= int64(rule.Minimum) {
			merged = append(merged, one)
			counted = append(counted, spans[i:j]...)
		}
		i = j
	}
	if !rule.Confirms() {
		return t, merged
	}
	return held(t, counted), merged
}

// confirmed are the outages before any are merged.
func confirmed(t track, rule sla.OutageRule) []outageSpan {
	var all []outageSpan
	down := false // an outage is confirmed and has not ended
	for i := 0; i < len(t); {
		run, next := runAt(t, i)
		ends := next == len(t) || t[next].is != known
		switch {
		case t[i].is != known:
			down = false
		case isBad(t[i]) && down:
			all[len(all)-1].to, all[len(all)-1].open = run.to, ends
		case isBad(t[i]) && run.to-run.from >= int64(rule.ConfirmAfter):
			down = true
			if rule.FromConfirmation {
				run.from += int64(rule.ConfirmAfter)
			}
			all = append(all, outageSpan{run.from, run.to, ends})
		case down && run.to-run.from >= max(int64(rule.RecoverAfter), 1):
			down = false
		case down: // good for too short a time
			all[len(all)-1].to, all[len(all)-1].open = run.to, ends
		}
		i = next
	}
	n := 0
	for _, o := range all { // an outage may end at the moment it is confirmed
		if o.from < o.to {
			all[n] = o
			n++
		}
	}
	return all[:n]
}

// runAt returns the run of bad, good or unknown time that begins with a part, and the
// index of the part after the run.
func runAt(t track, i int) (run part, next int) {
	run = t[i]
	for next = i + 1; next < len(t) && (t[next].is == known) == (t[i].is == known) && isBad(t[next]) == isBad(t[i]); next++ {
		run.to = t[next].to
	}
	return run, next
}

// held is the state in which only outages are bad. Good time within an outage is as bad
// as what was before it: the outage has not ended.
func held(t track, outages []outageSpan) track {
	var result track
	next := 0
	for _, p := range t {
		last := sla.Decimal{}
		if n := len(result); n > 0 {
			last = result[n-1].bad
		}
		for at := p.from; at < p.to; {
			for next < len(outages) && outages[next].to <= at {
				next++
			}
			cut := part{from: at, to: p.to, is: p.is}
			switch {
			case next == len(outages):
			case outages[next].from > at:
				cut.to = min(p.to, outages[next].from)
			default:
				cut.to = min(p.to, outages[next].to)
				if cut.bad = p.bad; p.is == known && p.bad.Sign() == 0 {
					cut.bad = last
				}
			}
			result = result.add(cut)
			at = cut.to
		}
	}
	return result
}

// holdBlame says who is to blame for the bad time of t, after outages were confirmed.
// Good time within an outage is blamed like the time before it.
func holdBlame(blames []blameSpan, t track) []blameSpan {
	var result []blameSpan
	next := 0
	for _, p := range t {
		if !isBad(p) {
			continue
		}
		for at := p.from; at < p.to; {
			for next < len(blames) && blames[next].to <= at {
				next++
			}
			to, by := p.to, next-1
			if next < len(blames) {
				if to = min(p.to, blames[next].from); blames[next].from <= at {
					to, by = min(p.to, blames[next].to), next
				}
			}
			if by >= 0 {
				result = append(result, blames[by].scaled(at, to, p.bad))
			}
			at = to
		}
	}
	return result
}

// scaled is the same blame for another time and badness.
func (s blameSpan) scaled(from, to int64, bad sla.Decimal) blameSpan {
	scale := bad.Quo(s.bad)
	by := make([]blamed, len(s.by))
	for i, x := range s.by {
		by[i] = blamed{x.alone.Mul(scale), x.withOthers.Mul(scale)}
	}
	return blameSpan{from, to, bad, by}
}
