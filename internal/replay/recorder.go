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
	found    int     // the evaluation at which the result had it last, counted from 1
	returned int     // the evaluation at which it was written last
	listed   bool    // among those of the evaluation before
	watched  bool    // the rules of the component read it
}

// recorder writes what a rule returns, with a staleness marker where a series
// ceases, as Group.Eval does.
type recorder struct {
	world    *World
	rule     *rule
	targets  map[string]*target // by labels
	previous []*target          // of the evaluation before
	count    int                // evaluations
	buffer   []byte
	// speculation is that of the component, nil if there is none, and watched are the
	// targets with samples that it guesses.
	speculation *speculation
	watched     []*target
	alone       bool  // no other rule may write what this one does
	expects     bool  // what is guessed is the rule's own result
	evaluated   int64 // the time of the last evaluation, in milliseconds
}

func newRecorder(w *World, r *rule) *recorder {
	return &recorder{world: w, rule: r, targets: map[string]*target{}}
}

// restart is that of the process: it does not know what the one before recorded.
func (r *recorder) restart() {
	for _, t := range r.previous {
		t.listed = false
	}
	r.previous = r.previous[:0]
	if r.speculation != nil {
		r.speculation.restart(r)
	}
}

// target is what is written for the labels of a sample.
func (r *recorder) target(l labels.Labels) *target {
	r.buffer = l.Bytes(r.buffer)
	t, ok := r.targets[string(r.buffer)]
	if !ok {
		t = &target{labels: l}
		r.targets[string(r.buffer)] = t
	}
	return t
}

// named gives a column the labels that a recording rule gives it.
func (r *recorder) named(c *column) *target {
	if c.target == nil {
		b := labels.NewBuilder(c.metric)
		b.Set(labels.MetricName, r.rule.Name)
		r.rule.labels.Range(func(l labels.Label) { b.Set(l.Name, l.Value) })
		c.target = r.target(b.Labels())
	}
	return c.target
}

// check reports what makes an evaluation of a recording rule fail as a whole.
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

// write writes rows whose columns have their targets. refused are samples that the
// storage does not take, which is the rule's error; err is one of the world.
func (r *recorder) write(rows []row, t int64) (refused, err error) {
	before := len(r.previous)
	for _, row := range rows {
		target := row.column.target
		if err := r.open(target); err != nil {
			return nil, err
		}
		p := point{t: t, f: row.f}
		if row.h != nil {
			p.h = row.h.Copy() // the engine takes its own back
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

// mark marks the series of the evaluation before that were not written at this one.
func (r *recorder) mark(before int, t int64) {
	kept := r.previous[:0]
	for i, target := range r.previous {
		if i >= before || target.returned == r.count {
			kept = append(kept, target)
			continue
		}
		target.listed = false
		// That another rule has written the series at this time is no error.
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
