package samples

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// digesting is a source that hashes every sample read through it, by series and day, so
// that two sides can find out which samples they do not share.
type digesting struct {
	Source
	of map[string]*seriesDigest // by series
}

// seriesDigest hashes the samples of one series. Samples that are read again, such as
// those at the edges of pieces, count once.
type seriesDigest struct {
	last  int64 // time of the last hashed sample
	until int64 // the end of the day of hash
	hash  hash.Hash
	days  map[string]hash.Hash
}

func newDigesting(from Source) *digesting {
	return &digesting{Source: from, of: map[string]*seriesDigest{}}
}

// Select reads from the source.
func (d *digesting) Select(ctx context.Context, matchers []*labels.Matcher, from, to int64) ([]Series, error) {
	all, err := d.Source.Select(ctx, matchers, from, to)
	if err == nil {
		err = inOrder(all)
	}
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		d.add(s)
	}
	return all, nil
}

// inOrder returns an error if a source broke the promised order of samples: the
// differences of samples in another order would be events that never happened.
func inOrder(all []Series) error {
	for i, s := range all {
		if i > 0 && labels.Compare(all[i-1].Labels, s.Labels) >= 0 {
			return fmt.Errorf("%s is there twice, or the series are not in order; ask a server that answers each series once", s.Labels)
		}
		for k := 1; k < len(s.T); k++ {
			if s.T[k] <= s.T[k-1] {
				return fmt.Errorf("the samples of %s are not in order of time: %s comes after %s; what answered them is damaged", s.Labels,
					at(s.T[k]).Format("2006-01-02T15:04:05.000Z"), at(s.T[k-1]).Format("2006-01-02T15:04:05.000Z"))
			}
		}
	}
	return nil
}

func (d *digesting) add(s Series) {
	name := s.Labels.String()
	of := d.of[name]
	if of == nil {
		of = &seriesDigest{last: math.MinInt64, until: math.MinInt64, days: map[string]hash.Hash{}}
		d.of[name] = of
	}
	for i, t := range s.T {
		if t <= of.last {
			continue
		}
		of.last = t
		switch {
		case i < len(s.H) && s.H[i] != nil:
			fmt.Fprintf(of.day(t), "%d %s\n", t, s.H[i])
		case i < len(s.V) && !math.IsNaN(s.V[i]): // staleness markers do not survive in text files
			fmt.Fprintf(of.day(t), "%d %b\n", t, s.V[i])
		}
	}
}

// day is the hash of the day of t.
func (s *seriesDigest) day(t int64) hash.Hash {
	if t >= s.until {
		s.until = floor(t, day) + day
		s.hash = sha256.New()
		s.days[at(t).Format(time.DateOnly)] = s.hash
	}
	return s.hash
}

// digests are the hashes of all series, in order.
func (d *digesting) digests() []verdict.SampleDigest {
	var all []verdict.SampleDigest
	for _, name := range slices.Sorted(maps.Keys(d.of)) {
		s := verdict.SampleDigest{Series: name}
		for _, day := range slices.Sorted(maps.Keys(d.of[name].days)) {
			s.Days = append(s.Days, verdict.DayDigest{Day: day, Hash: hex.EncodeToString(d.of[name].days[day].Sum(nil)[:16])})
		}
		if len(s.Days) > 0 {
			all = append(all, s)
		}
	}
	return all
}
