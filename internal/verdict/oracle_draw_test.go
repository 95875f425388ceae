package verdict_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// changes are instants at which clocks change, or nearly.
var changes = []struct{ zone, at string }{
	{"UTC", "2026-06-07T22:00:00Z"}, // a week begins soon
	{"Europe/Berlin", "2026-03-29T01:00:00Z"},
	{"Europe/Berlin", "2026-10-25T01:00:00Z"},
	{"America/New_York", "2026-11-01T06:00:00Z"},
	{"Asia/Kolkata", "2026-06-07T18:00:00Z"},
	{"Australia/Lord_Howe", "2026-04-04T15:00:00Z"}, // by half an hour
	{"Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
}

var methods = []string{"time", "time", "bad_minute", "qualified_run", "all_failed_minute", "mean_slot_error_rate", "slot_quantile", "request_ratio", "composite", "composite"}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// drawWorld draws an agreement and its history.
func drawWorld(r *rand.Rand) *world {
	change := changes[r.IntN(len(changes))]
	loc, err := time.LoadLocation(change.zone)
	if err != nil {
		panic(err)
	}
	around, err := time.Parse(time.RFC3339, change.at)
	if err != nil {
		panic(err)
	}
	w := &world{zone: change.zone, loc: loc, method: methods[r.IntN(len(methods))], quantile: 80, missing: "excluded", notSeen: "excluded", unknown: "excluded"}
	w.drawPeriod(r, around)
	w.target = pick(r, "50", "75", "80", "90", "95", "99.5")
	w.floor = pick(r, 0, 0, 50, 75, 90, 100)
	if r.IntN(2) == 0 {
		w.hours = [][2]int{{15 * r.IntN(48), 15 * (48 + r.IntN(80))}}
		w.days = pick(r, []time.Weekday{0, 1, 2, 3, 4, 5, 6}, []time.Weekday{time.Sunday}, []time.Weekday{time.Monday, time.Saturday})
	}
	w.drawMethod(r)
	caps := w.method == "qualified_run" || w.method == "bad_minute" || w.method == "all_failed_minute" || w.method == "time" && len(w.places) == 1 && w.tree == nil
	for range r.IntN(4) {
		w.exclusions = append(w.exclusions, w.drawExclusion(r, caps))
	}
	if w.hours != nil && caps && r.IntN(2) == 0 { // they begin in the middle, where something may be used up before
		middle := w.focus.Add(w.last.Sub(w.focus) / 2).In(w.loc)
		from := (middle.Hour()*60 + middle.Minute()) / 15 * 15
		w.hours, w.days = [][2]int{{from, from + 15*(1+r.IntN(30))}}, []time.Weekday{0, 1, 2, 3, 4, 5, 6}
	}
	w.drawTerms(r)
	w.drawAdjustments(r, caps)
	w.drawGroups(r)
	w.aim(r)
	w.drawFigures(r)
	return w
}

// drawMethod draws how the level is counted, and its history.
func (w *world) drawMethod(r *rand.Rand) {
	w.threshold, w.slot = pick(r, 10, 25, 50), 5*time.Minute
	places := 1
	switch w.method {
	case "composite":
		w.method = "time"
		places = 2 + r.IntN(3)
		for range places {
			w.kinds = append(w.kinds, pick(r, "condition", "condition", "events", "bad_minute"))
		}
		w.tree = drawNode(r, places, 2, true)
		w.unknown = pick(r, "excluded", "bad", "good")
	case "time":
		places = 1 + r.IntN(3)
	case "qualified_run":
		w.minRun = 2 + r.IntN(3)
	case "mean_slot_error_rate":
		w.slot = pick(r, 5*time.Minute, 15*time.Minute, time.Hour)
	}
	if w.method != "time" {
		places = 1 + r.IntN(4)
		w.minRequests, w.emptyUnknown = pick(r, 0, 0, 4, 12), r.IntN(2) == 0
		if w.method == "request_ratio" {
			w.minRequests, w.emptyUnknown = 0, false
		}
	}
	if places > 2 && (w.method == "bad_minute" || w.method == "all_failed_minute" || w.method == "qualified_run") && r.IntN(2) == 0 {
		w.quorum, w.minRequests, w.emptyUnknown = 2, 0, false
	}
	if w.tree == nil && w.method != "request_ratio" {
		w.missing, w.notSeen = pick(r, "excluded", "excluded", "good", "bad"), pick(r, "excluded", "excluded", "excluded", "good", "bad")
	}
	if w.method != "request_ratio" && w.method != "mean_slot_error_rate" && w.method != "slot_quantile" && r.IntN(2) == 0 {
		w.outage = drawnOutage{confirm: pick(r, 0, 0, 3, 9), recover: pick(r, 0, 0, 6, 9), merge: pick(r, 0, 0, 9, 15), minimum: pick(r, 0, 0, 6, 15), late: r.IntN(2) == 0}
	}
	for i := range places {
		w.locations = append(w.locations, string(rune('a'+i%3)))
		w.places = append(w.places, w.drawHistory(r, w.method != "time" || w.tree != nil && w.kinds[i] != "condition", places == 1 || w.tree != nil))
	}
}

func drawNode(r *rand.Rand, components, depth int, mayWeigh bool) *drawnNode {
	if depth == 0 || depth == 1 && r.IntN(3) == 0 {
		return &drawnNode{op: "leaf", leaf: r.IntN(components)}
	}
	n := &drawnNode{op: pick(r, "all", "any", "any", "atLeast", "weighted")}
	if n.op == "weighted" && !mayWeigh {
		n.op = "all"
	}
	if n.op == "any" && r.IntN(2) == 0 {
		n.failover, mayWeigh = 1+r.IntN(8), false
	}
	count := 2 + r.IntN(2)
	n.weights = map[int][]int{2: {1, 3}, 3: {1, 1, 2}}[count]
	for range count {
		n.members = append(n.members, drawNode(r, components, depth-1, mayWeigh))
	}
	n.k = 1 + r.IntN(count)
	return n
}

// drawHistory draws what a place measured: for levels of seconds one share at each step,
// whole if wanted.
func (w *world) drawHistory(r *rand.Rand, events, whole bool) []measured {
	n := int(w.last.Sub(w.origin)/step) + int(3*time.Hour/step)
	until := int(w.until.Sub(w.origin) / step)
	all := make([]measured, n)
	for i := 0; i < n; {
		m, fails := measured{is: stepKnown, total: 1}, 0
		switch r.IntN(16) {
		case 0, 1:
			m = measured{is: stepMissing}
		case 2:
			m = measured{}
		case 3, 4, 5, 6:
			m.bad, fails = 1, 100
		case 7, 8:
			if fails = pick(r, 10, 25, 50); !whole {
				m = measured{stepKnown, 4, pick(r, 1, 2, 3)}
			}
		case 9:
			m.total = 0
		}
		for length := 1 + r.IntN(pick(r, 2, 9, 40)); length > 0 && i < n; length-- {
			all[i] = m
			if events && m.is == stepKnown {
				all[i].total = m.total * r.IntN(6)
				all[i].bad = all[i].total * fails / 100
			}
			if w.until.Before(w.end) && i >= until {
				all[i] = measured{}
			}
			i++
		}
	}
	return all
}

func (w *world) drawExclusion(r *rand.Rand, caps bool) drawnExclusion {
	e := drawnExclusion{removes: r.IntN(2) == 0, condition: r.IntN(3) == 0}
	if !e.condition {
		e.notice = pick(r, 0, 0, 24*time.Hour)
	}
	for range 1 + r.IntN(3) {
		from := w.focus.Add(time.Duration(r.IntN(int(w.last.Sub(w.focus)/step))-60) * step)
		if r.IntN(4) == 0 { // before, in the same week or not
			from = from.Add(-time.Duration(1+r.IntN(3)) * 24 * time.Hour)
		}
		e.from, e.to = append(e.from, from), append(e.to, from.Add(time.Duration(1+r.IntN(240))*step))
		e.announced = append(e.announced, from.Add(-pick(r, 24*time.Hour, 25*time.Hour, 24*time.Hour-time.Second)))
	}
	switch {
	case !e.condition && r.IntN(3) == 0:
		e.windowCap = time.Duration(1+r.IntN(300)) * step
	case caps && r.IntN(2) == 0:
		e.downCap = time.Duration(1+r.IntN(60)) * step
	}
	return e
}

// aim sometimes makes the target, or the floor, just what comes out.
func (w *world) aim(r *rand.Rand) {
	o := w.judgeBy("", "bare")
	if good, ok := new(big.Rat).SetString(o.exact); ok && r.IntN(4) == 0 { // a target a little above it
		tenths := new(big.Rat).Mul(good, big.NewRat(1000, 1))
		w.target = new(big.Rat).SetFrac64(new(big.Int).Quo(tenths.Num(), tenths.Denom()).Int64()+1, 10).FloatString(1)
	} else if r.IntN(4) == 0 {
		for _, percent := range []string{"50", "60", "75", "80", "87.5", "90", "95", "97.5"} {
			if o.exact == map[string]string{"50": "1/2", "60": "3/5", "75": "3/4", "80": "4/5", "87.5": "7/8", "90": "9/10", "95": "19/20", "97.5": "39/40"}[percent] {
				w.target = percent
			}
		}
	}
	var floor int
	if _, err := fmt.Sscanf(o.coverage, "%d", &floor); err == nil && fmt.Sprint(floor) == o.coverage && r.IntN(2) == 0 {
		w.floor = floor
	}
}

// input is the world as a verdict is made of it.
func (w *world) input() verdict.Input {
	percent := func(n int) sla.Decimal { return sla.NewDecimal(int64(n), 1) }
	level := &sla.ServiceLevel{
		ID: sla.ID{SLA: "shop", Service: "shop", SLO: "up"}, Aggregation: sla.Aggregation(w.method), Target: sla.MustDecimal(w.target),
		Period: sla.Period{Rolling: w.end.Sub(w.start), Zone: w.zone}, Indicator: &sla.Events{},
		Slots:       sla.Slots{Width: time.Minute, ErrorThreshold: percent(w.threshold), MinRequests: int64(w.minRequests), MinRun: time.Duration(w.minRun) * time.Minute, Quantile: sla.NewDecimal(int64(w.quantile), 100), EmptyUnknown: w.emptyUnknown, Quorum: int64(w.quorum)},
		MissingData: policyOf(w.missing),
		Settlement: sla.Settlement{NotSeen: policyOf(w.notSeen), MinCoverage: percent(w.floor), Outage: sla.OutageRule{
			ConfirmAfter: time.Duration(w.outage.confirm) * step, FromConfirmation: w.outage.late, RecoverAfter: time.Duration(w.outage.recover) * step,
			MergeGap: time.Duration(w.outage.merge) * step, Minimum: time.Duration(w.outage.minimum) * step,
		}},
	}
	if level.Aggregation.Counts() == sla.CountsSlots {
		level.Slots.Width = w.slot
	}
	if w.hours != nil {
		level.ServiceHours = &sla.Calendar{Zone: w.zone, Weekly: map[time.Weekday][]sla.Hours{}}
		for _, d := range w.days {
			for _, h := range w.hours {
				level.ServiceHours.Weekly[d] = append(level.ServiceHours.Weekly[d], sla.Hours{From: time.Duration(h[0]) * time.Minute, To: time.Duration(h[1]) * time.Minute})
			}
		}
	}
	agreement := &sla.Agreement{Name: "shop", Levels: []*sla.ServiceLevel{level}}
	in := verdict.Input{Agreement: agreement, Period: level.Period, Name: "drawn", Start: w.start, End: w.end, Now: w.until}
	w.addTerms(level, &in)
	w.addFigures(level)
	in.Evidence.Conditions = map[string]sla.Spans{}
	for i, e := range w.exclusions {
		x, name := w.exclusion(e), fmt.Sprint("e", i)
		if x.Name = name; e.condition {
			x.Condition.Text = "holds"
			in.Evidence.Conditions[name] = sla.Union(spansOf(e)...)
		}
		level.Exclusions = append(level.Exclusions, x)
	}
	agreement.Exclusions = level.Exclusions
	w.addAdjustments(agreement)
	if w.tree != nil {
		w.addComponents(agreement, &in)
		return in
	}
	in.Evidence.Levels = []verdict.LevelEvidence{{Level: level.ID, Weight: w.weights(), Ages: w.ages(), Groups: w.groupEvidence(level)}}
	return in
}

func policyOf(word string) sla.MissingData {
	if word == "excluded" {
		return sla.MissingExcluded
	}
	return sla.MissingData(word)
}

func spansOf(e drawnExclusion) []sla.Span {
	var spans []sla.Span
	for i := range e.from {
		spans = append(spans, sla.Span{From: e.from[i], To: e.to[i]})
	}
	return spans
}

func (w *world) exclusion(e drawnExclusion) *sla.Exclusion {
	x := &sla.Exclusion{Effect: effectOf(e.removes), Notice: e.notice}
	if !e.condition {
		for i, s := range spansOf(e) {
			x.Windows = append(x.Windows, &sla.Window{Once: s, Announced: e.announced[i]})
		}
	}
	if e.windowCap > 0 || e.downCap > 0 {
		x.Cap = &sla.Cap{WindowTime: e.windowCap, Downtime: e.downCap, Per: sla.Period{Calendar: sla.Week, Zone: w.zone, WeekStart: time.Monday}}
	}
	return x
}

// stretches are the steps of a place; equal ones are joined if their length says nothing.
func (w *world) stretches(steps []measured, join bool) []verdict.Stretch {
	var all []verdict.Stretch
	for i, m := range steps {
		from := w.origin.Add(time.Duration(i) * step)
		s := verdict.Stretch{From: from, To: from.Add(step), State: verdict.Missing}
		if m.is == stepKnown {
			s.State, s.Total, s.Bad = verdict.Known, float64(m.total), float64(m.bad)
		}
		n := len(all)
		switch {
		case m.is == stepUnseen:
		case n > 0 && all[n-1].To.Equal(s.From) && all[n-1].State == s.State && all[n-1].Total == s.Total && all[n-1].Bad == s.Bad && (join || s.State == verdict.Missing):
			all[n-1].To = s.To
		default:
			all = append(all, s)
		}
	}
	return all
}

// addComponents makes the level a composite.
func (w *world) addComponents(a *sla.Agreement, in *verdict.Input) {
	level := a.Levels[0]
	level.Slots = sla.Slots{}
	levels := map[string]*sla.ServiceLevel{}
	for i, kind := range w.kinds {
		l := &sla.ServiceLevel{ID: sla.ID{SLA: "shop", Service: fmt.Sprint("c", i), SLO: "up"}, Indicator: &sla.Events{}, Aggregation: sla.RequestRatio, Target: sla.MustDecimal("90"), Period: sla.Period{Rolling: time.Hour * 10000}}
		switch kind {
		case "condition":
			l.Indicator, l.Aggregation = &sla.Condition{}, sla.Time
		case "bad_minute":
			l.Aggregation, l.Slots = sla.BadMinute, sla.Slots{Width: time.Minute, ErrorThreshold: sla.NewDecimal(int64(w.threshold), 1)}
		}
		levels[l.ID.Service] = l
		a.Levels = append(a.Levels, l)
		in.Evidence.Levels = append(in.Evidence.Levels, verdict.LevelEvidence{Level: l.ID, Groups: []verdict.GroupEvidence{{Places: []verdict.Place{{Stretches: w.stretches(w.places[i], kind == "condition")}}}}})
	}
	c := &sla.Composite{Root: w.tree.node(levels), Unknown: sla.UnknownPolicy(w.unknown)}
	level.Indicator = c
	if err := c.Resolve(level).Err(); err != nil {
		panic(err)
	}
}

func (n *drawnNode) node(levels map[string]*sla.ServiceLevel) *sla.Node {
	if n.op == "leaf" {
		l := levels[fmt.Sprint("c", n.leaf)]
		return &sla.Node{Op: sla.OpLevel, Of: l.ID, Level: l}
	}
	node := &sla.Node{Op: sla.Operator(n.op), K: n.k, Failover: sla.Failover{Time: time.Duration(n.failover) * step}}
	for i, m := range n.members {
		node.Members = append(node.Members, m.node(levels))
		if n.op == "weighted" {
			node.Weights = append(node.Weights, sla.NewDecimal(int64(n.weights[i]), 4))
		}
	}
	return node
}

// methodsSeen says how often each method was drawn, so that a test can demand all.
func (w *world) name() string {
	if w.tree != nil {
		return "composite"
	}
	return w.method
}
