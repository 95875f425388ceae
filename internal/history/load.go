package history

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/value"

	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/samples"
)

// Past has the raw series of a span of time.
type Past struct {
	World   *replay.World
	Series  int
	Samples int
	// Holes are times without any sample, in order: the server was away, or kept no
	// samples.
	Holes []replay.Span
}

const (
	// piece is how much time one request covers.
	piece = 6 * time.Hour
	// hole is the shortest gap without samples that counts as a hole.
	hole = 5 * time.Minute
	// most bounds the samples in memory, at about two bytes each.
	most = 400_000_000
)

// Load reads what rules read between two times, and before that as far as they look
// back. It requests a quarter of a day of one selector at a time. progress is called
// after each response, and may be nil.
func Load(ctx context.Context, from samples.Source, reads []Read, begin, end time.Time, progress func(done, total int)) (*Past, error) {
	p := &Past{World: replay.New()}
	seen := newMinutes(begin, end)
	owner := map[uint64]int{} // the selector that a series was first read by
	pieces := int((end.Sub(begin) + piece - 1) / piece)
	for i, r := range reads {
		at := begin.Add(-r.Back)
		for done := 0; at.Before(end); done++ {
			next := at.Add(piece)
			if at.Before(begin) {
				next = begin
			}
			if next.After(end) {
				next = end
			}
			series, err := from.Select(ctx, r.Matchers, at.UnixMilli(), next.UnixMilli())
			if err != nil {
				return nil, fmt.Errorf("%s of %s to %s: %w", r, at.UTC().Format(time.RFC3339), next.UTC().Format(time.RFC3339), err)
			}
			if err := p.add(series, i, owner, seen); err != nil {
				return nil, err
			}
			if progress != nil {
				progress(i*pieces+min(done, pieces-1)+1, len(reads)*pieces)
			}
			at = next
		}
	}
	p.Holes = seen.holes()
	return p, nil
}

// add keeps series that no earlier selector has read.
func (p *Past) add(series []samples.Series, read int, owner map[uint64]int, seen *minutes) error {
	for _, s := range series {
		id := s.Labels.Hash()
		if by, ok := owner[id]; !ok {
			owner[id] = read
			p.Series++
		} else if by != read {
			continue
		}
		if err := p.World.Append(s.Labels, s.T, s.V, s.H); err != nil {
			return fmt.Errorf("%s: %w", s.Labels, err)
		}
		if p.Samples += len(s.T); p.Samples > most {
			return fmt.Errorf("the rules read more than %d samples, which is the most that is held in memory; choose a shorter time, or fewer levels", most)
		}
		for i, t := range s.T {
			if s.V == nil || math.Float64bits(s.V[i]) != value.StaleNaN {
				seen.at(t)
			}
		}
	}
	return nil
}

// minutes are the minutes of a span with any sample.
type minutes struct {
	begin int64
	end   time.Time
	any   []bool
}

func newMinutes(begin, end time.Time) *minutes {
	return &minutes{begin.UnixMilli(), end.UTC(), make([]bool, max(0, (end.Sub(begin)+time.Minute-1)/time.Minute))}
}

func (m *minutes) at(ms int64) {
	if i := (ms - m.begin) / time.Minute.Milliseconds(); ms >= m.begin && i < int64(len(m.any)) {
		m.any[i] = true
	}
}

func (m *minutes) holes() []replay.Span {
	var all []replay.Span
	for i := 0; i < len(m.any); {
		j := i
		for j < len(m.any) && !m.any[j] {
			j++
		}
		if time.Duration(j-i)*time.Minute >= hole {
			all = append(all, replay.Span{From: m.time(i), To: m.time(j)})
		}
		i = j + 1
	}
	return all
}

func (m *minutes) time(i int) time.Time {
	at := time.UnixMilli(m.begin).Add(time.Duration(i) * time.Minute).UTC()
	if at.After(m.end) { // so it is not a whole minute after the beginning
		return m.end
	}
	return at
}
