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
	Metric
	collect func(visit func(*dto.Metric))
}

// head is the family without its metrics.
func (f *family) head() *dto.MetricFamily {
	return &dto.MetricFamily{Name: &f.Name, Help: &f.Help, Type: metricType(f.Type)}
}

// families are the metrics of targets as client_model has them; some may have
// none. A metric is made when it is visited.
func (s *snapshot) families(location string) []family {
	s.labelViews(location)
	all := []family{{results, s.results}, {owed, s.owed}, {failures, s.failed}, {within, s.keptWithin}, {untimed, s.unknown}, {downtime, s.downtime}}
	for i := range sporadics {
		all = append(all, family{sporadics[i].metric, func(visit func(*dto.Metric)) { s.sporadic(&sporadics[i], visit) }})
	}
	return append(all, family{duration, s.durations}, family{phase, s.phases}, family{step, s.steps})
}

// labelViews makes what all metrics of a target have: the labels that name it,
// and when they began.
func (s *snapshot) labelViews(location string) {
	at := pair(metricnames.Location, location)
	for i := range s.views {
		v := &s.views[i]
		v.labels = []*dto.LabelPair{
			at, pair(metricnames.Service, v.id.Service), pair(metricnames.SLA, v.id.SLA), pair(metricnames.SLO, v.id.SLO), pair(metricnames.Target, v.target),
		}
		for _, l := range v.ownLabels() {
			v.labels = append(v.labels, pair(l.Name, l.Value))
		}
		v.born = timestamp(v.created)
	}
}

// with is the labels of the target and others, in order of name.
func (v *view) with(others ...*dto.LabelPair) []*dto.LabelPair {
	if len(others) == 0 {
		return v.labels
	}
	all := slices.Concat(v.labels, others)
	slices.SortFunc(all, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	return all
}

func (v *view) counter(n float64, born *timestamppb.Timestamp, others ...*dto.LabelPair) *dto.Metric {
	return &dto.Metric{Label: v.with(others...), Counter: &dto.Counter{Value: &n, CreatedTimestamp: born}}
}

func (s *snapshot) results(visit func(*dto.Metric)) {
	var outcomes [outcomeCount]*dto.LabelPair
	for i, o := range probe.Outcomes {
		outcomes[i] = pair(metricnames.Outcome, string(o))
	}
	for i := range s.views {
		v := &s.views[i]
		for j, n := range v.outcomes {
			visit(v.counter(float64(n), v.born, outcomes[j]))
		}
	}
}

func (s *snapshot) owed(visit func(*dto.Metric)) {
	for i := range s.views {
		v := &s.views[i]
		visit(v.counter(float64(v.owed()), v.born))
	}
}

func (s *snapshot) failed(visit func(*dto.Metric)) {
	s.eachFailure(func(v *view, f *failureView) {
		visit(v.counter(float64(f.n), timestamp(f.born), pair(metricnames.Reason, string(f.reason))))
	})
}

func (s *snapshot) keptWithin(visit func(*dto.Metric)) {
	s.eachWithin(func(v *view, c *withinView) {
		visit(v.counter(float64(c.n), v.born, pair(metricnames.Threshold, formatThreshold(c.threshold))))
	})
}

func (s *snapshot) unknown(visit func(*dto.Metric)) {
	s.eachWithin(func(v *view, c *withinView) {
		visit(v.counter(float64(c.unknown), v.born, pair(metricnames.Threshold, formatThreshold(c.threshold))))
	})
}

func (s *snapshot) downtime(visit func(*dto.Metric)) {
	labels := [...]*dto.LabelPair{pair(metricnames.Bound, bounds[0]), pair(metricnames.Bound, bounds[1])}
	for i := range s.views {
		v := &s.views[i]
		for j, d := range v.down {
			visit(v.counter(d.Seconds(), v.born, labels[j]))
		}
	}
}

func (s *snapshot) sporadic(one *sporadic, visit func(*dto.Metric)) {
	for v, n := range s.having(one) {
		var others []*dto.LabelPair
		for _, l := range v.more(one.metric) {
			others = append(others, pair(l.Name, l.Value))
		}
		if one.metric.Type == "counter" {
			visit(v.counter(n, v.born, others...))
		} else {
			visit(&dto.Metric{Label: v.with(others...), Gauge: &dto.Gauge{Value: &n}})
		}
	}
}

// eachLocked visits the targets, each with its lock held: histograms are not
// part of a snapshot.
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
		histogram := h.native(v.born)
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
			visit(&dto.Metric{Label: v.with(labels[p]), Histogram: d.native(v.born)})
		})
	})
}

func (s *snapshot) steps(visit func(*dto.Metric)) {
	s.eachLocked(func(v *view) {
		steps := v.seen().steps
		for i := range steps {
			visit(&dto.Metric{Label: v.with(pair(metricnames.Step, steps[i].step)), Histogram: steps[i].native(v.born)})
		}
	})
}

// classicBuckets are cumulative; the one without a bound only if it has an
// exemplar.
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

// message is nil for nil.
func (e *exemplar) message() *dto.Exemplar {
	if e == nil {
		return nil
	}
	return &dto.Exemplar{Label: []*dto.LabelPair{pair(exemplarLabel, e.id.String())}, Value: proto.Float64(e.value), Timestamp: timestamp(e.at)}
}
