package measure

import (
	"math"
	"sort"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Bucket bounds of native histograms grow by 2^(1/8), about 9 %, from one to the
// next. When a histogram would have more than nativeBuckets, the factor is
// squared.
const (
	nativeSchema  = 3
	nativeBuckets = 100
	zeroThreshold = 0x1p-128 // as everywhere in Prometheus' world; a duration is 0 or a nanosecond
)

// nativeBounds are the bucket bounds of nativeSchema within [0.5, 1).
var nativeBounds = func() (bounds [1 << nativeSchema]float64) {
	for i := range bounds {
		bounds[i] = math.Exp2(float64(i)/(1<<nativeSchema) - 1)
	}
	return bounds
}()

// durations is a sparse histogram: it holds only buckets that are not empty. The
// zero value is an empty histogram.
type durations struct {
	sum      float64 // seconds
	count    uint64  // also of durations of 0, which are in no bucket
	buckets  buckets // by the power of the histogram's base b: what is in (b^(at-1), b^at]
	used     uint8   // how many buckets there are
	halvings uint8   // how often the resolution was halved
}

func (d *durations) observe(v float64) {
	d.sum += v
	d.count++
	if v <= zeroThreshold {
		return
	}
	frac, exp := math.Frexp(v)
	at := int32(sort.SearchFloat64s(nativeBounds[:], frac) + (exp-1)*len(nativeBounds))
	for range d.halvings {
		at = halve(at)
	}
	if !d.buckets.add(at, 1) {
		return
	}
	if d.used++; d.used > nativeBuckets {
		merged, hit := d.buckets.halved()
		d.buckets, d.used = merged, uint8(hit)
		d.halvings++
	}
}

// maxEmptyBuckets is how many empty buckets in a row are written out. For more, a
// new span takes less space.
const maxEmptyBuckets = 2

// native returns the histogram as a message without classic buckets: spans, the
// difference of each bucket from the one before, and the number of durations
// that were 0.
func (d *durations) native(createdAt *timestamppb.Timestamp) *dto.Histogram {
	h := &dto.Histogram{
		SampleCount: proto.Uint64(d.count), SampleSum: proto.Float64(d.sum), CreatedTimestamp: createdAt,
		Schema: proto.Int32(nativeSchema - int32(d.halvings)), ZeroThreshold: proto.Float64(zeroThreshold),
	}
	zeros, before := d.count, int64(0)
	next := int32(0) // the bucket after the last written
	for at, n := range d.buckets.all() {
		gap := at - next
		if len(h.PositiveSpan) == 0 || gap > maxEmptyBuckets {
			h.PositiveSpan = append(h.PositiveSpan, &dto.BucketSpan{Offset: proto.Int32(gap), Length: proto.Uint32(0)})
			gap = 0
		}
		for range gap {
			h.PositiveDelta = append(h.PositiveDelta, -before)
			before = 0
		}
		h.PositiveDelta = append(h.PositiveDelta, int64(n)-before)
		*h.PositiveSpan[len(h.PositiveSpan)-1].Length += uint32(gap) + 1
		before, next, zeros = int64(n), at+1, zeros-n
	}
	if d.count == 0 { // marks an empty histogram as native
		h.PositiveSpan = []*dto.BucketSpan{{Offset: proto.Int32(0), Length: proto.Uint32(0)}}
	}
	h.ZeroCount = &zeros
	return h
}

// classicBounds are the upper bounds of the classic buckets of
// upheld_probe_duration_seconds, in seconds. They are few, because each is one
// more series for every target. For finer buckets there is the native histogram.
var classicBounds = [...]float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}

// probeDurations is the histogram of whole probes: native and classic, with
// exemplars.
type probeDurations struct {
	durations
	classic   [len(classicBounds)]uint64 // not cumulative; longer durations are only in count
	exemplars [2]exemplar                // of the last good and the last bad probe
}

// exemplar points from a histogram to one probe.
type exemplar struct {
	id    ID
	at    int64 // nanoseconds since the epoch
	value float64
	// superseded: the other exemplar is newer and in the same classic bucket.
	// Prometheus refuses an exemplar older than the last of the same series.
	superseded bool
}

func (h *probeDurations) observe(v float64, which int, id ID, at time.Time) {
	h.durations.observe(v)
	if i := classicBucket(v); i < len(h.classic) {
		h.classic[i]++
	}
	if id != 0 {
		h.keepExemplar(which, exemplar{id: id, at: at.UnixNano(), value: v})
	}
}

// keepExemplar keeps the last exemplar of a good or bad probe, unless it is older
// than the one before, as after the clock was set back.
func (h *probeDurations) keepExemplar(which int, e exemplar) {
	other := &h.exemplars[1-which]
	if e.at < max(h.exemplars[which].at, other.at) {
		return
	}
	h.exemplars[which] = e
	other.superseded = other.superseded || classicBucket(other.value) == classicBucket(e.value)
}

// classicBucket is the index of the first classic bound that v does not
// exceed.
func classicBucket(v float64) int { return sort.SearchFloat64s(classicBounds[:], v) }

// exemplarIn returns the exemplar of the classic bucket i, or nil. The bucket
// +Inf has the index len(classicBounds).
func (h *probeDurations) exemplarIn(i int) *exemplar {
	for j := range h.exemplars {
		e := &h.exemplars[j]
		if e.id != 0 && !e.superseded && classicBucket(e.value) == i {
			return e
		}
	}
	return nil
}
