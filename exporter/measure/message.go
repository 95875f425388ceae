package measure

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Types of metrics in io.prometheus.client.MetricType.
const (
	protoCounter   = 0
	protoGauge     = 1
	protoHistogram = 4
)

var protoTypes = map[string]uint64{"counter": protoCounter, "gauge": protoGauge, "histogram": protoHistogram}

// Fields of the messages of io.prometheus.client that are written here. All
// numbers are below 16 but those of the histogram: sizeOfTag counts on it.
const (
	familyName, familyHelp, familyType, familyMetric                  = 1, 2, 3, 4
	metricLabel, metricGauge, metricCounter, metricHistogram          = 1, 2, 3, 7
	gaugeValue, counterValue, counterCreated                          = 1, 1, 3
	histCount, histSum, histBucket, histSchema, histZero, histZeros   = 1, 2, 3, 5, 6, 7
	histSpan, histDelta, histCreated, histExemplar                    = 12, 13, 15, 16
	bucketCount, bucketBound, bucketExemplar                          = 1, 2, 3
	exemplarLabels, exemplarValue, exemplarTime                       = 1, 2, 3
	spanOffset, spanLength, labelName, labelValue, timeSecs, timeNano = 1, 2, 1, 2, 1, 2
)

// message is a protobuf message under construction.
type message []byte

func (m *message) uint(field protowire.Number, v uint64) {
	*m = protowire.AppendTag(*m, field, protowire.VarintType)
	*m = protowire.AppendVarint(*m, v)
}

func (m *message) sint(field protowire.Number, v int64) { m.uint(field, protowire.EncodeZigZag(v)) }

func (m *message) double(field protowire.Number, v float64) {
	*m = protowire.AppendTag(*m, field, protowire.Fixed64Type)
	*m = protowire.AppendFixed64(*m, math.Float64bits(v))
}

func (m *message) length(n int) { *m = protowire.AppendVarint(*m, uint64(n)) }

// begin begins a field of so many bytes, which are to follow.
func (m *message) begin(field protowire.Number, size int) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	m.length(size)
}

func (m *message) bytes(field protowire.Number, v []byte) {
	m.begin(field, len(v))
	*m = append(*m, v...)
}

func (m *message) text(field protowire.Number, v string) {
	m.begin(field, len(v))
	*m = append(*m, v...)
}

// label writes a name and a value. The labels of metrics and of exemplars have
// the same field number by chance.
func (m *message) label(field protowire.Number, name, value string) { //nolint:unparam // see above
	m.begin(field, sizeOfField(len(name))+sizeOfField(len(value)))
	m.text(labelName, name)
	m.text(labelValue, value)
}

func (m *message) time(field protowire.Number, nanos int64) {
	secs, rest := uint64(nanos/1e9), uint64(nanos%1e9)
	m.begin(field, timeBytes(secs, rest))
	m.uint(timeSecs, secs)
	m.uint(timeNano, rest)
}

// sizeOfTag is the size of the number and type of a field, of those fields that
// sizes are calculated for.
const sizeOfTag = 1

// sizeOfDouble is the size of a double and its tag.
const sizeOfDouble = sizeOfTag + 8

// sizeOfField is the size of a field of so many bytes, with tag and length.
func sizeOfField(n int) int { return sizeOfTag + protowire.SizeVarint(uint64(n)) + n }

// sizeOfLabel is the size of a label of a metric.
func sizeOfLabel(name, value string) int {
	return sizeOfField(sizeOfField(len(name)) + sizeOfField(len(value)))
}

// sizeOfTime is the size of a time, in nanoseconds since the epoch.
func sizeOfTime(nanos int64) int {
	return sizeOfField(timeBytes(uint64(nanos/1e9), uint64(nanos%1e9)))
}

func timeBytes(secs, rest uint64) int {
	return 2*sizeOfTag + protowire.SizeVarint(secs) + protowire.SizeVarint(rest)
}
