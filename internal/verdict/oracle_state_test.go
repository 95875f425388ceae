package verdict_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// byMean is the state of a level that counts seconds.
func (j *judging) byMean() {
	for i := range j.n {
		known, sum, worst := int64(0), new(big.Rat), new(big.Rat)
		for _, p := range j.places {
			if p[i].is != stepUnseen {
				j.is[i] = max(j.is[i], stepMissing)
			}
			if p[i].is == stepKnown && p[i].total > 0 {
				known++
				share := big.NewRat(int64(p[i].bad), int64(p[i].total))
				sum.Add(sum, share)
				if share.Cmp(worst) > 0 {
					worst = share
				}
			} else if j.mutated("a place without a result is good") && p[i].is == stepMissing {
				known++
			}
		}
		if known > 0 {
			j.is[i] = stepKnown
			j.share[i] = sum.Quo(sum, new(big.Rat).SetInt64(known))
			if j.mutated("the worst place decides") {
				j.share[i] = worst
			}
		}
	}
}

// minuteOf groups steps by clock minutes.
func (j *judging) minuteOf(i int) int64 {
	t := j.at(i)
	if j.mutated("minutes begin 20 seconds late") {
		t = t.Add(step)
	}
	return t.Unix() / 60
}

// groups are runs of steps with the same key.
func groups[K comparable](n int, key func(int) K) [][]int {
	var all [][]int
	for i := range n {
		if i > 0 && key(i) == key(i-1) {
			all[len(all)-1] = append(all[len(all)-1], i)
		} else {
			all = append(all, []int{i})
		}
	}
	return all
}

func (j *judging) isBad(total, bad int) bool {
	switch {
	case j.method == "request_ratio": // the rule of its outages
		return bad*2 > total
	case j.method == "all_failed_minute" && j.mutated("one failure of a minute is enough"):
		return bad > 0
	case j.method == "all_failed_minute":
		return total > 0 && bad >= total
	case j.method == "slot_quantile" && j.mutated("the quantile itself is bad"):
		return bad*100 >= (100-j.quantile)*total
	case j.method == "slot_quantile":
		return bad*100 > (100-j.quantile)*total
	case j.mutated("the threshold itself is bad"):
		return bad*100 >= j.threshold*total
	}
	return bad*100 > j.threshold*total
}

// isEmpty returns whether a minute or slot has too few events.
func (j *judging) isEmpty(total int) bool {
	return total == 0 || total < j.minRequests && !j.mutated("no minimum of requests") || total == j.minRequests && j.mutated("the minimum itself is too few")
}

func (j *judging) byMinutes() {
	for _, minute := range groups(j.n, j.minuteOf) {
		is, bad := 0, false
		if j.quorum > 0 {
			is, bad = j.byQuorum(minute)
		} else {
			is, bad = j.minute(minute, j.places)
		}
		for _, i := range minute {
			if j.is[i] = is; bad {
				j.share[i].SetInt64(1)
			}
		}
	}
	if j.method == "qualified_run" {
		j.qualify()
	}
}

func (j *judging) minute(minute []int, places [][]measured) (is int, judged bool) {
	total, bad := 0, 0
	for _, i := range minute {
		for _, p := range places {
			is = max(is, p[i].is)
			if p[i].is == stepKnown {
				total, bad = total+p[i].total, bad+p[i].bad
			}
		}
	}
	if is != stepKnown {
		return is, false
	}
	if j.isEmpty(total) {
		if j.emptyUnknown != j.mutated("empty is the other thing") {
			return stepMissing, false
		}
		return stepKnown, false
	}
	return stepKnown, j.isBad(total, bad)
}

