package measure

import (
	"io"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/metricnames"
)

// Types of metrics in io.prometheus.client.MetricType.
const (
	protoCounter   = 0
	protoGauge     = 1
	protoHistogram = 4
)

var protoTypes = map[string]uint64{"counter": protoCounter, "gauge": protoGauge, "histogram": protoHistogram}

// Fields of the messages of io.prometheus.client that are written here.
const (
	familyName, familyHelp, familyType, familyMetric                  = 1, 2, 3, 4
	metricLabel, metricGauge, metricCounter, metricHistogram          = 1, 2, 3, 7
	gaugeValue, counterValue, counterCreated                          = 1, 1, 3
	histCount, histSum, histBucket, histSchema, histZero, histZeros   = 1, 2, 3, 5, 6, 7
	histSpan, histDelta, histCreated, histExemplar                    = 12, 13, 15, 16
	bucketCount, bucketBound, bucketExemplar                          = 1, 2, 3
	exemplarLabels, exemplarValue, exemplarTime                       = 1, 2, 3
	spanOffset, spanLength, labelName, labelValue, timeSecs, timeNano = 1, 2, 1, 2, 1, 2
)

// message is a protobuf message under construction.
type message []byte

func (m *message) uint(field protowire.Number, v uint64) {
	*m = protowire.AppendTag(*m, field, protowire.VarintType)
	*m = protowire.AppendVarint(*m, v)
}

func (m *message) sint(field protowire.Number, v int64) { m.uint(field, protowire.EncodeZigZag(v)) }

func (m *message) double(field protowire.Number, v float64) {
	*m = protowire.AppendTag(*m, field, protowire.Fixed64Type)
	*m = protowire.AppendFixed64(*m, math.Float64bits(v))
}

func (m *message) bytes(field protowire.Number, v []byte) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendBytes(*m, v)
}

func (m *message) text(field protowire.Number, v string) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendString(*m, v)
}

// label writes a name and a value. The labels of metrics and of exemplars have
// the same field number by chance.
func (m *message) label(field protowire.Number, name, value string) { //nolint:unparam // see above
	size := protowire.SizeTag(labelName) + protowire.SizeBytes(len(name)) + protowire.SizeTag(labelValue) + protowire.SizeBytes(len(value))
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendVarint(*m, uint64(size))
	m.text(labelName, name)
	m.text(labelValue, value)
}

func (m *message) time(field protowire.Number, nanos int64) {
	secs, rest := uint64(nanos/1e9), uint64(nanos%1e9)
	size := protowire.SizeTag(timeSecs) + protowire.SizeVarint(secs) + protowire.SizeTag(timeNano) + protowire.SizeVarint(rest)
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendVarint(*m, uint64(size))
	m.uint(timeSecs, secs)
	m.uint(timeNano, rest)
}

// protoWriter writes the metrics of targets as length-delimited protobuf
// messages of io.prometheus.client.MetricFamily.
type protoWriter struct {
	out      io.Writer
	err      error
	location string

	family message   // the end of the family under construction
	full   []message // what is before it, in chunks: growing it would copy megabytes
	spare  []message
	metric message
	value  message
	part   message
	small  message
	spans  []span
	deltas []int64
}

func (w *protoWriter) begin(m Metric) {
	w.family = w.family[:0]
	w.spare, w.full = append(w.spare, w.full...), w.full[:0]
	w.family.text(familyName, m.Name)
	w.family.text(familyHelp, m.Help)
	w.family.uint(familyType, protoTypes[m.Type])
}

func (w *protoWriter) end() {
	size := len(w.family)
	for _, chunk := range w.full {
		size += len(chunk)
	}
	w.part = protowire.AppendVarint(w.part[:0], uint64(size))
	w.send(w.part)
	for _, chunk := range w.full {
		w.send(chunk)
	}
	w.send(w.family)
}

func (w *protoWriter) send(part []byte) {
	if w.err == nil {
		_, w.err = w.out.Write(part)
	}
}

// protoChunk is how large a chunk of a family is at least.
const protoChunk = 256 << 10

// add ends a metric.
func (w *protoWriter) add() {
	w.family.bytes(familyMetric, w.metric)
	if len(w.family) < protoChunk {
		return
	}
	w.full = append(w.full, w.family)
	if last := len(w.spare) - 1; last >= 0 {
		w.family, w.spare = w.spare[last][:0], w.spare[:last]
	} else {
		w.family = make(message, 0, protoChunk+protoChunk/8)
	}
}

