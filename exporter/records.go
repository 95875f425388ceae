package exporter

import (
	"encoding/binary"
	"slices"
	"time"
	"unique"

	"github.com/upheld-sla/upheld/exporter/measure"
	"github.com/upheld-sla/upheld/exporter/probe"
)

// records are the last results of a target, up to a bound. They are packed, because
// there are many: numbers are varints, and times and IDs are differences from the
// previous result. That takes a quarter of the memory of Records.
//
// A packed result is a byte with its outcome and flags, the number of its note, the
// time since the previous result (zigzag), the difference from the previous ID (zigzag,
// if it has one), how often it occurred (if not once), its duration, a byte with a bit
// for each phase that occurred, and their durations. All times are in nanoseconds.
type records struct {
	packed []byte // the oldest first
	notes  []note
	at     int64      // of the newest, in nanoseconds since the epoch
	id     measure.ID // of the newest that has one
	n      uint8
	newest struct{ head, note uint8 }
}

// Parts of the first byte of a packed result.
const (
	outcomeBits = 0x07
	hasID       = 0x08
	hasCount    = 0x10
)

// note holds the texts of results. They are shared, because consecutive results and
// many targets mostly have the same.
type note struct {
	told    unique.Handle[told]
	parts   *[]probe.Part // nil: none
	excerpt *excerpt      // nil: none
	users   uint8         // how many results have it; 0: free
}

type told struct {
	reason probe.Reason
	detail string
}

// add keeps a record, and returns the excerpt of the record that it drops for it.
func (l *records) add(r *Record, x *excerpt) (forgotten *excerpt) {
	if int(l.n) == RecentResults {
		forgotten = l.forgetOldest()
	}
	head := uint8(slices.Index(probe.Outcomes, r.Outcome))
	if r.ID != 0 {
		head |= hasID
	}
	if r.Count != 1 {
		head |= hasCount
	}
	words := l.note(r, x)
	var buf [64]byte // 20 and phases
	b := append(buf[:0], head, words)
	b = binary.AppendVarint(b, r.At.UnixNano()-l.at)
	l.at = r.At.UnixNano()
	if r.ID != 0 {
		b = binary.AppendVarint(b, int64(r.ID-l.id))
		l.id = r.ID
	}
	if r.Count != 1 {
		b = binary.AppendUvarint(b, uint64(r.Count))
	}
	b = appendTimes(b, r)
	l.append(b)
	l.n++
	l.newest.head, l.newest.note = head, words
	return forgotten
}

func appendTimes(b []byte, r *Record) []byte {
	b = binary.AppendUvarint(b, uint64(max(r.Duration, 0)))
	mask := len(b)
	b = append(b, 0)
	for phase, took := range r.Phases.All() {
		b[mask] |= 1 << phase
		b = binary.AppendUvarint(b, uint64(max(took, 0)))
	}
	return b
}

// packedStep is by how many bytes the capacity for packed results grows.
const packedStep = 64

// append grows the capacity in small steps, since doubling would leave half of it
// empty.
func (l *records) append(b []byte) {
	if need := len(l.packed) + len(b); need > cap(l.packed) {
		larger := make([]byte, len(l.packed), (need+packedStep-1)/packedStep*packedStep)
		copy(larger, l.packed)
		l.packed = larger
	}
	l.packed = append(l.packed, b...)
}

// note returns the number of a record's note, an existing or a new one.
func (l *records) note(r *Record, x *excerpt) uint8 {
	free := -1
	for i := range l.notes {
		n := &l.notes[i]
		if n.users == 0 {
			free = i
			continue
		}
		if told := n.told.Value(); told.detail == r.Detail && told.reason == r.Reason && n.excerpt == x && n.parts == nil && len(r.Parts) == 0 {
			n.users++
			return uint8(i)
		}
	}
	next := note{told: unique.Make(told{r.Reason, r.Detail}), excerpt: x, users: 1}
	if len(r.Parts) > 0 {
		parts := r.Parts // a copy, so that only the parts move to the heap, and not each record
		next.parts = &parts
	}
	if free < 0 {
		free = len(l.notes)
		l.notes = slices.Grow(l.notes, 1)[:free+1]
	}
	l.notes[free] = next
	return uint8(free)
}

// forgetOldest makes room for another record, and returns the excerpt of the dropped
// one.
func (l *records) forgetOldest() *excerpt {
	var r Record
	words, size := r.unpack(l.packed)
	l.packed = append(l.packed[:0], l.packed[size:]...)
	l.n--
	n := &l.notes[words]
	x := n.excerpt
	if n.users--; n.users == 0 {
		*n = note{}
	}
	return x
}

// unpack reads a packed result; its time and ID are differences from the previous
// result. It returns the number of its note and its size.
func (r *Record) unpack(b []byte) (words uint8, size int) {
	head, words := b[0], b[1]
	r.Outcome, r.Count = probe.Outcomes[head&outcomeBits], 1
	at := 2
	signed := func() int64 {
		v, n := binary.Varint(b[at:])
		at += n
		return v
	}
	unsigned := func() int64 {
		v, n := binary.Uvarint(b[at:])
		at += n
		return int64(v)
	}
	r.At = time.Unix(0, signed())
	if head&hasID != 0 {
		r.ID = measure.ID(signed())
	}
	if head&hasCount != 0 {
		r.Count = int(unsigned())
	}
	r.Duration = time.Duration(unsigned())
	mask := b[at]
	at++
	for p := probe.Phase(0); mask>>p != 0; p++ {
		if mask>>p&1 != 0 {
			r.Phases.Add(p, time.Duration(unsigned()))
		}
	}
	return words, at
}

// newestFirst unpacks all records; l may be nil.
func (l *records) newestFirst() []Record {
	if l == nil {
		return nil
	}
	list := make([]Record, l.n)
	for i, b := len(list)-1, l.packed; i >= 0; i-- {
		words, size := list[i].unpack(b)
		b = b[size:]
		list[i].take(&l.notes[words])
	}
	at, id := l.at, l.id
	for i := range list { // make the differences absolute
		r := &list[i]
		r.At, at = time.Unix(0, at), at-r.At.UnixNano()
		if r.ID != 0 {
			r.ID, id = id, id-r.ID
		}
	}
	return list
}

// remembers reports whether a record has an ID; l may be nil.
func (l *records) remembers(id measure.ID) bool {
	if l == nil {
		return false
	}
	var one Record
	sum := measure.ID(0)
	for b := l.packed; len(b) > 0; sum += one.ID {
		one.ID = 0
		_, size := one.unpack(b)
		b = b[size:]
	}
	at := l.id - sum // of the record before the oldest
	for b := l.packed; len(b) > 0; {
		one.ID = 0
		_, size := one.unpack(b)
		b = b[size:]
		if at += one.ID; one.ID != 0 && at == id {
			return true
		}
	}
	return false
}

// take copies the texts of a note into the record.
func (r *Record) take(n *note) {
	words := n.told.Value()
	r.Reason, r.Detail, r.Excerpt = words.reason, words.detail, n.excerpt.read()
	if n.parts != nil {
		r.Parts = *n.parts
	}
}

// last returns the outcome and the reason of the newest record; "" if l is nil.
func (l *records) last() (probe.Outcome, probe.Reason) {
	if l == nil {
		return "", ""
	}
	return probe.Outcomes[l.newest.head&outcomeBits], l.notes[l.newest.note].told.Value().reason
}

// excerpt is the newest record's excerpt; nil if it has none, or l is nil.
func (l *records) excerpt() *excerpt {
	if l == nil {
		return nil
	}
	return l.notes[l.newest.note].excerpt
}
