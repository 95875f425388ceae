package samples

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// digesting is a source that keeps a hash of every sample that is read through it, by
// series and day, so that two sides can find out which samples they do not share.
type digesting struct {
	Source
	of map[string]map[string]hash.Hash // by series and day
}

func newDigesting(from Source) *digesting {
	return &digesting{Source: from, of: map[string]map[string]hash.Hash{}}
}

// Select reads from the source.
func (d *digesting) Select(ctx context.Context, matchers []*labels.Matcher, from, to int64) ([]Series, error) {
	all, err := d.Source.Select(ctx, matchers, from, to)
	for _, s := range all {
		d.add(s)
	}
	return all, err
}

func (d *digesting) add(s Series) {
	name := s.Labels.String()
	days := d.of[name]
	if days == nil {
		days = map[string]hash.Hash{}
		d.of[name] = days
	}
	var h hash.Hash
	until := int64(math.MinInt64) // of the day of h
	var buffer [16]byte
	for i, t := range s.T {
		if t >= until {
			until = floor(t, day) + day
			key := at(t).Format(time.DateOnly)
			if days[key] == nil {
				days[key] = sha256.New()
			}
			h = days[key]
		}
		binary.BigEndian.PutUint64(buffer[:8], uint64(t))
		switch {
		case i < len(s.H) && s.H[i] != nil:
			h.Write(buffer[:8])
			h.Write([]byte(s.H[i].String()))
		case i < len(s.V) && !math.IsNaN(s.V[i]): // marks of staleness do not survive in text files
			binary.BigEndian.PutUint64(buffer[8:], math.Float64bits(s.V[i]))
			h.Write(buffer[:])
		}
	}
}

// digests are the hashes of all series, in order.
func (d *digesting) digests() []verdict.SampleDigest {
	var all []verdict.SampleDigest
	for _, name := range slices.Sorted(maps.Keys(d.of)) {
		s := verdict.SampleDigest{Series: name}
		for _, day := range slices.Sorted(maps.Keys(d.of[name])) {
			s.Days = append(s.Days, verdict.DayDigest{Day: day, Hash: hex.EncodeToString(d.of[name][day].Sum(nil)[:16])})
		}
		all = append(all, s)
	}
	return all
}
