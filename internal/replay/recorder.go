package replay

import (
	"errors"
	"fmt"
	"math"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
)

// target is a series that a rule writes.
type target struct {
	labels   labels.Labels
	record   *record // nil until there is a sample
	found    int     // the last evaluation, counted from 1, whose result had it
	returned int     // the last evaluation at which it was written
	listed   bool    // it was in the previous evaluation
	watched  bool    // the rules of the component read it
}

// recorder writes the results of a rule, with a staleness marker where a series ends,
// as Group.Eval does.
type recorder struct {
	world    *World
	rule     *rule
	targets  map[string]*target // by labels
	previous []*target          // of the previous evaluation
	count    int                // evaluations
	buffer   []byte
	// speculation is the component's speculation, nil if there is none. watched are the
	// targets with samples that it guesses.
	speculation *speculation
	watched     []*target
	alone       bool  // no other rule may write this rule's series
	expects     bool  // guesses are the rule's own results
	evaluated   int64 // the time of the last evaluation, in milliseconds
}

func newRecorder(w *World, r *rule) *recorder {
	return &recorder{world: w, rule: r, targets: map[string]*target{}}
}

// restart is a restart of the process, which does not know what the one before
// recorded.
func (r *recorder) restart() {
	for _, t := range r.previous {
		t.listed = false
	}
	r.previous = r.previous[:0]
	if r.speculation != nil {
		r.speculation.restart(r)
	}
}

// target returns the target for the labels of a sample.
func (r *recorder) target(l labels.Labels) *target {
	r.buffer = l.Bytes(r.buffer)
	t, ok := r.targets[string(r.buffer)]
	if !ok {
		t = &target{labels: l}
		r.targets[string(r.buffer)] = t
	}
	return t
}

// named gives a column the labels of its recording rule.
func (r *recorder) named(c *column) *target {
	if c.target == nil {
		b := labels.NewBuilder(c.metric)
		b.Set(labels.MetricName, r.rule.Name)
		r.rule.labels.Range(func(l labels.Label) { b.Set(l.Name, l.Value) })
		c.target = r.target(b.Labels())
	}
	return c.target
}

// check reports what would make the whole evaluation of a recording rule fail.
func (r *recorder) check(rows []row) error {
	r.count++
	for _, row := range rows {
		t := r.named(row.column)
		if t.found == r.count {
			return rules.ErrDuplicateRecordingLabelSet
		}
		t.found = r.count
	}
	if limit := r.rule.group.limit; limit > 0 && len(rows) > limit {
		return fmt.Errorf("exceeded limit of %d with %d series", limit, len(rows))
	}
	return nil
}

// write writes rows whose columns have their targets. refused is the rule's error if
// the storage does not take samples; err is an error of the world.
func (r *recorder) write(rows []row, t int64) (refused, err error) {
	before := len(r.previous)
	for _, row := range rows {
		target := row.column.target
		if err := r.open(target); err != nil {
			return nil, err
		}
		p := point{t: t, f: row.f}
		if row.h != nil {
			p.h = row.h.Copy() // the engine reuses its own
		}
		switch err := target.record.append(p, r.rule.index); {
		case err == nil:
			target.returned = r.count
			if !target.listed {
				target.listed = true
				r.previous = append(r.previous, target)
			}
		case errors.Is(err, storage.ErrDuplicateSampleForTimestamp), errors.Is(err, storage.ErrOutOfOrderSample):
			refused = fmt.Errorf("%s: %w", target.labels, err)
		default:
			return nil, fmt.Errorf("%s: %w", target.labels, err)
		}
	}
	r.mark(before, t)
	return refused, nil
}

// mark ends the series of the previous evaluation that were not written at this one.
func (r *recorder) mark(before int, t int64) {
	kept := r.previous[:0]
	for i, target := range r.previous {
		if i >= before || target.returned == r.count {
			kept = append(kept, target)
			continue
		}
		target.listed = false
		// It is no error if another rule has written the series at this time.
		_ = target.record.append(point{t: t, f: math.Float64frombits(value.StaleNaN)}, r.rule.index)
	}
	r.previous = kept
}

// open gives a target its series.
func (r *recorder) open(t *target) error {
	if t.record != nil {
		return nil
	}
	s := r.world.with(t.labels)
	if s == nil {
		s = &series{labels: t.labels, record: &record{}}
		r.world.insert(s)
	}
	if s.record == nil || s.given {
		return fmt.Errorf("rule %d (%s) of group %q in %s records %s, of which there are samples already: leave these out, or the rule",
			r.rule.Index, r.rule.Name, r.rule.Group, r.rule.File, t.labels)
	}
	t.record = s.record
	if r.speculation != nil && r.speculation.holds(t.labels) {
		t.watched = true
		r.watched = append(r.watched, t)
	}
	return nil
}
