package measure

import (
	"errors"
	"io"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/metricnames"
)

// protoWriter writes the metrics of targets as length-delimited protobuf
// messages of io.prometheus.client.MetricFamily. The length of a family comes
// before it, and a family of 10,000 targets has 10 MB: it is never held as a
// whole. Counters, which a snapshot holds, are gone through twice, first for
// their size. Histograms change meanwhile, so that they are encoded once, into a
// spool without the labels, which are most of it.
type protoWriter struct {
	out      io.Writer
	err      error
	location string
	shared   int // size of the label location

	measuring bool // size is being found out, nothing is written
	size      int  // of the family: so far while measuring, then what is still to be written
	buf       message
	spool     spool
	label     string // that the histograms of the family have besides those of their target

	value  message
	part   message
	small  message
	spans  []span
	deltas []int64
}

// protoChunk is how much is gathered before it is written.
const protoChunk = 32 << 10

func (w *protoWriter) write(s *snapshot) error {
	defer w.spool.free() // also where writing panics
	w.shared = sizeOfLabel(metricnames.Location, w.location)
	if len(s.views) > 0 {
		w.counters(s)
		w.histograms(s)
	}
	w.flush()
	return w.err
}

func (w *protoWriter) flush() {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.out.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// errProtoSize would be a mistake here; what was sent cannot be read.
var errProtoSize = errors.New("a family of metrics was not as long as had been said")

// family writes a family whose metrics are the same each time that they are gone
// through; nothing if there are none.
func (w *protoWriter) family(m Metric, metrics func()) {
	w.size, w.measuring = 0, true
	metrics()
	w.measuring = false
	if w.begin(m) {
		metrics()
		w.end()
	}
}

// begin writes what comes before the metrics of a family, the size of which is
// w.size; false if there are none.
func (w *protoWriter) begin(m Metric) bool {
	if w.size == 0 {
		return false
	}
	w.part = w.part[:0]
	w.part.text(familyName, m.Name)
	w.part.text(familyHelp, m.Help)
	w.part.uint(familyType, protoTypes[m.Type])
	w.buf.length(len(w.part) + w.size)
	w.buf = append(w.buf, w.part...)
	return true
}

func (w *protoWriter) end() {
	if w.size != 0 && w.err == nil {
		w.err = errProtoSize
	}
}

// extra is a label that a metric has besides those of its target.
type extra struct{ name, value string }

// sizeOf is the size of a metric whose value has a size, without tag and length.
func (w *protoWriter) sizeOf(t *Target, x extra, more []probe.InfoLabel, value int) int {
	size := w.shared + t.labelSize() + sizeOfField(value)
	if x.name != "" {
		size += sizeOfLabel(x.name, x.value)
	}
	for _, l := range more {
		size += sizeOfLabel(l.Name, l.Value)
	}
	return size
}

// head begins a metric: its length and its labels, in order of name.
func (w *protoWriter) head(t *Target, x extra, more []probe.InfoLabel, value int) {
	if len(w.buf) > protoChunk {
		w.flush()
	}
	size := w.sizeOf(t, x, more, value)
	w.size -= sizeOfField(size)
	m := &w.buf
	m.begin(familyMetric, size)
	next := func(before string) {
		if x.name != "" && (before == "" || x.name < before) {
			m.label(metricLabel, x.name, x.value)
			x.name = ""
		}
	}
	next(metricnames.Location)
	m.label(metricLabel, metricnames.Location, w.location)
	next(metricnames.Service)
	m.label(metricLabel, metricnames.Service, t.id.Service)
	m.label(metricLabel, metricnames.SLA, t.id.SLA)
	m.label(metricLabel, metricnames.SLO, t.id.SLO)
	next(metricnames.Target)
	m.label(metricLabel, metricnames.Target, t.target)
	next("")
	for _, l := range t.ownLabels() {
		m.label(metricLabel, l.Name, l.Value)
	}
	for _, l := range more {
		m.label(metricLabel, l.Name, l.Value)
	}
}

// labelSize is the size of the labels that the target has in every metric, but
// for the location.
func (t *Target) labelSize() int {
	size := sizeOfLabel(metricnames.Service, t.id.Service) + sizeOfLabel(metricnames.SLA, t.id.SLA) +
		sizeOfLabel(metricnames.SLO, t.id.SLO) + sizeOfLabel(metricnames.Target, t.target)
	for _, l := range t.ownLabels() {
		size += sizeOfLabel(l.Name, l.Value)
	}
	return size
}

func (w *protoWriter) counter(t *Target, x extra, n float64, created int64) {
	w.counterWith(t, x, nil, n, created)
}

func (w *protoWriter) counterWith(t *Target, x extra, more []probe.InfoLabel, n float64, created int64) {
	value := sizeOfDouble + sizeOfTime(created)
	if w.measuring {
		w.size += sizeOfField(w.sizeOf(t, x, more, value))
		return
	}
	w.head(t, x, more, value)
	w.buf.begin(metricCounter, value)
	w.buf.double(counterValue, n)
	w.buf.time(counterCreated, created)
}

func (w *protoWriter) gaugeWith(t *Target, more []probe.InfoLabel, n float64) {
	if w.measuring {
		w.size += sizeOfField(w.sizeOf(t, extra{}, more, sizeOfDouble))
		return
	}
	w.head(t, extra{}, more, sizeOfDouble)
	w.buf.begin(metricGauge, sizeOfDouble)
	w.buf.double(gaugeValue, n)
}

func (w *protoWriter) counters(s *snapshot) {
	w.family(results, func() {
		for i := range s.views {
			v := &s.views[i]
			for j, o := range probe.Outcomes {
				w.counter(v.Target, extra{metricnames.Outcome, string(o)}, float64(v.outcomes[j]), v.created)
			}
		}
	})
	w.family(owed, func() {
		for i := range s.views {
			w.counter(s.views[i].Target, extra{}, float64(s.views[i].owed()), s.views[i].created)
		}
	})
	w.family(failures, func() {
		s.eachFailure(func(v *view, f *failureView) {
			w.counter(v.Target, extra{metricnames.Reason, string(f.reason)}, float64(f.n), f.born)
		})
	})
	w.family(within, func() {
		s.eachWithin(func(v *view, c *withinView) {
			w.counter(v.Target, extra{metricnames.Threshold, FormatThreshold(c.threshold)}, float64(c.n), v.created)
		})
	})
	w.family(untimed, func() {
		s.eachWithin(func(v *view, c *withinView) {
			w.counter(v.Target, extra{metricnames.Threshold, FormatThreshold(c.threshold)}, float64(c.unknown), v.created)
		})
	})
	w.family(downtime, func() {
		for i := range s.views {
			for j, d := range s.views[i].down {
				w.counter(s.views[i].Target, extra{metricnames.Bound, bounds[j]}, d.Seconds(), s.views[i].created)
			}
		}
	})
	w.sporadics(s)
}

func (w *protoWriter) sporadics(s *snapshot) {
	for i := range sporadics {
		one := &sporadics[i]
		w.family(one.metric, func() {
			for v, n := range s.having(one) {
				if more := v.more(one.metric); one.metric.Type == "counter" {
					w.counterWith(v.Target, extra{}, more, n, v.created)
				} else {
					w.gaugeWith(v.Target, more, n)
				}
			}
		})
	}
}
