package measure

import (
	"math"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/metricnames"
)

func metricType(name string) *dto.MetricType {
	switch name {
	case "counter":
		return dto.MetricType_COUNTER.Enum()
	case "gauge":
		return dto.MetricType_GAUGE.Enum()
	case "histogram":
		return dto.MetricType_HISTOGRAM.Enum()
	}
	return dto.MetricType_UNTYPED.Enum()
}

func pair(name, value string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &value} }

func timestamp(nanos int64) *timestamppb.Timestamp { return timestamppb.New(time.Unix(0, nanos)) }

// family is the metrics of one name.
type family struct {
	description
	collect func(visit func(*dto.Metric))
}

// head returns the family without its metrics.
func (f *family) head() *dto.MetricFamily {
	return &dto.MetricFamily{Name: &f.Name, Help: &f.Help, Type: metricType(f.Type)}
}

// families returns the metrics of targets as messages of client_model. A family
// may be empty. Each metric is made when it is visited.
func (s *snapshot) families(location string) []family {
	s.labelViews(location)
	all := []family{{results, s.results}, {scheduled, s.scheduled}, {scheduledFormerly, s.scheduled}, {failures, s.failed}, {within, s.keptWithin}, {untimed, s.unknown}, {downtime, s.downtime}}
	for i := range optionalMetrics {
		all = append(all, family{optionalMetrics[i].metric, func(visit func(*dto.Metric)) { s.optional(&optionalMetrics[i], visit) }})
	}
	return append(all, family{duration, s.durations}, family{phase, s.phases}, family{step, s.steps})
}

// labelViews sets what all metrics of a target share: the labels that identify
// it, and when they were created.
func (s *snapshot) labelViews(location string) {
	at := pair(metricnames.Location, location)
	for i := range s.views {
		v := &s.views[i]
		v.labels = []*dto.LabelPair{
			at, pair(metricnames.Service, v.id.Service), pair(metricnames.SLA, v.id.SLA), pair(metricnames.SLO, v.id.SLO), pair(metricnames.Target, v.target),
		}
		for _, l := range v.extraLabels() {
			v.labels = append(v.labels, pair(l.Name, l.Value))
		}
		v.createdAt = timestamp(v.created)
	}
}

