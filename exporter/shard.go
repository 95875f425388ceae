package exporter

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// Shard is the part of all targets that one of several exporters probes. The zero value
// is all of them.
type Shard struct {
	Number int // from 1
	Of     int // how many exporters there are
}

// ParseShard reads "2/3", the second of three.
func ParseShard(text string) (Shard, error) {
	number, of, ok := strings.Cut(text, "/")
	i, err := strconv.Atoi(number)
	n, err2 := strconv.Atoi(of)
	if !ok || err != nil || err2 != nil || i < 1 || i > n {
		return Shard{}, fmt.Errorf("%q is no shard: write i/n with i from 1 to n, as in 2/3 for the second of three", text)
	}
	return Shard{i, n}, nil
}

// keeps reports whether a target is the shard's. Levels are assigned as a whole, but
// discovered targets each on their own.
func (s Shard) keeps(w wanted) bool {
	switch {
	case s.Of <= 1:
		return true
	case w.found:
		return s.holds(w.key())
	}
	return s.holds(w.ID.String())
}

// holds reports whether a level belongs to the shard: the shard whose number, hashed
// together with the level, gives the highest weight. If an exporter is added, only the
// levels that it takes over move.
func (s Shard) holds(level string) bool {
	own := weight(level, s.Number)
	for i := 1; i <= s.Of; i++ {
		if w := weight(level, i); w > own || w == own && i < s.Number {
			return false
		}
	}
	return true
}

// weight must never change: otherwise exporters of two versions side by side would
// probe levels twice or not at all.
func weight(level string, number int) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strconv.Itoa(number) + " " + level))
	x := h.Sum64() // similar texts have similar high bits; mix them
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
