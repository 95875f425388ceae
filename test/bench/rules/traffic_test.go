package rules

import (
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/replay"
)

const (
	days = 31
	day  = 24 * time.Hour
)

var (
	start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	end   = start.Add(days * day)
)

// fault is a time in which a share of requests fails.
type fault struct {
	from, to time.Duration // since start
	share    float64
}

// faults are the faults of the month. Times are since its first midnight.
var faults = []fault{
	{0, days * day, 0.0002},                                     // always a few
	{9*day + 3*time.Hour, 9*day + 4*time.Hour, 0.9},             // a night outage
	{17*day + 14*time.Hour, 17*day + 14*time.Hour + 600e9, 0.5}, // a peak outage
	{23*day + 10*time.Hour, 23*day + 22*time.Hour, 0.015},       // a slow release
	{27*day + 15*time.Hour, 27*day + 15*time.Hour + 120e9, 1},   // two minutes of nothing
}

// kind says how servers behave.
type kind struct {
	scrape time.Duration
	// restartEvery is how often pods restart, each at its own time.
	restartEvery time.Duration
	// hard servers are scraped out of phase, and only have the errors of faults.
	hard bool
	// counts is what pods expose.
	counts exposed
	// releaseEvery is how often all pods are replaced by pods with other names, one a
	// minute; 0 is never.
	releaseEvery time.Duration
	// away is a time without a server: nothing is scraped or evaluated.
	away replay.Span
}

// exposed is a kind of counters.
type exposed int

const (
	requests  exposed = iota // by code; the error counter appears with the first error
	durations                // a histogram; bad requests take longer than the threshold
	probes                   // results of an exporter in each pod, every 15 s, by outcome
)

// probeInterval is how often each exporter probes.
const probeInterval = 15 * time.Second

var (
	usual = kind{scrape: 15 * time.Second, restartEvery: 9 * day, counts: requests}
	hard  = kind{scrape: 15 * time.Second, restartEvery: day, hard: true, counts: requests}
	// peakOutageUnseen is half an hour that contains the whole outage by day.
	peakOutageUnseen = replay.Span{From: start.Add(17*day + 13*time.Hour + 50*time.Minute), To: start.Add(17*day + 14*time.Hour + 20*time.Minute)}
)

// traffic has the true counts: events of all pods since start at each scrape.
type traffic struct {
	kind
	pods      int
	good, bad []float64
}

// month varies between 20 and 400 requests a second, or has the probes of all pods, and
// adds the failures.
func month(pods int, k kind) *traffic {
	n := int(days*day/k.scrape) + 1
	t := &traffic{kind: k, pods: pods, good: make([]float64, n), bad: make([]float64, n)}
	of := faults
	if k.hard {
		of = faults[1:]
	}
	for i := 1; i < n; i++ {
		at := time.Duration(i) * k.scrape
		rate := 210 - 190*math.Cos(2*math.Pi*(at-3*time.Hour).Hours()/24)
		failing := 0.
		for _, f := range of {
			if at > f.from && at <= f.to {
				failing = math.Max(failing, f.share)
			}
		}
		if k.counts == probes {
			rate = float64(pods) / probeInterval.Seconds()
		}
		events := rate * k.scrape.Seconds()
		t.good[i], t.bad[i] = t.good[i-1]+events*(1-failing), t.bad[i-1]+events*failing
	}
	return t
}

// pod is one counter of one pod. It has the pod's equal part of the events of each
// kind, in whole numbers, and begins at 0 each time the pod restarts. An error counter
// appears with its first error.
type pod struct {
	of       *traffic
	events   [][]float64
	number   int
	lived    release
	restarts []int // by scrapes
	born     bool  // it only exists from its first event on
}

// release is the time in which a pod has one name: scrapes [from, to).
type release struct{ from, to int }

// releases returns the releases of a pod.
func (t *traffic) releases(number int) []release {
	all := []release{{0, len(t.good)}}
	if t.releaseEvery == 0 {
		return all
	}
	for at := t.releaseEvery + time.Duration(number)*time.Minute; at < days*day; at += t.releaseEvery {
		replaced := int(at / t.scrape)
		all[len(all)-1].to = replaced
		all = append(all, release{replaced, len(t.good)})
	}
	return all
}

func (t *traffic) counter(number int, lived release, born bool, events ...[]float64) *pod {
	p := &pod{of: t, events: events, number: number, lived: lived, born: born}
	p.restarts = []int{lived.from}
	for at := t.restartEvery * time.Duration(number+1) / time.Duration(t.pods); at < days*day; at += t.restartEvery {
		if i := int(at / t.scrape); i > lived.from && i < lived.to {
			p.restarts = append(p.restarts, i)
		}
	}
	return p
}

// whole is the pod's events since start, a whole number.
func (p *pod) whole(i int) float64 {
	sum := 0.
	for _, of := range p.events {
		sum += math.Floor(of[i]/float64(p.of.pods) + float64(p.number)/float64(p.of.pods))
	}
	return sum
}

