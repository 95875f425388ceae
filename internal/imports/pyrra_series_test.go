package imports_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/replay"
)

// Raw series of what an object of Pyrra selects, without gaps, births or resets. Traffic
// and the bad share are constant but for steps between the edges of windows, so that each
// window has a share of its own.

// scrapes are how often the raw series are scraped, each until so long before the end.
// Rates leave out what is between two scrapes at their edge, and assume that it was as
// in the mean of the window: so of short windows this must be little.
var scrapes = []pace{{30 * time.Second, 7 * time.Hour}, {5 * time.Second, 130 * time.Minute}, {time.Second, 0}}

type pace struct{ every, until time.Duration }

// stretch is a time in which traffic and the bad share differ from the usual.
type stretch struct {
	from, to    time.Time
	rate, share float64 // events a second, and the bad ones of them
}

// past is what happens to the service until a time.
type past struct {
	from, to  time.Time
	stretches []stretch
}

const (
	usualRate  = 40.
	usualShare = 0.0005
)

// newPast has a stretch between each two of the windows that end at a time, away from
// their edges: rates look back five minutes, and long windows are sums of steps of five.
// There is little traffic until the period of the budget has begun, since ours begins at a
// whole hour before.
func newPast(from, to time.Time, windows []time.Duration) past {
	p := past{from: from, to: to}
	slices.Sort(windows)
	p.stretches = append(p.stretches, stretch{from.Add(-time.Hour), to.Add(-windows[len(windows)-1] + 10*time.Minute), usualRate / 100, usualShare})
	for i, short := range windows[:len(windows)-1] {
		gap := windows[i+1] - short
		margin := min(gap/4, 15*time.Minute).Truncate(time.Minute)
		begin, end := to.Add(-windows[i+1]+margin), to.Add(-short-margin-5*time.Minute)
		if end.Sub(begin) < time.Minute {
			continue
		}
		n := float64(len(p.stretches))
		p.stretches = append(p.stretches, stretch{begin, end, usualRate * (0.5 + n/3), 0.004 * (1 + n)})
	}
	return p
}

// counted is what has happened to a group until a time: events, and the bad ones of them.
func (p past) counted(at time.Time, group int) (all, bad float64) {
	seconds := at.Sub(p.from).Seconds() + 1000 // nothing begins at 0
	all, bad = usualRate*seconds, usualRate*usualShare*seconds
	for _, s := range p.stretches {
		if length := min(at.Sub(s.from), s.to.Sub(s.from)).Seconds(); length > 0 {
			all += length * (s.rate - usualRate)
			bad += length * (s.rate*s.share - usualRate*usualShare)
		}
	}
	return all, bad * float64(1+group)
}

// down returns whether a gauge is 0: in the first half of each stretch, for whole minutes,
// since here one minute counts as much as another, and in Pyrra one sample.
func (p past) down(at time.Time) bool {
	return slices.ContainsFunc(p.stretches[1:], func(s stretch) bool {
		half := (s.to.Sub(s.from) / 2).Truncate(time.Minute)
		return !at.Before(s.from) && at.Before(s.from.Add(half))
	})
}

// sampled are samples of a function of time, each scrape from the past's beginning on.
type sampled struct {
	past
	even  bool // all scrapes are as far apart as the first: samples of gauges weigh the same
	value func(time.Time) float64
}

// paces are those of scrapes.
func (s sampled) paces() []pace {
	if s.even {
		return []pace{{scrapes[0].every, 0}}
	}
	return scrapes
}

func (s sampled) Len() int {
	n, from := 1, s.from
	for _, p := range s.paces() {
		until := s.to.Add(-p.until)
		n += int(until.Sub(from) / p.every)
		from = until
	}
	return n
}

func (s sampled) at(i int) time.Time {
	from := s.from
	for _, p := range s.paces() {
		until := s.to.Add(-p.until)
		n := int(until.Sub(from) / p.every)
		if i <= n {
			return from.Add(time.Duration(i) * p.every)
		}
		from, i = until, i-n
	}
	return s.to
}

func (s sampled) At(i int) (int64, float64) {
	at := s.at(i)
	return at.UnixMilli(), s.value(at)
}

// stored are the samples, each computed once: rules read them again and again.
func (s sampled) stored() replay.Stored {
	all := make(replay.Stored, s.Len())
	for i := range all {
		all[i].T, all[i].F = s.At(i)
	}
	return all
}

// sampledHistograms have what is good in a bucket around 50 ms, and the rest around 4 s.
type sampledHistograms struct {
	sampled
	group int
}

func (s sampledHistograms) At(i int) (int64, *histogram.FloatHistogram) {
	at := s.at(i)
	all, bad := s.counted(at, s.group)
	return at.UnixMilli(), &histogram.FloatHistogram{
		Schema: 0, Count: all, Sum: all,
		PositiveSpans:   []histogram.Span{{Offset: -4, Length: 1}, {Offset: 5, Length: 1}},
		PositiveBuckets: []float64{all - bad, bad},
	}
}

