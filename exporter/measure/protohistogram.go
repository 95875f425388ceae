package measure

import (
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/metricnames"
)

// histogramFamily writes a family of histograms that have a label besides those
// of their target, if it has a name. Each is encoded with the lock of its target
// held, and written without.
func (w *protoWriter) histogramFamily(s *snapshot, m Metric, label string, encode func(view int, t *Target)) {
	w.size, w.label = 0, label
	for i := range s.views {
		t := s.views[i].Target
		t.mu.Lock()
		encode(i, t)
		t.mu.Unlock()
	}
	if !w.begin(m) {
		return
	}
	w.spool.drain(func(view int, value string, message []byte) {
		w.head(s.views[view].Target, extra{label, value}, nil, len(message))
		w.buf.bytes(metricHistogram, message)
	})
	w.end()
}

// keep spools the histogram that w.value is, with the value of its label.
func (w *protoWriter) keep(view int, t *Target, value string) {
	w.size += sizeOfField(w.sizeOf(t, extra{w.label, value}, nil, len(w.value)))
	w.spool.add(view, value, w.value)
}

func (w *protoWriter) histograms(s *snapshot) {
	empty := new(probeDurations)
	w.histogramFamily(s, duration, "", func(view int, t *Target) {
		h := t.duration
		if h == nil {
			h = empty
		}
		w.totals(&h.durations)
		w.classic(h)
		w.native(&h.durations, t.created)
		for j := range h.exemplars {
			if h.exemplars[j].id != 0 {
				w.exemplar(&w.value, histExemplar, &h.exemplars[j])
			}
		}
		w.keep(view, t, "")
	})
	w.histogramFamily(s, phase, metricnames.Phase, func(view int, t *Target) {
		t.eachPhase(func(p probe.Phase, d *durations) {
			w.totals(d)
			w.native(d, t.created)
			w.keep(view, t, p.String())
		})
	})
	w.histogramFamily(s, step, metricnames.Step, func(view int, t *Target) {
		steps := t.seen().steps
		for i := range steps {
			w.totals(&steps[i].durations)
			w.native(&steps[i].durations, t.created)
			w.keep(view, t, steps[i].step)
		}
	})
}

// totals begins a histogram.
func (w *protoWriter) totals(d *durations) {
	w.value = w.value[:0]
	w.value.uint(histCount, d.count)
	w.value.double(histSum, d.sum)
}

// classic writes the classic buckets; the one without a bound is not written
// unless it has an exemplar.
func (w *protoWriter) classic(h *probeDurations) {
	below := uint64(0)
	for i := range len(classicBounds) + 1 {
		e := h.exemplarIn(i)
		bound := math.Inf(1)
		if i < len(classicBounds) {
			below += h.classic[i]
			bound = classicBounds[i]
		} else if below = h.count; e == nil {
			break
		}
		w.part = w.part[:0]
		w.part.uint(bucketCount, below)
		w.part.double(bucketBound, bound)
		if e != nil {
			w.exemplar(&w.part, bucketExemplar, e)
		}
		w.value.bytes(histBucket, w.part)
	}
}

func (w *protoWriter) native(d *durations, created int64) {
	var zeros uint64
	w.spans, w.deltas, zeros = d.native(w.spans[:0], w.deltas[:0])
	v := &w.value
	v.sint(histSchema, int64(d.schema()))
	v.double(histZero, zeroThreshold)
	v.uint(histZeros, zeros)
	for _, s := range w.spans {
		w.part = w.part[:0]
		w.part.sint(spanOffset, int64(s.offset))
		w.part.uint(spanLength, uint64(s.length))
		v.bytes(histSpan, w.part)
	}
	for _, delta := range w.deltas {
		v.sint(histDelta, delta)
	}
	v.time(histCreated, created)
}

func (w *protoWriter) exemplar(to *message, field protowire.Number, e *exemplar) {
	w.small = w.small[:0]
	w.small.label(exemplarLabels, exemplarLabel, e.id.String())
	w.small.double(exemplarValue, e.value)
	w.small.time(exemplarTime, e.at)
	to.bytes(field, w.small)
}

// String is the ID as exemplars and the history page show it.
func (id ID) String() string {
	const digits = "0123456789abcdef"
	var text [16]byte
	for i := range text {
		text[i] = digits[id>>(60-4*i)&15]
	}
	return string(text[:])
}

// ParseID reads what String writes.
func ParseID(text string) (ID, bool) {
	id, err := strconv.ParseUint(text, 16, 64)
	return ID(id), err == nil && len(text) == 16 && id != 0
}
