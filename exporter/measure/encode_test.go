package measure

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// busy is metrics with targets in every state.
func busy(t testing.TB) *Metrics {
	t.Helper()
	m := newMetrics()
	odd := spec("od\"d\\\n", "http", "https://shop.example/?q=\"é\"\\", 250*time.Millisecond)
	targets := m.Replace([]Spec{spec("idle", "tcp", "db.example:1"), odd, spec("skipped", "tcp", "db.example:2"), spec("busy", "http", "https://shop.example/", time.Second, 2*time.Second)})
	targets[2].Skip(probe.Overload, 3)
	random := rand.New(rand.NewPCG(1, 2))
	at := time.Unix(1_800_000_000, 123_456_789)
	for i := range 400 {
		took := time.Duration(math.Exp(random.Float64()*14) * float64(10*time.Microsecond))
		r := result(probe.Good, "", took, probe.Connect, probe.Processing)
		if i%7 == 0 {
			r = result(probe.Bad, []probe.Reason{probe.Status, probe.Reset}[i%2], took, probe.Connect, probe.TLS)
		}
		targets[3].Observe(r, ID(i+1), at.Add(time.Duration(i)*time.Second))
		targets[1].observe(r)
		r.Parts = []probe.Part{{Step: "lo\"gin", Duration: took / 3}, {Step: "cart", Duration: took / 2}}
		targets[0].observe(r)
	}
	targets[1].observe(result(probe.Good, "", 0))
	m.snapshot().release() // every reason has been shown
	return m
}

// readBack decodes what is written as protobuf.
func readBack(t *testing.T, m *Metrics) []*dto.MetricFamily {
	t.Helper()
	var written bytes.Buffer
	if err := m.writeProto(&written); err != nil {
		t.Fatal(err)
	}
	return decode(t, &written)
}

func decode(t *testing.T, written io.Reader) (families []*dto.MetricFamily) {
	t.Helper()
	for decoder := expfmt.NewDecoder(written, expfmt.NewFormat(expfmt.TypeProtoDelim)); ; {
		f := new(dto.MetricFamily)
		err := decoder.Decode(f)
		if errors.Is(err, io.EOF) {
			return families
		}
		if err != nil {
			t.Fatal(err)
		}
		families = append(families, f)
	}
}

// TestTextSaysWhatProtobufSays reads both back with the parsers of
// prometheus/common, and compares.
func TestTextSaysWhatProtobufSays(t *testing.T) {
	m := busy(t)
	families := readBack(t, m)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	parsed, err := parser.TextToMetricFamilies(bytes.NewReader(exposition(t, m)))
	if err != nil {
		t.Fatal(err)
	}
	if len(families) < 7 || len(parsed) != len(families) {
		t.Fatalf("%d families as protobuf, %d as text", len(families), len(parsed))
	}
	for _, want := range families {
		plain(want)
		got := parsed[want.GetName()]
		for _, metric := range got.GetMetric() {
			if h := metric.GetHistogram(); h != nil { // the text always ends with it
				last := h.Bucket[len(h.Bucket)-1]
				if !math.IsInf(last.GetUpperBound(), 1) || last.GetCumulativeCount() != h.GetSampleCount() {
					t.Errorf("last bucket %v of %v", last, h)
				}
				h.Bucket = h.Bucket[:len(h.Bucket)-1]
			}
		}
		byLabels(got)
		byLabels(want)
		if !proto.Equal(got, want) {
			t.Errorf("text says\n%v\nprotobuf\n%v", got, want)
		}
	}
}

// plain removes from a family what the text format cannot express.
func plain(f *dto.MetricFamily) {
	for _, metric := range f.Metric {
		if metric.Counter != nil {
			metric.Counter.CreatedTimestamp = nil
		}
		if h := metric.Histogram; h != nil {
			metric.Histogram = &dto.Histogram{SampleCount: h.SampleCount, SampleSum: h.SampleSum}
			for _, b := range h.Bucket {
				if !math.IsInf(b.GetUpperBound(), 1) {
					metric.Histogram.Bucket = append(metric.Histogram.Bucket, &dto.Bucket{CumulativeCount: b.CumulativeCount, UpperBound: b.UpperBound})
				}
			}
		}
	}
}