// samples are the samples that a Prometheus scraped. The index skips gaps before a
// counter appears.
func (p *pod) samples() replay.Samples {
	s := scraped{pod: p}
	for k, from := range p.restarts {
		to := p.lived.to
		if k+1 < len(p.restarts) {
			to = p.restarts[k+1]
		}
		first := from
		if p.born {
			for first < to && p.whole(first) == p.whole(from) {
				first++
			}
		}
		if first < to {
			s.lives = append(s.lives, life{from: first, to: to, base: p.whole(from), at: s.n})
			s.n += to - first
		}
	}
	return p.of.seen(p.of.ended(&s, p.number, p.lived))
}

// ended adds a staleness marker to a series that ends with a release.
func (t *traffic) ended(s replay.Samples, pod int, r release) replay.Samples {
	if r.to == len(t.good) || s.Len() == 0 {
		return s
	}
	return marked{s, t.scraped(pod, r.to)}
}

// marked is samples followed by a staleness marker.
type marked struct {
	replay.Samples
	at int64
}

func (m marked) Len() int { return m.Samples.Len() + 1 }

func (m marked) At(i int) (int64, float64) {
	if i == m.Samples.Len() {
		return m.at, math.Float64frombits(value.StaleNaN)
	}
	return m.Samples.At(i)
}

// seen are the samples scraped while there is a server.
func (t *traffic) seen(s replay.Samples) replay.Samples {
	from := func(at time.Time) int {
		return sort.Search(s.Len(), func(i int) bool {
			ms, _ := s.At(i)
			return ms >= at.UnixMilli()
		})
	}
	first := from(t.away.From)
	if n := from(t.away.To) - first; n > 0 {
		return without{s, first, n}
	}
	return s
}

// without is samples without n of them.
type without struct {
	replay.Samples
	first, n int
}

func (w without) Len() int { return w.Samples.Len() - w.n }

func (w without) At(i int) (int64, float64) {
	if i >= w.first {
		i += w.n
	}
	return w.Samples.At(i)
}

// life is a run of scrapes of a counter, [from, to).
type life struct {
	from, to int
	base     float64
	at       int // index of its first sample
}

type scraped struct {
	pod   *pod
	lives []life
	n     int
}

func (s *scraped) Len() int { return s.n }

func (s *scraped) At(i int) (int64, float64) {
	k := len(s.lives) - 1
	for s.lives[k].at > i {
		k--
	}
	l := s.lives[k]
	scrapes := l.from + i - l.at
	return s.pod.of.scraped(s.pod.number, scrapes), s.pod.whole(scrapes) - l.base
}

// scraped is when a pod is scraped: pods are not all scraped at the same time.
func (t *traffic) scraped(pod, scrape int) int64 {
	offset := time.Duration(pod) * 37 * time.Millisecond
	if t.hard {
		offset = time.Duration(pod) * t.scrape / time.Duration(t.pods)
	}
	return start.Add(time.Duration(scrape)*t.scrape + offset%t.scrape).UnixMilli()
}

// up is the series up of a pod's scrapes.
type up struct {
	of    *traffic
	pod   int
	lived release
}

func (u up) Len() int                  { return u.lived.to - u.lived.from }
func (u up) At(i int) (int64, float64) { return u.of.scraped(u.pod, u.lived.from+i), 1 }

// add adds two series for each pod to the world, and up.
func (t *traffic) add(w *replay.World) {
	for i := range t.pods {
		for n, lived := range t.releases(i) {
			name := fmt.Sprintf("p-%03d", i)
			if n > 0 {
				name += fmt.Sprintf("-%d", n)
			}
			t.addPod(w, i, name, lived)
			w.Add(labels.FromStrings(labels.MetricName, metricnames.Up, "job", "checkout", "instance", name), t.seen(t.ended(up{t, i, lived}, i, lived)))
		}
	}
}

func (t *traffic) addPod(w *replay.World, i int, name string, lived release) {
	series := func(p *pod, metric string, more ...string) {
		w.Add(labels.FromStrings(append([]string{labels.MetricName, metric, "job", "checkout", "instance", name, "pod", name}, more...)...), p.samples())
	}
	switch t.counts {
	case requests:
		series(t.counter(i, lived, false, t.good), "http_requests_total", "code", "200")
		series(t.counter(i, lived, true, t.bad), "http_requests_total", "code", "500")
	case durations:
		series(t.counter(i, lived, false, t.good), "http_request_duration_seconds_bucket", "le", "0.3")
		series(t.counter(i, lived, false, t.good, t.bad), "http_request_duration_seconds_count")
	case probes:
		for outcome, events := range map[string][]float64{metricnames.Good: t.good, metricnames.Bad: t.bad} {
			series(t.counter(i, lived, false, events), metricnames.ProbeResults, "sla", "checkout", "service", "shop", "slo", "availability", "location", name, "outcome", outcome)
		}
	}
}

// ratio is the true bad share in the last d before the end.
func (t *traffic) ratio(d time.Duration) float64 {
	i, j := len(t.good)-1-int(d/t.scrape), len(t.good)-1
	good, bad := t.good[j]-t.good[i], t.bad[j]-t.bad[i]
	return bad / (good + bad)
}
