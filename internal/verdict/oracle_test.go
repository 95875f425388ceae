package verdict_test

import (
	"math/big"
	"slices"
	"time"
)

// The oracle judges a level again, step by step of 20 seconds, in the plainest way and
// without any code of what it tests. A mutation changes one of its rules; a test demands
// that this changes a result, so that the comparison is known to see the rule.

const step = 20 * time.Second

// The states of a step.
const (
	stepUnseen = iota
	stepMissing
	stepKnown
)

// measured is what a place has of a step.
type measured struct{ is, total, bad int }

// world is a drawn agreement of one level, its history, and a period.
type world struct {
	zone         string
	loc          *time.Location
	origin       time.Time // of the first step
	start, end   time.Time
	until        time.Time
	focus, last  time.Time // between them the history is drawn, and a little around
	hours        [][2]int  // minutes of the day; the second may be beyond the day
	days         []time.Weekday
	exclusions   []drawnExclusion
	method       string
	threshold    int // percent
	quantile     int // percent
	slot         time.Duration
	minRun       int // minutes
	minRequests  int
	emptyUnknown bool
	quorum       int
	missing      string // excluded, good, bad
	notSeen      string
	outage       drawnOutage
	floor        int // percent
	target       string
	places       [][]measured
	locations    []string
	tree         *drawnNode // of a composite, whose components are the places
	unknown      string
	kinds        []string // of the components: condition, events, bad_minute
	terms        drawnTerms
	claimable    []drawnExclusion // those that adjustments claim
	adjustments  []drawnAdjustment
	groups       []drawnGroup // further groups, besides the places; the first is called g0
	promises     []drawnPromise
	recovery     []drawnObjective
	credits      drawnCredits
}

type drawnExclusion struct {
	removes   bool
	from, to  []time.Time
	announced []time.Time
	notice    time.Duration
	windowCap time.Duration // per week
	downCap   time.Duration
	condition bool
	approval  string // of one that is claimed: both, provider, customer
	disputeBy int    // days
}

type drawnOutage struct {
	confirm, recover, merge, minimum int // steps
	late                             bool
}

// drawnNode is a node of a composite.
type drawnNode struct {
	op       string // leaf, all, any, atLeast, weighted
	leaf     int
	members  []*drawnNode
	k        int
	weights  []int // quarters
	failover int   // steps
}

// outcome is what the oracle says.
type outcome struct {
	verdict, exact, bad, agreed, unknown, removed, excused, coverage string
	outages                                                          string
	achieved, raw, best, budget, places, recovery, credit            string
}

// judging is one run of the oracle.
type judging struct {
	*world
	mutation string
	n        int
	is       []int      // state of the level at each step
	share    []*big.Rat // bad share, if known
	measured []bool
	served   []bool
	by       []int // what takes the step out, as an index of taken; -1
	taken    []takenOut
	view     string // "", strict, lenient, raw: without exclusions, alone: of one place, bare: without what is said besides
	found    []foundOutage
}

// foundOutage is an outage as it was, whatever the period.
type foundOutage struct {
	from, to int
	open     bool // nobody knows how it went on
}

func (j *judging) mutated(name string) bool { return j.mutation == name }

func (j *judging) at(i int) time.Time { return j.origin.Add(time.Duration(i) * step) }

// in returns whether a step is in the part of the period that is judged.
func (j *judging) in(i int) bool { return !j.at(i).Before(j.start) && j.at(i).Before(j.until) }

// wall is the wall clock at a step: seconds as if it were UTC.
func (j *judging) wall(i int) (seconds int64, offset int) {
	t := j.at(i)
	_, offset = t.In(j.loc).Zone()
	if j.mutated("zone is UTC") {
		offset = 0
	}
	if j.mutated("offset of the start all the time") {
		_, offset = j.start.In(j.loc).Zone()
	}
	return t.Unix() + int64(offset), offset
}