// with returns the labels of the target and others, sorted by name.
func (v *view) with(others ...*dto.LabelPair) []*dto.LabelPair {
	if len(others) == 0 {
		return v.labels
	}
	all := slices.Concat(v.labels, others)
	slices.SortFunc(all, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	return all
}

func (v *view) counter(n float64, createdAt *timestamppb.Timestamp, others ...*dto.LabelPair) *dto.Metric {
	return &dto.Metric{Label: v.with(others...), Counter: &dto.Counter{Value: &n, CreatedTimestamp: createdAt}}
}

func (s *snapshot) results(visit func(*dto.Metric)) {
	var outcomes [outcomeCount]*dto.LabelPair
	for i, o := range probe.Outcomes {
		outcomes[i] = pair(metricnames.Outcome, string(o))
	}
	for i := range s.views {
		v := &s.views[i]
		for j, n := range v.outcomes {
			visit(v.counter(float64(n), v.createdAt, outcomes[j]))
		}
	}
}

func (s *snapshot) scheduled(visit func(*dto.Metric)) {
	for i := range s.views {
		v := &s.views[i]
		visit(v.counter(float64(v.scheduled()), v.createdAt))
	}
}

func (s *snapshot) failed(visit func(*dto.Metric)) {
	s.eachFailure(func(v *view, f *failureView) {
		visit(v.counter(float64(f.n), timestamp(f.createdAt), pair(metricnames.Reason, string(f.reason))))
	})
}

func (s *snapshot) keptWithin(visit func(*dto.Metric)) {
	s.eachWithin(func(v *view, c *withinView) {
		visit(v.counter(float64(c.n), v.createdAt, pair(metricnames.Threshold, formatThreshold(c.threshold))))
	})
}

func (s *snapshot) unknown(visit func(*dto.Metric)) {
	s.eachWithin(func(v *view, c *withinView) {
		visit(v.counter(float64(c.unknown), v.createdAt, pair(metricnames.Threshold, formatThreshold(c.threshold))))
	})
}

func (s *snapshot) downtime(visit func(*dto.Metric)) {
	labels := [...]*dto.LabelPair{pair(metricnames.Bound, bounds[0]), pair(metricnames.Bound, bounds[1])}
	for i := range s.views {
		v := &s.views[i]
		for j, d := range v.down {
			visit(v.counter(d.Seconds(), v.createdAt, labels[j]))
		}
	}
}

func (s *snapshot) optional(one *optionalMetric, visit func(*dto.Metric)) {
	for v, n := range s.targetsWith(one) {
		var others []*dto.LabelPair
		for _, l := range v.extraLabelsOf(one.metric) {
			others = append(others, pair(l.Name, l.Value))
		}
		if one.metric.Type == "counter" {
			visit(v.counter(n, v.createdAt, others...))
		} else {
			visit(&dto.Metric{Label: v.with(others...), Gauge: &dto.Gauge{Value: &n}})
		}
	}
}

// eachLocked visits the targets and holds the lock of each meanwhile, because a
// snapshot does not contain histograms.
func (s *snapshot) eachLocked(visit func(*view)) {
	for i := range s.views {
		v := &s.views[i]
		v.mu.Lock()
		visit(v)
		v.mu.Unlock()
	}
}

func (s *snapshot) durations(visit func(*dto.Metric)) {
	empty := new(probeDurations)
	s.eachLocked(func(v *view) {
		h := v.duration
		if h == nil {
			h = empty
		}
		histogram := h.native(v.createdAt)
		histogram.Bucket = h.classicBuckets()
		for i := range h.exemplars {
			if e := &h.exemplars[i]; e.id != 0 {
				histogram.Exemplars = append(histogram.Exemplars, e.message())
			}
		}
		visit(&dto.Metric{Label: v.labels, Histogram: histogram})
	})
}

func (s *snapshot) phases(visit func(*dto.Metric)) {
	labels := map[probe.Phase]*dto.LabelPair{}
	for _, p := range probe.AllPhases() {
		labels[p] = pair(metricnames.Phase, p.String())
	}
	s.eachLocked(func(v *view) {
		v.eachPhase(func(p probe.Phase, d *durations) {
			visit(&dto.Metric{Label: v.with(labels[p]), Histogram: d.native(v.createdAt)})
		})
	})
}

func (s *snapshot) steps(visit func(*dto.Metric)) {
	s.eachLocked(func(v *view) {
		steps := v.sparseView().steps
		for i := range steps {
			visit(&dto.Metric{Label: v.with(pair(metricnames.Step, steps[i].step)), Histogram: steps[i].native(v.createdAt)})
		}
	})
}

// classicBuckets returns the cumulative buckets, and the one for +Inf only if it
// has an exemplar.
func (h *probeDurations) classicBuckets() (all []*dto.Bucket) {
	below := uint64(0)
	for i, bound := range classicBounds {
		below += h.classic[i]
		all = append(all, &dto.Bucket{CumulativeCount: proto.Uint64(below), UpperBound: proto.Float64(bound), Exemplar: h.exemplarIn(i).message()})
	}
	if e := h.exemplarIn(len(classicBounds)); e != nil {
		all = append(all, &dto.Bucket{CumulativeCount: proto.Uint64(h.count), UpperBound: proto.Float64(math.Inf(1)), Exemplar: e.message()})
	}
	return all
}

// message returns the exemplar as a message; nil for nil.
func (e *exemplar) message() *dto.Exemplar {
	if e == nil {
		return nil
	}
	return &dto.Exemplar{Label: []*dto.LabelPair{pair(exemplarLabel, e.id.String())}, Value: proto.Float64(e.value), Timestamp: timestamp(e.at)}
}
