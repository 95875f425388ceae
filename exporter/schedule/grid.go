package schedule

import (
	"math/bits"
	"time"
)

// phaseOf returns the offset of a target's grid, in [0, interval).
func phaseOf(key string, interval time.Duration) time.Duration {
	hi, _ := bits.Mul64(hash(key), uint64(interval))
	return time.Duration(hi)
}

// hash is 64-bit FNV-1a with a final mix, because the high bits of short keys
// hardly differ otherwise. It must never change: phases depend on it.
func hash(key string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// after returns the first point of the grid later than t; both in nanoseconds
// since the epoch.
func after(t int64, key string, interval int64) int64 {
	phase := int64(phaseOf(key, time.Duration(interval)))
	since := (t - phase) % interval
	if since < 0 {
		since += interval
	}
	return t - since + interval
}

// queue is a heap of entries, ordered by when they are next due. Each entry knows
// its place.
type queue []*entry

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due() < q[j].due() }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = int32(i), int32(j)
}

// due returns when a probe or a recheck of the entry is next due.
func (e *entry) due() int64 {
	if e.extra > 0 {
		return e.extra
	}
	return e.next
}

// Push completes heap.Interface; the scheduler does not use it.
func (q *queue) Push(x any) { *q = append(*q, x.(*entry)) }

// Pop completes heap.Interface; the scheduler does not use it.
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
