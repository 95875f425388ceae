package measure

import (
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Handler answers scrapes in the format that the scraper asks for, compressed if
// it accepts that. The metrics of targets are written directly from their
// accounts; those of the exporter itself come from client_golang.
func (m *Metrics) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
		answer(w, r, format, m.write)
	})
}

// Answer answers a scrape with families, which must be sorted. The format is the
// one that the scraper asks for, but never OpenMetrics, in which some names and
// types of blackbox_exporter are invalid. blackbox_exporter does not offer it
// either.
func Answer(w http.ResponseWriter, r *http.Request, families []*dto.MetricFamily) {
	answer(w, r, expfmt.NegotiateAccept(r.Header, expfmt.DefaultAcceptedFormats()...), func(out io.Writer, format expfmt.Format) error {
		return encode(out, format, families)
	})
}

func answer(w http.ResponseWriter, r *http.Request, format expfmt.Format, write func(io.Writer, expfmt.Format) error) {
	w.Header().Set("Content-Type", string(format))
	w.Header().Set("Vary", "Accept, Accept-Encoding")
	var out io.Writer = w
	if takesGzip(r.Header) {
		w.Header().Set("Content-Encoding", "gzip")
		z := compressors.Get().(*gzip.Writer)
		defer compressors.Put(z)
		z.Reset(w)
		defer z.Close()
		out = z
	}
	if err := write(out, format); err != nil {
		// It is too late for an error status. A connection that is cut short
		// shows the scraper that the answer is incomplete.
		panic(http.ErrAbortHandler)
	}
}

// compressors are reused, because each takes a megabyte.
var compressors = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return z
}}

func takesGzip(h http.Header) bool {
	for _, line := range h.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(line, ",") {
			coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
			if strings.TrimSpace(coding) == "gzip" && strings.ReplaceAll(weight, " ", "") != "q=0" {
				return true
			}
		}
	}
	return false
}

// write writes all metrics.
func (m *Metrics) write(out io.Writer, format expfmt.Format) error {
	gather := m.registry.Gather
	switch format.FormatType() {
	case expfmt.TypeProtoDelim:
		if err := m.writeProto(out); err != nil {
			return err
		}
	case expfmt.TypeTextPlain, expfmt.TypeOpenMetrics:
		if err := m.writeText(out, format.FormatType() == expfmt.TypeOpenMetrics); err != nil {
			return err
		}
	default: // formats for people
		gather = m.Gatherer().Gather
	}
	families, err := gather()
	if err != nil {
		return err
	}
	return encode(out, format, families)
}

func encode(out io.Writer, format expfmt.Format, families []*dto.MetricFamily) error {
	encoder := expfmt.NewEncoder(out, format)
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	if end, ok := encoder.(expfmt.Closer); ok {
		return end.Close()
	}
	return nil
}

func (m *Metrics) snapshot() *snapshot {
	m.mu.RLock()
	targets := m.sorted
	m.mu.RUnlock()
	s := snapshots.Get().(*snapshot)
	s.take(targets)
	return s
}

var textBuffers = sync.Pool{New: func() any { return new([]byte) }}

func (m *Metrics) writeText(out io.Writer, openMetrics bool) error {
	s := m.snapshot()
	defer s.release()
	buf := textBuffers.Get().(*[]byte)
	defer textBuffers.Put(buf)
	w := textWriter{out: out, buf: (*buf)[:0], location: m.location, openMetrics: openMetrics}
	err := w.write(s)
	*buf = w.buf
	return err
}

// writeProto writes one family after the other, each preceded by its length. To
// know the length it first encodes the family's metrics, one at a time: the
// messages of a whole family would take three times as much memory.
func (m *Metrics) writeProto(out io.Writer) error {
	s := m.snapshot()
	defer s.release()
	const perTarget = 1500 // bytes that the largest family takes, about; growing the buffer step by step would take five times as much
	metrics := make([]byte, 0, perTarget*len(s.views))
	for _, f := range s.families(m.location) {
		metrics = metrics[:0]
		var err error
		f.collect(func(metric *dto.Metric) {
			if err == nil {
				metrics, err = appendMetric(metrics, metric)
			}
		})
		if err == nil && len(metrics) > 0 {
			err = writeFamily(out, f.head(), metrics)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// appendMetric appends a metric, encoded as a field of its family.
func appendMetric(to []byte, m *dto.Metric) ([]byte, error) {
	const field = 4 // MetricFamily.metric
	to = protowire.AppendTag(to, field, protowire.BytesType)
	to = protowire.AppendVarint(to, uint64(proto.Size(m)))
	return proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(to, m)
}

// writeFamily writes a family of encoded metrics as protodelim would.
func writeFamily(out io.Writer, head *dto.MetricFamily, metrics []byte) error {
	begin, err := proto.Marshal(head)
	if err != nil {
		return err
	}
	for _, part := range [][]byte{protowire.AppendVarint(nil, uint64(len(begin)+len(metrics))), begin, metrics} {
		if _, err := out.Write(part); err != nil {
			return err
		}
	}
	return nil
}