func byLabels(f *dto.MetricFamily) {
	for _, metric := range f.GetMetric() {
		slices.SortFunc(metric.Label, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	}
	slices.SortFunc(f.GetMetric(), func(a, b *dto.Metric) int { return strings.Compare(fmt.Sprint(a.Label), fmt.Sprint(b.Label)) })
}

// TestNativeHistogramsAreThoseOfClientGolang compares buckets with the library's.
func TestNativeHistogramsAreThoseOfClientGolang(t *testing.T) {
	for name, count := range map[string]int{"few": 5, "many": 3000} {
		reference := prometheus.NewHistogram(histogram(duration, classicBounds[:]))
		var own durations
		random := rand.New(rand.NewPCG(3, uint64(count)))
		for i := range count {
			v := math.Exp(random.Float64()*18 - 11)
			if i%10 == 0 {
				v = math.Ldexp(1, i%13-8) // on a bound
			}
			reference.Observe(v)
			own.observe(v)
		}
		own.observe(0)
		reference.Observe(0)
		var metric dto.Metric
		if err := reference.Write(&metric); err != nil {
			t.Fatal(err)
		}
		want := metric.GetHistogram()
		want.CreatedTimestamp, want.Bucket = timestamp(1), nil
		if got := own.native(timestamp(1)); !proto.Equal(got, want) {
			t.Errorf("%s:\n%v, want\n%v", name, got, want)
		}
	}
}

func scrapeAs(t testing.TB, m *Metrics, accept string) (http.Header, []byte) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Encoding", "deflate, gzip;q=0.5")
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, r)
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return w.Header(), body
}

const (
	acceptProto       = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
	acceptOpenMetrics = "application/openmetrics-text;version=1.0.0"
)

func TestHandlerNegotiates(t *testing.T) {
	m := busy(t)
	var names map[string]int
	for accept, begins := range map[string]string{
		acceptProto:       "application/vnd.google.protobuf",
		"text/plain":      "text/plain; version=0.0.4",
		"":                "text/plain; version=0.0.4",
		acceptOpenMetrics: "application/openmetrics-text; version=1.0.0",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text": "application/vnd.google.protobuf",
	} {
		header, body := scrapeAs(t, m, accept)
		if got := header.Get("Content-Type"); !strings.HasPrefix(got, begins) {
			t.Errorf("%q is answered with %q", accept, got)
		}
		if accept == acceptOpenMetrics {
			if !bytes.HasSuffix(body, []byte("\n# EOF\n")) || bytes.Count(body, []byte(`# {probe_id="00000000000001`)) != 2 {
				t.Errorf("OpenMetrics without end or exemplars:\n%s", body)
			}
			continue
		}
		if strings.Contains(accept, "encoding=text") {
			continue // for people
		}
		got := map[string]int{}
		decoder := expfmt.NewDecoder(bytes.NewReader(body), expfmt.ResponseFormat(header))
		for {
			var f dto.MetricFamily
			err := decoder.Decode(&f)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got[f.GetName()] += len(f.Metric)
		}
		if names == nil {
			names = got
		}
		if len(got) < 20 || !maps.Equal(got, names) {
			t.Errorf("%q has %v, another format %v", accept, got, names)
		}
	}
}

// TestLargeFamiliesAreWhole reads back families of thousands of metrics, twice.
func TestLargeFamiliesAreWhole(t *testing.T) {
	m := many(2000)
	for range 2 {
		families := readBack(t, m)
		got := map[string]int{}
		for _, f := range families {
			got[f.GetName()] += len(f.Metric)
			seen := map[string]bool{}
			for _, metric := range f.Metric {
				seen[fmt.Sprint(metric.Label)] = true
			}
			if len(seen) != len(f.Metric) {
				t.Errorf("%s: %d metrics, %d different ones", f.GetName(), len(f.Metric), len(seen))
			}
		}
		if got[results.Name] != 5*2000 || got[phase.Name] != 4*2000 || got[duration.Name] != 2000 || len(got) != len(families) {
			t.Errorf("%v in %d families", got, len(families))
		}
	}
}

