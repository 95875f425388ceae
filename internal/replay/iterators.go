package replay

import (
	"math"
	"sort"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// milliseconds is another name of int64, without which vet mistakes an iterator's Seek
// for io.Seeker's with a wrong signature.
type milliseconds = int64

// recordIterator iterates over the samples of a record from one time to another.
type recordIterator struct {
	record   *record
	from, to int64
	hides    func(writer uint32, t int64) bool
	piece    int // the piece that chunk iterates over
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

// holding is the last piece that begins at t or before, -1 if none does.
func (it *recordIterator) holding(t int64) int {
	from := max(it.piece, 0)
	rest := it.record.pieces[from:]
	return from + sort.Search(len(rest), func(i int) bool { return rest[i].first > t }) - 1
}

// enter moves before the first sample of a piece.
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
	for it.Next() != chunkenc.ValNone && it.chunk.AtT() < t {
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

// rawIterator iterates over Samples.
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

// chain iterates over the samples of one iterator, then over those of another, which
// are later.
type chain struct {
	chunkenc.Iterator // the current one
	then              chunkenc.Iterator
}

// Next implements chunkenc.Iterator.
func (c *chain) Next() chunkenc.ValueType { return c.orThen(c.Iterator.Next()) }

// Seek implements chunkenc.Iterator.
func (c *chain) Seek(t milliseconds) chunkenc.ValueType {
	at := c.Iterator.Seek(t)
	if at == chunkenc.ValNone && c.then != nil {
		c.Iterator, c.then = c.then, nil
		return c.Iterator.Seek(t)
	}
	return at
}

// orThen continues with the second iterator once the first has ended.
func (c *chain) orThen(at chunkenc.ValueType) chunkenc.ValueType {
	if at == chunkenc.ValNone && c.then != nil {
		c.Iterator, c.then = c.then, nil
		return c.Iterator.Next()
	}
	return at
}

// lateIterator shifts samples by one evaluation: an instant selector of the group's
// rules then sees what it saw one evaluation before, without samples that are too old
// by now, and nothing of its own time. All samples must be of the group's evaluations.
type lateIterator struct {
	in       chunkenc.Iterator
	interval int64 // of the group, in milliseconds
	at       point
	next     point // the sample after at, if more
	more     bool
	ends     int64 // when the sample at has become too old, 0 if never
	state    chunkenc.ValueType
	begun    bool
}

// lookback is how old a sample may be that an instant selector finds, in milliseconds:
// the default of servers.
const lookback = int64(5 * time.Minute / time.Millisecond)

func newLateIterator(in chunkenc.Iterator, interval int64) chunkenc.Iterator {
	if interval >= lookback {
		return chunkenc.NewNopIterator() // at the next evaluation every sample is too old
	}
	return &lateIterator{in: in, interval: interval}
}

// read goes to the next sample of the series.
func (l *lateIterator) read() {
	at := l.in.Next()
	l.more = at != chunkenc.ValNone
	switch at {
	case chunkenc.ValNone:
	case chunkenc.ValFloat:
		t, f := l.in.At()
		l.next = point{t: t + l.interval, f: f}
	default:
		t, h := l.in.AtFloatHistogram(nil)
		l.next = point{t: t + l.interval, h: h}
	}
}

// Next implements chunkenc.Iterator.
func (l *lateIterator) Next() chunkenc.ValueType {
	if !l.begun {
		l.begun = true
		l.read()
	}
	switch {
	case l.ends != 0 && (!l.more || l.next.t > l.ends):
		l.at, l.ends = point{t: l.ends, f: math.Float64frombits(value.StaleNaN)}, 0
	case l.more:
		l.at = l.next
		sampled := l.at.t - l.interval
		l.ends = sampled + (lookback+l.interval-1)/l.interval*l.interval
		l.read()
	default:
		l.state = chunkenc.ValNone
		return l.state
	}
	l.state = chunkenc.ValFloat
	if l.at.h != nil {
		l.state = chunkenc.ValFloatHistogram
	}
	return l.state
}

// Seek implements chunkenc.Iterator.
func (l *lateIterator) Seek(t milliseconds) chunkenc.ValueType {
	if l.state != chunkenc.ValNone && l.at.t >= t {
		return l.state
	}
	for l.Next() != chunkenc.ValNone && l.at.t < t {
	}
	return l.state
}

// At implements chunkenc.Iterator.
func (l *lateIterator) At() (int64, float64) { return l.at.t, l.at.f }

// AtHistogram implements chunkenc.Iterator.
func (l *lateIterator) AtHistogram(*histogram.Histogram) (int64, *histogram.Histogram) {
	return l.at.t, nil
}

// AtFloatHistogram implements chunkenc.Iterator.
func (l *lateIterator) AtFloatHistogram(*histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return l.at.t, l.at.h.Copy()
}

// AtT implements chunkenc.Iterator.
func (l *lateIterator) AtT() int64 { return l.at.t }

// AtST implements chunkenc.Iterator.
func (*lateIterator) AtST() int64 { return 0 }

// Err implements chunkenc.Iterator.
func (l *lateIterator) Err() error { return l.in.Err() }
