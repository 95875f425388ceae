package replay

import (
	"math"
	"sort"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// milliseconds is int64 by another name: with that, vet takes an iterator's Seek
// for one of package io that has the wrong signature.
type milliseconds = int64

// point is a sample.
type point struct {
	t int64
	f float64
	h *histogram.FloatHistogram // instead of f
}

// record are samples in chunks of the storage's encodings, which take one to nine
// bytes for a sample.
type record struct {
	pieces  []piece
	app     chunkenc.Appender // of the last piece
	last    point
	samples int
	writer  uint32   // who wrote the samples
	by      []uint32 // who wrote each, if there are several writers
}

type piece struct {
	first int64 // time of its first sample
	index int   // of it among all samples
	chunk chunkenc.Chunk
}

// samplesPerChunk is what Prometheus' storage aims at.
const samplesPerChunk = 120

// append adds a sample as the storage does that takes none out of order: one of
// a time that is there already must be the same.
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
		before = nil // only the first sample of a chunk is compared with the chunk before
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

// recordIterator goes over the samples of a record from a time to another.
type recordIterator struct {
	record   *record
	from, to int64
	hides    func(writer uint32, t int64) bool
	piece    int // that chunk is the iterator of
	chunk    chunkenc.Iterator
	index    int // of the sample
	at       chunkenc.ValueType
	done     bool
}

func (it *recordIterator) reset(r *record, from, to int64, hides func(uint32, int64) bool) {
	chunk := it.chunk
	*it = recordIterator{record: r, from: from, to: to, hides: hides, chunk: chunk, piece: -1}
	it.enter(max(0, it.holding(from)))
}

// holding is the last piece that begins at a time or before, -1 if none does.
func (it *recordIterator) holding(t int64) int {
	from := max(it.piece, 0)
	rest := it.record.pieces[from:]
	return from + sort.Search(len(rest), func(i int) bool { return rest[i].first > t }) - 1
}

// enter goes before the first sample of a piece.
func (it *recordIterator) enter(piece int) {
	if piece >= len(it.record.pieces) || it.record.pieces[piece].first > it.to {
		it.done = true
		return
	}
	p := it.record.pieces[piece]
	it.piece, it.index = piece, p.index-1
	it.chunk = p.chunk.Iterator(it.chunk)
}

// Next implements chunkenc.Iterator.
func (it *recordIterator) Next() chunkenc.ValueType {
	for !it.done {
		it.at = it.chunk.Next()
		if it.at == chunkenc.ValNone {
			it.enter(it.piece + 1)
			continue
		}
		it.index++
		t := it.chunk.AtT()
		if t < it.from {
			continue
		}
		if t > it.to || it.hides != nil && it.hides(it.record.by[it.index], t) {
			it.done = true
			break
		}
		return it.at
	}
	it.at = chunkenc.ValNone
	return it.at
}

// Seek implements chunkenc.Iterator.
func (it *recordIterator) Seek(t milliseconds) chunkenc.ValueType {
	if it.at != chunkenc.ValNone && it.chunk.AtT() >= t {
		return it.at
	}
	if it.done {
		return chunkenc.ValNone
	}
	if p := it.holding(t); p > it.piece {
		it.enter(p)
	}
	for it.Next() != chunkenc.ValNone && it.chunk.AtT() < t { //nolint:revive // the condition does it
	}
	return it.at
}

// At implements chunkenc.Iterator.
func (it *recordIterator) At() (int64, float64) { return it.chunk.At() }

// AtHistogram implements chunkenc.Iterator.
func (it *recordIterator) AtHistogram(h *histogram.Histogram) (int64, *histogram.Histogram) {
	return it.chunk.AtHistogram(h)
}

// AtFloatHistogram implements chunkenc.Iterator.
func (it *recordIterator) AtFloatHistogram(h *histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return it.chunk.AtFloatHistogram(h)
}

// AtT implements chunkenc.Iterator.
func (it *recordIterator) AtT() int64 { return it.chunk.AtT() }

// AtST implements chunkenc.Iterator.
func (*recordIterator) AtST() int64 { return 0 }

// Err implements chunkenc.Iterator.
func (it *recordIterator) Err() error {
	if it.chunk == nil {
		return nil
	}
	return it.chunk.Err()
}

// rawIterator goes over Samples.
type rawIterator struct {
	data      Samples
	next, end int
	to        int64
	t         int64
	v         float64
	begun     bool
}

func newRawIterator(s Samples, from, to int64) *rawIterator {
	n := s.Len()
	first := sort.Search(n, func(i int) bool { t, _ := s.At(i); return t >= from })
	return &rawIterator{data: s, next: first, end: n, to: to}
}

// Next implements chunkenc.Iterator.
func (it *rawIterator) Next() chunkenc.ValueType {
	if it.next >= it.end {
		it.begun = false
		return chunkenc.ValNone
	}
	it.t, it.v = it.data.At(it.next)
	if it.t > it.to {
		it.next, it.begun = it.end, false
		return chunkenc.ValNone
	}
	it.begun = true
	it.next++
	return chunkenc.ValFloat
}

// Seek implements chunkenc.Iterator.
func (it *rawIterator) Seek(t milliseconds) chunkenc.ValueType {
	if it.begun && it.t >= t {
		return chunkenc.ValFloat
	}
	it.next += sort.Search(it.end-it.next, func(i int) bool { at, _ := it.data.At(it.next + i); return at >= t })
	return it.Next()
}

// At implements chunkenc.Iterator.
func (it *rawIterator) At() (int64, float64) { return it.t, it.v }

// AtHistogram implements chunkenc.Iterator.
func (it *rawIterator) AtHistogram(*histogram.Histogram) (int64, *histogram.Histogram) {
	return it.t, nil
}

// AtFloatHistogram implements chunkenc.Iterator.
func (it *rawIterator) AtFloatHistogram(*histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return it.t, nil
}

// AtT implements chunkenc.Iterator.
func (it *rawIterator) AtT() int64 { return it.t }

// AtST implements chunkenc.Iterator.
func (*rawIterator) AtST() int64 { return 0 }

// Err implements chunkenc.Iterator.
func (*rawIterator) Err() error { return nil }
