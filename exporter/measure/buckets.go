package measure

import (
	"encoding/binary"
	"iter"
)

// buckets are the counts of a sparse histogram, by position. They are packed,
// because every target has several histograms: each bucket is its distance from
// the one before (zigzag; the first from 0) and its count, both as varints. Most
// take two bytes, where a struct takes 16.
type buckets []byte

// all yields position and count of each bucket, in order.
func (b buckets) all() iter.Seq2[int32, uint64] {
	return func(yield func(int32, uint64) bool) {
		at := int64(0)
		for rest := b; len(rest) > 0; {
			gap, size := binary.Varint(rest)
			n, more := binary.Uvarint(rest[size:])
			rest = rest[size+more:]
			if at += gap; !yield(int32(at), n) {
				return
			}
		}
	}
}

// add counts n in a bucket, and reports whether the bucket is new. Every probe
// calls this several times, so a varint of one byte is read without a call.
func (b *buckets) add(at int32, n uint64) (isNew bool) {
	all, before := *b, int64(0)
	for pos := 0; pos < len(all); {
		here, from := before, pos
		if c := all[pos]; c < 0x80 {
			here += int64(c>>1) ^ -int64(c&1)
			pos++
		} else {
			gap, size := binary.Varint(all[pos:])
			here += gap
			pos += size
		}
		if here >= int64(at) {
			if here == int64(at) {
				b.increase(pos, n)
				return false
			}
			b.splice(from, pos, binary.AppendVarint(bucketBytes(int64(at)-before, n), here-int64(at)))
			return true
		}
		for all[pos] >= 0x80 {
			pos++
		}
		pos++
		before = here
	}
	b.splice(len(all), len(all), bucketBytes(int64(at)-before, n))
	return true
}

// increase adds n to the count at a position.
func (b *buckets) increase(pos int, n uint64) {
	if low := &(*b)[pos]; n == 1 && *low&0x7f != 0x7f {
		*low++
		return
	}
	old, size := binary.Uvarint((*b)[pos:])
	b.splice(pos, pos+size, binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen64), old+n))
}

func bucketBytes(gap int64, n uint64) []byte {
	return binary.AppendUvarint(binary.AppendVarint(make([]byte, 0, 3*binary.MaxVarintLen64), gap), n)
}

// bucketStep is by how much the capacity for buckets grows, in bytes.
const bucketStep = 16

// splice replaces the bytes in [from, to). The capacity grows by bucketStep and
// not by doubling, which would leave half of it unused.
func (b *buckets) splice(from, to int, by []byte) {
	old := *b
	size := len(old) - (to - from) + len(by)
	next := old
	if size > cap(old) {
		next = make(buckets, size, (size+bucketStep-1)/bucketStep*bucketStep)
		copy(next, old[:from])
	}
	next = next[:size]
	copy(next[from+len(by):], old[to:])
	copy(next[from:], by)
	*b = next
}

// halved returns the buckets at half the resolution, and their number.
func (b buckets) halved() (merged buckets, count int) {
	merged = make(buckets, 0, len(b))
	var last int32
	var sum uint64
	before := int64(0)
	end := func() {
		merged = append(merged, bucketBytes(int64(last)-before, sum)...)
		before = int64(last)
		count++
	}
	for at, n := range b.all() {
		at = halve(at)
		if sum > 0 && at != last {
			end()
			sum = 0
		}
		last = at
		sum += n
	}
	if sum > 0 {
		end()
	}
	return merged, count
}

// halve is the bucket at half the resolution.
func halve(at int32) int32 { return (at + 1) >> 1 }
