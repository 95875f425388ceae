package replay

import (
	"math"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// point is a sample.
type point struct {
	t int64
	f float64
	h *histogram.FloatHistogram // instead of f
}

// record holds samples in chunks with the storage's encodings, which need one to nine
// bytes for a sample.
type record struct {
	pieces  []piece
	app     chunkenc.Appender // of the last piece
	last    point
	samples int
	writer  uint32   // the rule that wrote the samples
	by      []uint32 // who wrote each sample, if there are several writers
	// guess are the samples expected next, while the rules of a component are
	// evaluated: see speculation.go.
	guess []promql.FPoint
}

type piece struct {
	first int64 // time of its first sample
	index int   // its index among all samples
	chunk chunkenc.Chunk
}

// samplesPerChunk is what Prometheus' storage aims at.
const samplesPerChunk = 120

// append adds a sample, like a storage that takes none out of order: a sample of the
// same time must be equal to the one that is there.
func (r *record) append(p point, writer uint32) error {
	if r.samples > 0 && p.t <= r.last.t {
		switch {
		case p.t < r.last.t:
			return storage.ErrOutOfOrderSample
		case p.h != nil && r.last.h != nil && p.h.Equals(r.last.h),
			p.h == nil && r.last.h == nil && math.Float64bits(p.f) == math.Float64bits(r.last.f):
			return nil
		}
		return storage.ErrDuplicateSampleForTimestamp
	}
	if err := r.encode(p); err != nil {
		return err
	}
	r.sign(writer)
	r.last = p
	r.samples++
	return nil
}

// sign notes who wrote a sample.
func (r *record) sign(writer uint32) {
	switch {
	case r.samples == 0:
		r.writer = writer
	case r.by == nil && writer != r.writer:
		r.by = make([]uint32, r.samples)
		for i := range r.by {
			r.by[i] = r.writer
		}
	}
	if r.by != nil {
		r.by = append(r.by, writer)
	}
}

// encode puts a sample into the last chunk, or into a new one.
func (r *record) encode(p point) error {
	encoding := chunkenc.EncXOR
	if p.h != nil {
		encoding = chunkenc.EncFloatHistogram
	}
	before := r.app
	if last := len(r.pieces) - 1; last < 0 || r.pieces[last].chunk.Encoding() != encoding || r.pieces[last].chunk.NumSamples() >= samplesPerChunk {
		if err := r.cut(p.t, encoding); err != nil {
			return err
		}
	} else {
		before = nil // chunks only compare their first sample with the chunk before
	}
	if p.h == nil {
		r.app.Append(0, p.t, p.f)
		return nil
	}
	next, recoded, app, err := r.app.AppendFloatHistogram(before, 0, p.t, p.h, false)
	if err != nil {
		return err
	}
	r.app = app
	switch {
	case next == nil:
	case recoded:
		r.pieces[len(r.pieces)-1].chunk = next
	default: // the counter was reset
		r.pieces = append(r.pieces, piece{p.t, r.samples, next})
	}
	return nil
}

// cut begins a chunk.
func (r *record) cut(t int64, encoding chunkenc.Encoding) error {
	if last := len(r.pieces) - 1; last >= 0 {
		r.pieces[last].chunk.Compact()
	}
	chunk, err := chunkenc.NewEmptyChunk(encoding)
	if err != nil {
		return err
	}
	r.pieces = append(r.pieces, piece{t, r.samples, chunk})
	r.app, err = chunk.Appender()
	return err
}
