package measure

import (
	"iter"
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

var types = map[string]*dto.MetricType{
	"counter": dto.MetricType_COUNTER.Enum(), "gauge": dto.MetricType_GAUGE.Enum(), "histogram": dto.MetricType_HISTOGRAM.Enum(),
}

func pair(name, value string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &value} }

func timestamp(nanos int64) *timestamppb.Timestamp { return timestamppb.New(time.Unix(0, nanos)) }

// families yields the metrics of targets as client_model has them: one family
// after the other, since one of 10,000 targets takes tens of megabytes. A family
// without a metric is left out.
func (s *snapshot) families(location string) iter.Seq[*dto.MetricFamily] {
	return func(yield func(*dto.MetricFamily) bool) {
		s.labelViews(location)
		for _, one := range s.collectors() {
			metrics := one.collect()
			if len(metrics) == 0 {
				continue
			}
			if !yield(&dto.MetricFamily{Name: &one.Name, Help: &one.Help, Type: types[one.Type], Metric: metrics}) {
				return
			}
		}
	}
}

// labelViews makes the labels that name each target, once for all its metrics.
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

func (v *view) counter(n float64, born int64, others ...*dto.LabelPair) *dto.Metric {
	return &dto.Metric{Label: v.with(others...), Counter: &dto.Counter{Value: &n, CreatedTimestamp: timestamp(born)}}
}

// collector makes the metrics of one family.
type collector struct {
	Metric
	collect func() []*dto.Metric
}

func (s *snapshot) collectors() []collector {
	all := []collector{{results, s.results}, {owed, s.owed}, {failures, s.failed}, {within, s.keptWithin}, {untimed, s.unknown}, {downtime, s.downtime}}
	for i := range sporadics {
		all = append(all, collector{sporadics[i].metric, func() []*dto.Metric { return s.sporadic(&sporadics[i]) }})
	}
	return append(all, collector{duration, s.durations}, collector{phase, s.phases}, collector{step, s.steps})
}

func (s *snapshot) results() (all []*dto.Metric) {
	var outcomes [outcomeCount]*dto.LabelPair
	for i, o := range probe.Outcomes {
		outcomes[i] = pair(metricnames.Outcome, string(o))
	}
	for i := range s.views {
		v := &s.views[i]
		for j, n := range v.outcomes {
			all = append(all, v.counter(float64(n), v.created, outcomes[j]))
		}
	}
	return all
}

func (s *snapshot) owed() (all []*dto.Metric) {
	for i := range s.views {
		v := &s.views[i]
		all = append(all, v.counter(float64(v.owed()), v.created))
	}
	return all
}

func (s *snapshot) failed() (all []*dto.Metric) {
	s.eachFailure(func(v *view, f *failureView) {
		all = append(all, v.counter(float64(f.n), f.born, pair(metricnames.Reason, string(f.reason))))
	})
	return all
}

func (s *snapshot) keptWithin() (all []*dto.Metric) {
	s.eachWithin(func(v *view, c *withinView) {
		all = append(all, v.counter(float64(c.n), v.created, pair(metricnames.Threshold, formatThreshold(c.threshold))))
	})
	return all
}

func (s *snapshot) unknown() (all []*dto.Metric) {
	s.eachWithin(func(v *view, c *withinView) {
		all = append(all, v.counter(float64(c.unknown), v.created, pair(metricnames.Threshold, formatThreshold(c.threshold))))
	})
	return all
}

func (s *snapshot) downtime() (all []*dto.Metric) {
	labels := [...]*dto.LabelPair{pair(metricnames.Bound, bounds[0]), pair(metricnames.Bound, bounds[1])}
	for i := range s.views {
		v := &s.views[i]
		for j, d := range v.down {
			all = append(all, v.counter(d.Seconds(), v.created, labels[j]))
		}
	}
	return all
}

func (s *snapshot) sporadic(one *sporadic) (all []*dto.Metric) {
	for v, n := range s.having(one) {
		var others []*dto.LabelPair
		for _, l := range v.more(one.metric) {
			others = append(others, pair(l.Name, l.Value))
		}
		if one.metric.Type == "counter" {
			all = append(all, v.counter(n, v.created, others...))
		} else {
			all = append(all, &dto.Metric{Label: v.with(others...), Gauge: &dto.Gauge{Value: &n}})
		}
	}
	return all
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

func (s *snapshot) durations() (all []*dto.Metric) {
	empty := new(probeDurations)
	s.eachLocked(func(v *view) {
		h := v.duration
		if h == nil {
			h = empty
		}
		histogram := h.native(v.created)
		histogram.Bucket = h.classicBuckets()
		for i := range h.exemplars {
			if e := &h.exemplars[i]; e.id != 0 {
				histogram.Exemplars = append(histogram.Exemplars, e.message())
			}
		}
		all = append(all, &dto.Metric{Label: v.labels, Histogram: histogram})
	})
	return all
}

func (s *snapshot) phases() (all []*dto.Metric) {
	s.eachLocked(func(v *view) {
		v.eachPhase(func(p probe.Phase, d *durations) {
			all = append(all, &dto.Metric{Label: v.with(pair(metricnames.Phase, p.String())), Histogram: d.native(v.created)})
		})
	})
	return all
}

func (s *snapshot) steps() (all []*dto.Metric) {
	s.eachLocked(func(v *view) {
		steps := v.seen().steps
		for i := range steps {
			all = append(all, &dto.Metric{Label: v.with(pair(metricnames.Step, steps[i].step)), Histogram: steps[i].native(v.created)})
		}
	})
	return all
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