func TestTakesGzip(t *testing.T) {
	for value, want := range map[string]bool{"": false, "gzip": true, "br, gzip": true, "gzip; q=0": false, "gzip;q=0.1": true, "deflate": false, "xgzip": false} {
		if got := takesGzip(http.Header{"Accept-Encoding": {value}}); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

// TestASlowScraperHoldsNoTarget hangs if a lock is held while writing.
func TestASlowScraperHoldsNoTarget(t *testing.T) {
	m := many(500)
	for _, target := range m.sorted {
		r := result(probe.Good, "", time.Second)
		r.Parts = []probe.Part{{Step: "login", Duration: time.Second}, {Step: "cart", Duration: time.Second}}
		target.observe(r)
	}
	for _, openMetrics := range []bool{false, true} {
		slow := writerFunc(func(p []byte) (int, error) {
			for _, target := range m.sorted {
				target.observe(result(probe.Good, "", time.Millisecond))
			}
			return len(p), nil
		})
		if err := m.writeText(slow, openMetrics); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFamiliesAreWholeWhileTargetsChange reads back what was written while all
// targets were being probed.
func TestFamiliesAreWholeWhileTargetsChange(t *testing.T) {
	m := many(150)
	var sent bytes.Buffer
	took := time.Microsecond
	changing := writerFunc(func(p []byte) (int, error) {
		took = took * 21 / 20 % (100 * time.Second)
		for _, target := range m.sorted {
			r := result(probe.Good, "", took, probe.Connect, probe.TLS)
			r.Parts = []probe.Part{{Step: fmt.Sprint(took % 3), Duration: took}}
			target.Observe(r, 1, time.Now())
			target.Skip(probe.Overlap, 1)
		}
		return sent.Write(p)
	})
	for range 3 {
		if err := m.writeProto(changing); err != nil {
			t.Fatal(err)
		}
	}
	names := map[string]int{}
	for _, f := range decode(t, &sent) {
		names[f.GetName()] += len(f.Metric)
	}
	if names[duration.Name] != 3*150 || names[results.Name] != 3*5*150 || names[phase.Name] <= 3*4*150 || names[step.Name] == 0 {
		t.Errorf("%v", names)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// many is metrics with n targets that have been probed a few times.
func many(n int) *Metrics {
	m := newMetrics()
	specs := make([]Spec, n)
	for i := range specs {
		specs[i] = spec("availability", "http", fmt.Sprintf("https://shop-%d.example/health", i))
		specs[i].ID = sla.ID{SLA: "shop", Service: fmt.Sprintf("storefront-%d", i), SLO: "availability"}
	}
	for i, t := range m.Replace(specs) {
		for j := range 5 {
			t.Observe(result(probe.Good, "", time.Duration(i%100+j+1)*time.Millisecond, probe.Resolve, probe.Connect, probe.Processing, probe.Transfer), ID(i*5+j+1), time.Now())
		}
		if i%20 == 0 {
			t.observe(result(probe.Bad, probe.Status, time.Millisecond))
		}
	}
	return m
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkScrape answers scrapes of 10,000 targets, gzip included.
func BenchmarkScrape(b *testing.B) {
	m := many(10_000)
	for _, c := range []struct{ name, accept string }{{"text", "text/plain"}, {"openmetrics", acceptOpenMetrics}, {"protobuf", acceptProto}} {
		b.Run(c.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
			r.Header.Set("Accept", c.accept)
			r.Header.Set("Accept-Encoding", "gzip")
			h := m.Handler()
			b.ReportAllocs()
			before, size := cpuTime(), 0
			for b.Loop() {
				w := &counting{header: http.Header{}}
				h.ServeHTTP(w, r)
				size = w.n
			}
			b.ReportMetric(float64((cpuTime()-before).Microseconds())/float64(b.N), "cpu-us/op")
			b.ReportMetric(float64(size), "sent-B/op")
		})
	}
}

// counting is a response writer that only counts bytes.
type counting struct {
	header http.Header
	n      int
}

func (c *counting) Header() http.Header { return c.header }
func (c *counting) WriteHeader(int)     {}
func (c *counting) Write(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}
