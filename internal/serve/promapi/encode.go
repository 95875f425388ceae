package promapi

import (
	jsoniter "github.com/json-iterator/go"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/jsonutil"
	"github.com/prometheus/prometheus/util/stats"
)

// queryData is the data of query and query_range. jsonutil writes the points, as in
// Prometheus: their own MarshalJSON prints very large and very small numbers
// differently and allocates for each point.
type queryData struct {
	value parser.Value
	stats stats.QueryStats
}

// MarshalJSON writes {"resultType": ..., "result": ..., "stats": ...}.
func (d queryData) MarshalJSON() ([]byte, error) {
	stream := jsoniter.ConfigCompatibleWithStandardLibrary.BorrowStream(nil)
	defer jsoniter.ConfigCompatibleWithStandardLibrary.ReturnStream(stream)
	stream.WriteObjectStart()
	stream.WriteObjectField("resultType")
	stream.WriteString(string(d.value.Type()))
	stream.WriteMore()
	stream.WriteObjectField("result")
	switch v := d.value.(type) {
	case promql.Vector:
		writeArray(stream, v, writeSample)
	case promql.Matrix:
		writeArray(stream, v, writeSeries)
	default: // scalar or string
		stream.WriteVal(v)
	}
	if d.stats != nil {
		stream.WriteMore()
		stream.WriteObjectField("stats")
		stream.WriteVal(d.stats)
	}
	stream.WriteObjectEnd()
	return finish(stream)
}

// finish copies the output out of the borrowed stream.
func finish(stream *jsoniter.Stream) ([]byte, error) {
	if stream.Error != nil {
		return nil, stream.Error
	}
	return append([]byte(nil), stream.Buffer()...), nil
}

func writeArray[T any](stream *jsoniter.Stream, items []T, write func(*jsoniter.Stream, T)) {
	stream.WriteArrayStart()
	for i, item := range items {
		if i > 0 {
			stream.WriteMore()
		}
		write(stream, item)
	}
	stream.WriteArrayEnd()
}

func writeSample(stream *jsoniter.Stream, s promql.Sample) {
	stream.WriteObjectStart()
	stream.WriteObjectField("metric")
	writeLabels(stream, s.Metric)
	stream.WriteMore()
	if s.H != nil {
		stream.WriteObjectField("histogram")
		writeHistogram(stream, promql.HPoint{T: s.T, H: s.H})
	} else {
		stream.WriteObjectField("value")
		writeFloat(stream, promql.FPoint{T: s.T, F: s.F})
	}
	stream.WriteObjectEnd()
}

func writeSeries(stream *jsoniter.Stream, s promql.Series) {
	stream.WriteObjectStart()
	stream.WriteObjectField("metric")
	writeLabels(stream, s.Metric)
	if len(s.Floats) > 0 {
		stream.WriteMore()
		stream.WriteObjectField("values")
		writeArray(stream, s.Floats, writeFloat)
	}
	if len(s.Histograms) > 0 {
		stream.WriteMore()
		stream.WriteObjectField("histograms")
		writeArray(stream, s.Histograms, writeHistogram)
	}
	stream.WriteObjectEnd()
}

func writeFloat(stream *jsoniter.Stream, p promql.FPoint) {
	stream.WriteArrayStart()
	jsonutil.MarshalTimestamp(p.T, stream)
	stream.WriteMore()
	jsonutil.MarshalFloat(p.F, stream)
	stream.WriteArrayEnd()
}

func writeHistogram(stream *jsoniter.Stream, p promql.HPoint) {
	stream.WriteArrayStart()
	jsonutil.MarshalTimestamp(p.T, stream)
	stream.WriteMore()
	jsonutil.MarshalHistogram(p.H, stream)
	stream.WriteArrayEnd()
}

func writeLabels(stream *jsoniter.Stream, ls labels.Labels) {
	stream.WriteObjectStart()
	first := true
	ls.Range(func(l labels.Label) {
		if !first {
			stream.WriteMore()
		}
		first = false
		stream.WriteObjectField(l.Name)
		stream.WriteString(l.Value)
	})
	stream.WriteObjectEnd()
}

// exemplarData is the data of query_exemplars.
type exemplarData []exemplar.QueryResult

// MarshalJSON writes [{"seriesLabels": ..., "exemplars": [...]}].
func (d exemplarData) MarshalJSON() ([]byte, error) {
	stream := jsoniter.ConfigCompatibleWithStandardLibrary.BorrowStream(nil)
	defer jsoniter.ConfigCompatibleWithStandardLibrary.ReturnStream(stream)
	writeArray(stream, d, func(stream *jsoniter.Stream, r exemplar.QueryResult) {
		stream.WriteObjectStart()
		stream.WriteObjectField("seriesLabels")
		writeLabels(stream, r.SeriesLabels)
		stream.WriteMore()
		stream.WriteObjectField("exemplars")
		writeArray(stream, r.Exemplars, writeExemplar)
		stream.WriteObjectEnd()
	})
	return finish(stream)
}

func writeExemplar(stream *jsoniter.Stream, e exemplar.Exemplar) {
	stream.WriteObjectStart()
	stream.WriteObjectField("labels")
	writeLabels(stream, e.Labels)
	stream.WriteMore()
	stream.WriteObjectField("value")
	jsonutil.MarshalFloat(e.Value, stream)
	stream.WriteMore()
	stream.WriteObjectField("timestamp")
	jsonutil.MarshalTimestamp(e.Ts, stream)
	stream.WriteObjectEnd()
}
