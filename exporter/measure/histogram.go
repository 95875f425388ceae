package measure

import (
	"math"
	"sort"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Native histograms grow by 2^(1/8), about 9 %, from bucket to bucket, and by
// the square of that each time one would have more than nativeBuckets.
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

// durations is a sparse histogram: it holds the buckets that were hit. The zero
// value is empty.
type durations struct {
	sum     float64 // seconds
	count   uint64  // what is in no bucket was 0
	buckets buckets // by the power of the histogram's base b: what is in (b^(at-1), b^at]
	hit     uint8   // how many buckets there are
	coarser uint8   // how often the resolution was halved
}

func (d *durations) observe(v float64) {
	d.sum += v
	d.count++
	if v <= zeroThreshold {
		return
	}
	frac, exp := math.Frexp(v)
	at := int32(sort.SearchFloat64s(nativeBounds[:], frac) + (exp-1)*len(nativeBounds))
	for range d.coarser {
		at = halve(at)
	}
	if !d.buckets.add(at, 1) {
		return
	}
	if d.hit++; d.hit > nativeBuckets {
		merged, hit := d.buckets.halved()
		d.buckets, d.hit = merged, uint8(hit)
		d.coarser++
	}
}

// maxGap is how many empty buckets are written out rather than ending a span,
// which would cost more.
const maxGap = 2

// native is the histogram as client_model has it, without classic buckets:
// spans, the difference of each bucket to the one before, and how many durations
// were 0.
func (d *durations) native(born *timestamppb.Timestamp) *dto.Histogram {
	h := &dto.Histogram{
		SampleCount: proto.Uint64(d.count), SampleSum: proto.Float64(d.sum), CreatedTimestamp: born,
		Schema: proto.Int32(nativeSchema - int32(d.coarser)), ZeroThreshold: proto.Float64(zeroThreshold),
	}
	zeros, before := d.count, int64(0)
	next := int32(0) // the bucket after the last written
	for at, n := range d.buckets.all() {
		gap := at - next
		if len(h.PositiveSpan) == 0 || gap > maxGap {
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
	if d.count == 0 { // says that the histogram is a native one
		h.PositiveSpan = []*dto.BucketSpan{{Offset: proto.Int32(0), Length: proto.Uint32(0)}}
	}
	h.ZeroCount = &zeros
	return h
}

// classicBounds are the upper bounds of the classic buckets of
// upheld_probe_duration_seconds, in seconds. They are few, because each is a
// series of every target; the native histogram is for more.
var classicBounds = [...]float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5}

// probeDurations is the histogram of whole probes: native and classic, with
// exemplars.
type probeDurations struct {
	durations
	classic   [len(classicBounds)]uint64 // not cumulative; what is larger is only in count
	exemplars [2]exemplar                // of the last good and the last bad probe
}

// exemplar points from a histogram to one probe.
type exemplar struct {
	id    ID
	at    int64 // nanoseconds since the epoch
	value float64
	// covered: its classic bucket has had the other, newer one since. Prometheus
	// refuses an exemplar that is older than one it has had of the same series.
	covered bool
}

func (h *probeDurations) observe(v float64, which int, id ID, at time.Time) {
	h.durations.observe(v)
	if i := classicBucket(v); i < len(h.classic) {
		h.classic[i]++
	}
	if id != 0 {
		h.point(which, exemplar{id: id, at: at.UnixNano(), value: v})
	}
}

// point keeps an exemplar as the last good or bad one, unless it is older than
// what was kept before, as after a clock was set back.
func (h *probeDurations) point(which int, e exemplar) {
	other := &h.exemplars[1-which]
	if e.at < max(h.exemplars[which].at, other.at) {
		return
	}
	h.exemplars[which] = e
	other.covered = other.covered || classicBucket(other.value) == classicBucket(e.value)
}

// classicBucket is the index of the first classic bound that v does not
// exceed.
func classicBucket(v float64) int { return sort.SearchFloat64s(classicBounds[:], v) }

// exemplarIn is the exemplar of a classic bucket, if any; of the last bucket,
// without a bound, for i = len(classicBounds).
func (h *probeDurations) exemplarIn(i int) *exemplar {
	for j := range h.exemplars {
		e := &h.exemplars[j]
		if e.id != 0 && !e.covered && classicBucket(e.value) == i {
			return e
		}
	}
	return nil
}