func (j *judging) inService(i int) bool {
	if j.hours == nil {
		return true
	}
	wall, _ := j.wall(i)
	local := time.Unix(wall, 0).UTC()
	minute := local.Hour()*60 + local.Minute()
	on := func(d time.Weekday) bool { return slices.Contains(j.days, d) }
	for _, h := range j.hours {
		last := h[1]
		if j.mutated("hours end a minute late") {
			last++
		}
		today, before := local.Weekday(), local.AddDate(0, 0, -1).Weekday()
		if j.mutated("night hours belong to the day they end on") {
			before = today
		}
		if on(today) && h[0] <= minute && minute < last || on(before) && minute+1440 < last && h[0] <= minute+1440 {
			return true
		}
	}
	return false
}

// weekOf identifies the week of a step in the zone, for caps.
func (j *judging) weekOf(i int) [2]int {
	loc := j.loc
	if j.mutated("caps begin in UTC") {
		loc = time.UTC
	}
	y, w := j.at(i).In(loc).ISOWeek()
	return [2]int{y, w}
}

// held returns the steps in which an exclusion holds before its cap on downtime.
func (j *judging) held(e drawnExclusion) []bool {
	raw := func(t time.Time) bool {
		for k := range e.from {
			late := !e.condition && e.notice > 0 && e.from[k].Sub(e.announced[k]) < e.notice
			if j.mutated("late notice excuses") {
				late = false
			}
			if j.mutated("notice must be more than agreed") {
				late = !e.condition && e.notice > 0 && e.from[k].Sub(e.announced[k]) <= e.notice
			}
			if !late && !t.Before(e.from[k]) && t.Before(e.to[k]) {
				return true
			}
		}
		return false
	}
	holds := make([]bool, j.n)
	used := map[[2]int]time.Duration{}
	first := -7 * 24 * int(time.Hour/step) // caps see windows from before the history
	if e.windowCap == 0 || j.mutated("window caps begin with the period") {
		first = 0
	}
	for i := first; i < j.n; i++ {
		h := raw(j.at(i))
		if h && e.windowCap > 0 && !j.mutated("no window caps") {
			if j.mutated("window caps begin with the period") && j.at(i).Before(j.start) {
				continue
			}
			week := j.weekOf(i)
			if used[week] >= e.windowCap {
				h = false
			}
			used[week] += step
		}
		if i >= 0 {
			holds[i] = h
		}
	}
	return holds
}

// exclude finds what takes each step out, with caps on downtime in order of time.
func (j *judging) exclude() {
	j.by = make([]int, j.n)
	taken := make([]bool, j.n)
	j.taken = j.takenOut()
	order := make([]int, len(j.taken))
	for k := range order {
		order[k] = k
	}
	if j.mutated("caps from the last exclusion on") {
		slices.Reverse(order)
	}
	for _, k := range order {
		e := j.taken[k]
		if e.downCap > 0 && !j.mutated("no caps on downtime") && j.method != "request_ratio" {
			j.capDown(e, taken)
		}
		for i := range j.n {
			taken[i] = taken[i] || e.holds[i]
		}
	}
	for i := range j.n {
		j.by[i] = -1
		for k, e := range j.taken {
			removes := func(k int) bool { return k >= 0 && j.taken[k].removes }
			wins := j.by[i] < 0 || e.removes && !removes(j.by[i])
			if j.mutated("the first exclusion wins") {
				wins = j.by[i] < 0
			}
			if e.holds[i] && wins {
				j.by[i] = k
			}
		}
	}
}

// capDown ends an exclusion when its cap on downtime is used up.
func (j *judging) capDown(e takenOut, taken []bool) {
	holds := e.holds
	used, over := map[[2]int]*big.Rat{}, map[[2]int]bool{}
	limit := new(big.Rat).SetInt64(int64(e.downCap / step))
	steps := make([]int, 0, j.n)
	for i := range j.n {
		if j.in(i) || !j.at(i).Before(j.until) && j.at(i).Before(j.end) {
			steps = append(steps, i)
		}
	}
	if j.mutated("caps from the end on") {
		slices.Reverse(steps)
	}
	for _, i := range steps {
		week := j.weekOf(i)
		if used[week] == nil {
			used[week] = new(big.Rat)
		}
		if over[week] {
			holds[i] = false
			continue
		}
		counts := j.served[i] || j.mutated("caps count outside of hours")
		counts = counts && (!taken[i] || j.mutated("caps count what others excuse"))
		if !holds[i] || !counts || j.is[i] != stepKnown {
			continue
		}
		if used[week].Add(used[week], j.share[i]); used[week].Cmp(limit) >= 0 {
			over[week] = true
		}
	}
}