func (j *judging) byQuorum(minute []int) (is int, judged bool) {
	reporting, against := 0, 0
	for _, location := range slices.Compact(slices.Sorted(slices.Values(j.locations))) {
		total, bad := 0, 0
		for k, p := range j.places {
			if j.locations[k] != location {
				continue
			}
			for _, i := range minute {
				is = max(is, min(p[i].is, stepMissing))
				if p[i].is == stepKnown {
					total, bad = total+p[i].total, bad+p[i].bad
				}
			}
		}
		if total > 0 {
			reporting++
			if j.isBad(total, bad) {
				against++
			}
		}
	}
	quorum := j.quorum
	if j.mutated("one location is enough") {
		return is + min(reporting, 1)*(stepKnown-is), against > 0
	}
	if reporting < quorum && (!j.mutated("too few locations are good") || reporting <= 0) {
		return is, false
	}
	return stepKnown, against >= quorum
}

// qualify leaves bad minutes in runs of at least minRun.
func (j *judging) qualify() {
	need := j.minRun * 3
	if j.mutated("runs must be longer than agreed") {
		need++
	}
	if j.mutated("no runs") {
		need = 0
	}
	bad := func(i int) bool {
		if j.mutated("runs are cut by the period first") && !j.in(i) {
			return false
		}
		if j.mutated("unknown minutes are part of runs") && j.is[i] != stepKnown {
			return true
		}
		return j.is[i] == stepKnown && j.share[i].Sign() > 0
	}
	keep := make([]bool, j.n)
	for i := 0; i < j.n; {
		k := i
		for k < j.n && bad(k) {
			k++
		}
		for m := i; m < k; m++ {
			keep[m] = k-i >= need
		}
		i = max(k, i+1)
	}
	for i := range j.n {
		if !keep[i] {
			j.share[i] = new(big.Rat)
		}
	}
}

// slotOf groups steps by slots of the clock of the zone.
func (j *judging) slotOf(i int) [2]int64 {
	wall, offset := j.wall(i)
	if j.mutated("slots begin in UTC") {
		wall, offset = j.at(i).Unix(), 0
	}
	width := int64(j.slot / time.Second)
	return [2]int64{(wall + width*1000000) / width, int64(offset)}
}

// bySlots judges slots by the events that are taken.
func (j *judging) bySlots(takes func(i int) (total, bad bool)) (is []int, share []*big.Rat) {
	is, share = make([]int, j.n), make([]*big.Rat, j.n)
	for _, slot := range groups(j.n, j.slotOf) {
		known, total, bad := 0, 0, 0
		for _, i := range slot {
			counts, fails := takes(i)
			for _, p := range j.places {
				if !counts {
					continue
				}
				known = max(known, p[i].is)
				if p[i].is == stepKnown {
					if total += p[i].total; fails {
						bad += p[i].bad
					}
				}
			}
		}
		result := new(big.Rat)
		switch {
		case known != stepKnown:
		case j.isEmpty(total):
			if j.emptyUnknown != j.mutated("empty is the other thing") {
				known = stepMissing
			}
		case j.method == "mean_slot_error_rate":
			result.SetFrac64(int64(bad), int64(total))
		case j.isBad(total, bad):
			result.SetInt64(1)
		}
		for _, i := range slot {
			is[i], share[i] = known, new(big.Rat).Set(result)
		}
	}
	return is, share
}

// slots are the sums of a level that counts slots: judged by the events that count.
func (j *judging) slots() totals {
	agreed := func(i int) bool { return j.in(i) && j.agreed(i) && j.inForce(i) }
	with := func(bad func(int) bool) ([]int, []*big.Rat) {
		return j.bySlots(func(i int) (bool, bool) {
			if j.mutated("slots are judged with what is removed") {
				return j.in(i), bad(i)
			}
			return agreed(i), bad(i)
		})
	}
	is, share := with(j.kept)
	_, all := with(func(int) bool { return true })
	j.is, j.share = is, share
	for i := range j.n {
		j.measured[i] = is[i] == stepKnown
	}
	j.fill()
	j.assume()
	events := new(big.Rat)
	byTraffic := new(big.Rat)
	t := newTotals()
	for i := range j.n {
		if j.in(i) && j.served[i] && j.removed(i) {
			t.removed.Add(t.removed, j.unit())
		}
		if !j.in(i) || !j.agreed(i) || j.is[i] != stepKnown {
			continue
		}
		t.total.Add(t.total, j.unit())
		t.bad.Add(t.bad, new(big.Rat).Mul(j.share[i], j.unit()))
		if j.measured[i] && j.inForce(i) {
			t.excused.Add(t.excused, new(big.Rat).Mul(new(big.Rat).Sub(all[i], j.share[i]), j.unit()))
		}
		for _, p := range j.places {
			events.Add(events, new(big.Rat).SetInt64(int64(p[i].total)))
			byTraffic.Add(byTraffic, new(big.Rat).SetInt64(int64(p[i].bad)))
		}
	}
	if j.mutated("slots weigh by traffic") && events.Sign() > 0 {
		t.bad = byTraffic.Quo(byTraffic, events).Mul(byTraffic, t.total)
	}
	return t
}

