package measure

import (
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/metricnames"
)

// escaper writes label values as the text expositions want them.
var escaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func label(name, value string) string { return name + `="` + escaper.Replace(value) + `"` }

// targetBlock returns the labels that identify a target, without the location.
func targetBlock(k key) string {
	return label(metricnames.Service, k.id.Service) + "," + label(metricnames.SLA, k.id.SLA) + "," +
		label(metricnames.SLO, k.id.SLO) + "," + label(metricnames.Target, k.target) + k.extra
}

func thresholdLabel(d time.Duration) string {
	return "," + label(metricnames.Threshold, formatThreshold(d))
}

// textWriter writes the metrics of targets as text, in Prometheus' own format or
// in OpenMetrics. These differ in the names of counters and in exemplars. A line
// consists of a head that many targets share, the target's block and the value.
type textWriter struct {
	out         io.Writer
	buf         []byte
	err         error
	location    string
	openMetrics bool
}

// textChunk is how many bytes are collected before they are written.
const textChunk = 32 << 10

// flushIfFull writes once textChunk is reached. Do not call it while holding the
// lock of a target: the scraper may be slow.
func (w *textWriter) flushIfFull() {
	if len(w.buf) > textChunk {
		w.flush()
	}
}

func (w *textWriter) flush() {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.out.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// family begins a metric.
func (w *textWriter) family(m description) {
	name := m.Name
	if w.openMetrics && m.Type == "counter" {
		name = strings.TrimSuffix(name, "_total")
	}
	w.buf = append(w.buf, "# HELP "+name+" "+m.Help+"\n# TYPE "+name+" "+m.Type+"\n"...)
}

// head returns a line up to the target's block. The extra label must sort before
// "service", as all labels of ours do.
func (w *textWriter) head(name, extra, value string) string {
	own := label(metricnames.Location, w.location) + ","
	switch {
	case extra == "":
	case extra < metricnames.Location:
		own = label(extra, value) + "," + own
	default:
		own += label(extra, value) + ","
	}
	return name + "{" + own
}

// line writes a line without its value; rest are labels after the block.
func (w *textWriter) line(head string, t *Target, rest string) {
	w.buf = append(w.buf, head...)
	w.buf = append(w.buf, t.block...)
	w.buf = append(w.buf, rest...)
	w.buf = append(w.buf, "} "...)
}

func (w *textWriter) count(head string, t *Target, rest string, n uint64) {
	w.line(head, t, rest)
	w.buf = strconv.AppendUint(w.buf, n, 10)
	w.buf = append(w.buf, '\n')
}

func (w *textWriter) write(s *snapshot) error {
	w.counters(s)
	w.durations(s)
	w.phases(s)
	w.steps(s)
	w.flush()
	return w.err
}

func (w *textWriter) counters(s *snapshot) {
	w.family(results)
	var heads [outcomeCount]string
	for i, o := range probe.Outcomes {
		heads[i] = w.head(results.Name, metricnames.Outcome, string(o))
	}
	for i := range s.views {
		w.flushIfFull()
		for j, n := range s.views[i].outcomes {
			w.count(heads[j], s.views[i].Target, "", n)
		}
	}
	for _, d := range []description{scheduled, scheduledFormerly} {
		w.family(d)
		head := w.head(d.Name, "", "")
		for i := range s.views {
			w.flushIfFull()
			w.count(head, s.views[i].Target, "", s.views[i].scheduled())
		}
	}
	if len(s.failures) > 0 {
		w.family(failures)
		s.eachFailure(func(v *view, f *failureView) {
			w.flushIfFull()
			w.count(w.head(failures.Name, metricnames.Reason, string(f.reason)), v.Target, "", f.n)
		})
	}
	if len(s.within) > 0 {
		w.family(within)
		head := w.head(within.Name, "", "")
		s.eachWithin(func(v *view, c *withinView) {
			w.flushIfFull()
			w.count(head, v.Target, c.label, c.n)
		})
		w.family(untimed)
		head = w.head(untimed.Name, "", "")
		s.eachWithin(func(v *view, c *withinView) {
			w.flushIfFull()
			w.count(head, v.Target, c.label, c.unknown)
		})
	}
	w.downtime(s)
	w.optionalMetrics(s)
}

func (w *textWriter) downtime(s *snapshot) {
	if len(s.views) == 0 {
		return
	}
	w.family(downtime)
	heads := [2]string{w.head(downtime.Name, metricnames.Bound, bounds[0]), w.head(downtime.Name, metricnames.Bound, bounds[1])}
	for i := range s.views {
		w.flushIfFull()
		for j, d := range s.views[i].down {
			w.line(heads[j], s.views[i].Target, "")
			w.buf = strconv.AppendFloat(w.buf, d.Seconds(), 'g', -1, 64)
			w.buf = append(w.buf, '\n')
		}
	}
}

func (w *textWriter) optionalMetrics(s *snapshot) {
	for i := range optionalMetrics {
		one, head := &optionalMetrics[i], ""
		for v, n := range s.targetsWith(one) {
			if head == "" {
				w.family(one.metric)
				head = w.head(one.metric.Name, "", "")
			}
			w.flushIfFull()
			var rest strings.Builder
			for _, l := range v.extraLabelsOf(one.metric) {
				rest.WriteString("," + label(l.Name, l.Value))
			}
			w.line(head, v.Target, rest.String())
			w.buf = strconv.AppendFloat(w.buf, n, 'g', -1, 64)
			w.buf = append(w.buf, '\n')
		}
	}
}

// bucketLabels returns the "le" labels of the buckets; the last is +Inf.
func (w *textWriter) bucketLabels() (labels [len(classicBounds) + 1]string) {
	for i, bound := range classicBounds {
		text := strconv.FormatFloat(bound, 'g', -1, 64)
		if w.openMetrics && !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		labels[i] = `,le="` + text + `"`
	}
	labels[len(classicBounds)] = `,le="+Inf"`
	return labels
}

func (w *textWriter) durations(s *snapshot) {
	if len(s.views) == 0 {
		return
	}
	w.family(duration)
	bucket, sum, count := w.head(duration.Name+"_bucket", "", ""), w.head(duration.Name+"_sum", "", ""), w.head(duration.Name+"_count", "", "")
	les := w.bucketLabels()
	empty := new(probeDurations)
	for i := range s.views {
		w.flushIfFull()
		t := s.views[i].Target
		t.mu.Lock()
		h := t.duration
		if h == nil {
			h = empty
		}
		below := uint64(0)
		for j := range les {
			if j < len(h.classic) {
				below += h.classic[j]
			} else {
				below = h.count
			}
			w.line(bucket, t, les[j])
			w.buf = strconv.AppendUint(w.buf, below, 10)
			w.exemplar(h, j)
			w.buf = append(w.buf, '\n')
		}
		w.total(sum, count, t, &h.durations)
		t.mu.Unlock()
	}
}

func (w *textWriter) total(sum, count string, t *Target, d *durations) {
	w.line(sum, t, "")
	w.buf = strconv.AppendFloat(w.buf, d.sum, 'g', -1, 64)
	w.buf = append(w.buf, '\n')
	w.count(count, t, "", d.count)
}

// exemplar ends the line of a bucket, if the format has exemplars.
func (w *textWriter) exemplar(h *probeDurations, bucket int) {
	if !w.openMetrics {
		return
	}
	e := h.exemplarIn(bucket)
	if e == nil {
		return
	}
	w.buf = append(w.buf, " # {"+exemplarLabel+`="`...)
	w.buf = append(w.buf, e.id.String()...)
	w.buf = append(w.buf, `"} `...)
	w.buf = strconv.AppendFloat(w.buf, e.value, 'g', -1, 64)
	w.buf = append(w.buf, ' ')
	w.buf = strconv.AppendFloat(w.buf, float64(e.at/1e6)/1e3, 'f', 3, 64)
}

func (w *textWriter) steps(s *snapshot) {
	begun := false
	for i := range s.views {
		w.flushIfFull()
		t := s.views[i].Target
		t.mu.Lock()
		steps := t.sparseView().steps
		for j := range steps {
			if !begun {
				w.family(step)
				begun = true
			}
			one := &steps[j]
			head := func(suffix string) string { return w.head(step.Name+suffix, "", "") }
			rest := "," + label(metricnames.Step, one.step)
			w.count(head("_bucket"), t, rest+`,le="+Inf"`, one.count)
			w.line(head("_sum"), t, rest)
			w.buf = strconv.AppendFloat(w.buf, one.sum, 'g', -1, 64)
			w.buf = append(w.buf, '\n')
			w.count(head("_count"), t, rest, one.count)
		}
		t.mu.Unlock()
	}
}

func (w *textWriter) phases(s *snapshot) {
	type heads struct{ bucket, sum, count string }
	var known []heads
	for _, p := range probe.AllPhases() {
		head := func(suffix string) string { return w.head(phase.Name+suffix, metricnames.Phase, p.String()) }
		known = append(known, heads{head("_bucket"), head("_sum"), head("_count")})
	}
	begun := false
	for i := range s.views {
		w.flushIfFull()
		t := s.views[i].Target
		t.mu.Lock()
		t.eachPhase(func(p probe.Phase, h *durations) {
			if !begun {
				w.family(phase)
				begun = true
			}
			w.count(known[p].bucket, t, `,le="+Inf"`, h.count)
			w.total(known[p].sum, known[p].count, t, h)
		})
		t.mu.Unlock()
	}
}