func (j *judging) removed(i int) bool {
	if j.by[i] < 0 {
		return false
	}
	removes := j.taken[j.by[i]].removes
	if j.mutated("effects are swapped") {
		return !removes
	}
	return removes
}

func (j *judging) agreed(i int) bool { return j.served[i] && !j.removed(i) }

func (j *judging) kept(i int) bool {
	if j.mutated("exclusions excuse nothing") {
		return j.agreed(i)
	}
	return j.served[i] && j.by[i] < 0
}

// judge is the oracle for a level without groups, or its first group.
func (w *world) judge(mutation string) outcome {
	o := w.judgeBy(mutation, "")
	if o.verdict != "met" && o.verdict != "breached" || w.adjustments == nil || mutation == "nobody disputes" {
		return o
	}
	for _, view := range []string{"strict", "lenient"} {
		if mutation != "the "+view+" view decides nothing" && w.judgeBy(mutation, view).verdict != o.verdict {
			o.verdict = "disputed"
		}
	}
	if o.verdict == "disputed" && o.credit != "" && mutation != "credits are owed in a dispute" {
		o.credit = "0"
	}
	return o
}

// judgeBy judges by what both agree on (""), without what anybody contests, or with all
// that anybody claims.
func (w *world) judgeBy(mutation, view string) outcome {
	j := &judging{world: w.corrected(mutation), mutation: mutation, n: len(w.places[0]), view: view}
	j.served = make([]bool, j.n)
	for i := range j.served {
		j.served[i] = j.serves(i)
	}
	j.state()
	outages := j.outages()
	j.exclude()
	if view == "" {
		raw := w.judgeBy(mutation, "raw").achieved
		places := j.byPlace()
		o := j.finish(j.sums(), outages)
		if o.raw, o.places = raw, places; mutation == "raw is what counts" {
			o.raw = o.achieved
		}
		return o
	}
	return j.finish(j.sums(), outages)
}

// state finds the state of the level, with what is counted for unmeasured time.
func (j *judging) state() {
	j.is, j.share, j.measured = make([]int, j.n), make([]*big.Rat, j.n), make([]bool, j.n)
	for i := range j.share {
		j.share[i] = new(big.Rat)
	}
	switch {
	case j.tree != nil:
		j.composite()
	case j.method == "time":
		j.byMean()
	case j.slotted():
		j.is, j.share = j.bySlots(func(int) (total, bad bool) { return true, true })
	default:
		j.byMinutes()
	}
	for i := range j.n {
		j.measured[i] = j.is[i] == stepKnown
	}
	j.fill()
}

func (j *judging) sums() totals {
	switch {
	case j.method == "request_ratio":
		return j.events()
	case j.slotted():
		return j.slots()
	}
	j.assume()
	return j.time()
}

// fill counts unmeasured time by the policies.
func (j *judging) fill() {
	for i := range j.n {
		policy := map[int]string{stepMissing: j.missing, stepUnseen: j.notSeen}[j.is[i]]
		if j.mutated("missing counts as good") && j.is[i] == stepMissing {
			policy = "good"
		}
		if j.mutated("unseen counts as missing") && j.is[i] == stepUnseen {
			policy = j.missing
		}
		if j.is[i] == stepUnseen && !j.in(i) {
			continue // nobody was to look
		}
		if policy == "good" || policy == "bad" {
			j.is[i] = stepKnown
			j.share[i] = new(big.Rat)
			if policy == "bad" {
				j.share[i].SetInt64(1)
			}
		}
	}
}