// labels begins a metric with the labels of its target, in order of name.
func (w *protoWriter) labels(t *Target, extra, value string) {
	m := &w.metric
	*m = (*m)[:0]
	if extra != "" && extra < metricnames.Location {
		m.label(metricLabel, extra, value)
	}
	m.label(metricLabel, metricnames.Location, w.location)
	if metricnames.Location < extra && extra < metricnames.Service {
		m.label(metricLabel, extra, value)
	}
	m.label(metricLabel, metricnames.Service, t.key.id.Service)
	m.label(metricLabel, metricnames.SLA, t.key.id.SLA)
	m.label(metricLabel, metricnames.SLO, t.key.id.SLO)
	if metricnames.SLO < extra && extra < metricnames.Target {
		m.label(metricLabel, extra, value)
	}
	m.label(metricLabel, metricnames.Target, t.key.target)
	if extra > metricnames.Target {
		m.label(metricLabel, extra, value)
	}
	for _, l := range t.labels {
		m.label(metricLabel, l.Name, l.Value)
	}
}

func (w *protoWriter) counter(n float64, created int64) {
	w.value = w.value[:0]
	w.value.double(counterValue, n)
	w.value.time(counterCreated, created)
	w.metric.bytes(metricCounter, w.value)
	w.add()
}

func (w *protoWriter) write(s *snapshot) error {
	if len(s.views) == 0 {
		return nil
	}
	w.counters(s)
	w.histograms(s)
	return w.err
}

func (w *protoWriter) counters(s *snapshot) {
	w.begin(results)
	for i := range s.views {
		v := &s.views[i]
		for j, o := range probe.Outcomes {
			w.labels(v.Target, metricnames.Outcome, string(o))
			w.counter(float64(v.outcomes[j]), v.created)
		}
	}
	w.end()
	w.begin(owed)
	for i := range s.views {
		w.labels(s.views[i].Target, "", "")
		w.counter(float64(s.views[i].owed()), s.views[i].created)
	}
	w.end()
	if len(s.failures) > 0 {
		w.begin(failures)
		s.eachFailure(func(v *view, f failureView) {
			w.labels(v.Target, metricnames.Reason, string(f.reason))
			w.counter(float64(f.n), f.born)
		})
		w.end()
	}
	if len(s.within) > 0 {
		w.begin(within)
		s.eachWithin(func(v *view, c withinCount, now withinNow) {
			w.labels(v.Target, metricnames.Threshold, FormatThreshold(c.threshold))
			w.counter(float64(now.n), v.created)
		})
		w.end()
		w.begin(untimed)
		s.eachWithin(func(v *view, c withinCount, now withinNow) {
			w.labels(v.Target, metricnames.Threshold, FormatThreshold(c.threshold))
			w.counter(float64(now.unknown), v.created)
		})
		w.end()
	}
	w.begin(downtime)
	for i := range s.views {
		v := &s.views[i]
		for j, d := range v.down {
			w.labels(v.Target, metricnames.Bound, bounds[j])
			w.counter(d.Seconds(), v.created)
		}
	}
	w.end()
	w.sporadics(s)
}

func (w *protoWriter) sporadics(s *snapshot) {
	s.eachOccasional(w.begin, func(m Metric, v *view, n float64) {
		w.labels(v.Target, "", "")
		for _, l := range v.more(m) {
			w.metric.label(metricLabel, l.Name, l.Value)
		}
		if m.Type == "counter" {
			w.counter(n, v.created)
			return
		}
		w.value = w.value[:0]
		w.value.double(gaugeValue, n)
		w.metric.bytes(metricGauge, w.value)
		w.add()
	}, w.end)
}

func (w *protoWriter) histograms(s *snapshot) {
	w.begin(duration)
	empty := new(probeDurations)
	for i := range s.views {
		t := s.views[i].Target
		w.labels(t, "", "")
		t.mu.Lock()
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
		t.mu.Unlock()
		w.metric.bytes(metricHistogram, w.value)
		w.add()
	}
	w.end()
	w.phases(s)
	w.steps(s)
}

func (w *protoWriter) steps(s *snapshot) {
	some := false
	for i := range s.views {
		t := s.views[i].Target
		t.mu.Lock()
		for j := range t.steps {
			if !some {
				w.begin(step)
				some = true
			}
			one := &t.steps[j]
			w.labels(t, metricnames.Step, one.step)
			w.totals(&one.durations)
			w.native(&one.durations, t.created)
			w.metric.bytes(metricHistogram, w.value)
			w.add()
		}
		t.mu.Unlock()
	}
	if some {
		w.end()
	}
}

func (w *protoWriter) phases(s *snapshot) {
	some, none := false, new(durations)
	for i := range s.views {
		t := s.views[i].Target
		t.mu.Lock()
		for _, p := range t.phases {
			if !some {
				w.begin(phase)
				some = true
			}
			w.labels(t, metricnames.Phase, p.phase.String())
			h := p.durations
			if h == nil {
				h = none
			}
			w.totals(h)
			w.native(h, t.created)
			w.metric.bytes(metricHistogram, w.value)
			w.add()
		}
		t.mu.Unlock()
	}
	if some {
		w.end()
	}
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
	v := &w.value
	v.sint(histSchema, int64(d.schema()))
	v.double(histZero, zeroThreshold)
	v.uint(histZeros, d.zeros)
	w.spans, w.deltas = d.native(w.spans[:0], w.deltas[:0])
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