// outages confirms outages, leaves only them bad, and lists them.
func (j *judging) outages() string {
	r := j.outage
	type span struct{ from, to int }
	var spans []span
	down := false
	bad := func(i int) bool { return j.is[i] == stepKnown && j.share[i].Sign() > 0 }
	kind := func(i int) [2]bool { return [2]bool{j.is[i] == stepKnown, bad(i)} }
	confirm, recovery := r.confirm, max(r.recover, 1)
	if j.mutated("confirmed a step late") && confirm > 0 {
		confirm++
	}
	if j.mutated("recovered a step early") && recovery > 1 {
		recovery--
	}
	if j.mutated("outages are not confirmed") {
		confirm = 0
	}
	for _, run := range groups(j.n, kind) {
		first, end := run[0], run[len(run)-1]+1
		switch {
		case j.is[first] != stepKnown:
			down = down && j.mutated("unknown does not end an outage")
		case bad(first) && down:
			spans[len(spans)-1].to = end
		case bad(first) && len(run) >= confirm:
			down = true
			if r.late != j.mutated("backdating is turned around") {
				first += r.confirm
			}
			spans = append(spans, span{first, end})
		case down && len(run) >= recovery && !bad(first):
			down = false
		case down:
			spans[len(spans)-1].to = end
		}
	}
	spans = slices.DeleteFunc(spans, func(s span) bool { return s.from >= s.to })
	if r.minimum > 0 && j.mutated("the minimum holds before merging") {
		spans = slices.DeleteFunc(spans, func(s span) bool { return s.to-s.from < r.minimum })
	}
	gap := r.merge
	if j.mutated("the gap itself merges") && gap > 0 {
		gap++
	}
	if j.mutated("outages are not merged") {
		gap = 0
	}
	inside := make([]bool, j.n)
	var list []string
	for i := 0; i < len(spans); {
		k := i + 1
		for k < len(spans) && spans[k].from-spans[k-1].to < gap {
			k++
		}
		from, to := spans[i].from, spans[k-1].to
		if to-from >= r.minimum || j.mutated("no minimum of outages") {
			for m := range j.n {
				for _, s := range spans[i:k] {
					inside[m] = inside[m] || s.from <= m && m < s.to
				}
				inside[m] = inside[m] || j.mutated("merged gaps are bad") && from <= m && m < to
			}
			j.found = append(j.found, foundOutage{from, to, to == j.n || j.is[to] != stepKnown})
			if j.listed(from, to) {
				list = append(list, fmt.Sprintf("%s-%s", later(j.at(from), j.start).Format(time.TimeOnly), earlierOf(j.at(to), j.until).Format(time.TimeOnly)))
			}
		}
		i = k
	}
	if r.confirm > 0 || r.recover > 0 || r.minimum > 0 {
		last := new(big.Rat)
		for i := range j.n {
			switch {
			case !inside[i]:
				j.share[i] = new(big.Rat)
			case j.is[i] == stepKnown && j.share[i].Sign() == 0 && !j.mutated("short good time of an outage is good"):
				j.share[i] = new(big.Rat).Set(last)
			}
			last = j.share[i]
		}
	} else if j.mutated("merged gaps are bad") {
		for i := range j.n {
			if inside[i] && j.share[i].Sign() == 0 {
				j.share[i].SetInt64(1)
			}
		}
	}
	return strings.Join(list, ", ")
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlierOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