// kinds of counters that an object selects.
type content int

const (
	goodEvents content = iota
	badEvents
	allEvents
)

// feed adds the series that an object selects to a world, two for each label that it
// groups by, and returns the past that they tell.
func (o *pyrraObject) feed(t *testing.T, w *replay.World, p past) {
	t.Helper()
	of := o.Spec.Indicator
	add := func(s *selector, not *selector, group int, what content) {
		w.Add(seriesOf(t, s, not, o.grouping(), group), sampled{p, false, func(at time.Time) float64 {
			all, bad := p.counted(at, group)
			return [...]float64{all - bad, bad, all}[what]
		}}.stored())
	}
	for group := range o.groups() {
		switch {
		case of.Gauge.Metric != nil:
			w.Add(seriesOf(t, of.Gauge.Metric, nil, o.grouping(), group), sampled{p, true, func(at time.Time) float64 {
				if p.down(at) && group == 0 {
					return 0
				}
				return 1
			}}.stored())
		case of.Native.Total.Metric != nil:
			if err := w.AddHistograms(seriesOf(t, of.Native.Total.Metric, nil, o.grouping(), group), sampledHistograms{sampled{past: p}, group}); err != nil {
				t.Fatal(err)
			}
		case of.Latency.Total.Metric != nil:
			add(of.Latency.Success.Metric, nil, group, goodEvents)
			add(of.Latency.Total.Metric, nil, group, allEvents)
		case of.Ratio.Errors.Metric.Name == of.Ratio.Total.Metric.Name:
			add(of.Ratio.Errors.Metric, nil, group, badEvents)
			add(of.Ratio.Total.Metric, of.Ratio.Errors.Metric, group, goodEvents)
		default:
			add(of.Ratio.Errors.Metric, nil, group, badEvents)
			add(of.Ratio.Total.Metric, nil, group, allEvents)
		}
	}
}

// grouping are the labels that an object groups by.
func (o *pyrraObject) grouping() []string {
	of := o.Spec.Indicator
	return slices.Concat(of.Ratio.Grouping, of.Latency.Grouping, of.Native.Grouping, of.Gauge.Grouping)
}

// groups is how many series of each kind there are: gauges without grouping have two.
func (o *pyrraObject) groups() int {
	if len(o.grouping()) > 0 || o.Spec.Indicator.Gauge.Metric != nil {
		return 2
	}
	return 1
}

// values of labels, beside those that matchers name.
var values = []string{"a", "b", "200", "500", "ok", "GET", "/api/v1/query", "/api/v1/query_range", ""}

// seriesOf are labels that a selector matches, and another does not. Groups have
// different values of the labels that are grouped by, where the selector allows it, and
// different instances.
func seriesOf(t *testing.T, s, not *selector, grouping []string, group int) labels.Labels {
	t.Helper()
	b := labels.NewBuilder(labels.FromStrings("instance", strconv.Itoa(group)))
	names := slices.Clone(grouping)
	for _, m := range s.LabelMatchers {
		names = append(names, m.Name)
	}
	if not != nil {
		for _, m := range not.LabelMatchers {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	told := not == nil
	for _, name := range slices.Compact(names) {
		fits := valuesFor(name, s.LabelMatchers, not)
		if others := slices.DeleteFunc(slices.Clone(fits), func(v string) bool { return not == nil || matchAll(name, v, not.LabelMatchers) }); len(others) > 0 && !told {
			fits, told = others, true
		}
		if len(fits) == 0 {
			t.Fatalf("no value of %s fits %s", name, s)
		}
		value := fits[0]
		if slices.Contains(grouping, name) {
			value = fits[min(group, len(fits)-1)]
		}
		if name == labels.BucketLabel && !strings.Contains(value, ".") {
			value += ".0" // as a server writes it since Prometheus 3
		}
		b.Set(name, value)
	}
	if !told {
		t.Fatalf("%s matches all that %s does", not, s)
	}
	return b.Labels()
}

// valuesFor are values of a label that the matchers allow.
func valuesFor(name string, matchers []*labels.Matcher, not *selector) []string {
	var all []string
	for _, m := range matchers {
		if m.Name == name && (m.Type == labels.MatchEqual || m.Type == labels.MatchRegexp) {
			all = append(all, strings.Split(m.Value, "|")...)
		}
	}
	all = append(all, values...)
	return slices.DeleteFunc(all, func(v string) bool { return !matchAll(name, v, matchers) })
}

func matchAll(name, value string, matchers []*labels.Matcher) bool {
	return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return m.Name == name && !m.Matches(value) })
}
