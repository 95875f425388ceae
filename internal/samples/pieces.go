package samples

import (
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// pieces counts events into the pieces of time between cuts.
type pieces struct {
	cuts       []int64
	total, bad []float64
	known      sla.Spans
}

func newPieces(cuts []int64) *pieces {
	n := len(cuts) - 1
	return &pieces{cuts: cuts, total: make([]float64, n), bad: make([]float64, n)}
}

// add counts an increment into the pieces that it belongs to.
func (p *pieces) add(inc increment, total, bad float64) {
	inc.spread(p.cuts, func(piece int, share float64) {
		p.total[piece] += total * share
		p.bad[piece] += bad * share
	})
}

// stretches returns the known parts of the pieces. If a piece is known only in parts,
// the last of these has its count.
func (p *pieces) stretches() []verdict.Stretch {
	var all []verdict.Stretch
	known := p.known
	for i := range p.total {
		from, to := at(p.cuts[i]), at(p.cuts[i+1])
		for len(known) > 0 && !known[0].To.After(from) {
			known = known[1:]
		}
		before := len(all)
		for _, k := range known {
			if !k.From.Before(to) {
				break
			}
			s := verdict.Stretch{From: k.From, To: k.To, State: verdict.Known}
			if s.From.Before(from) {
				s.From = from
			}
			if s.To.After(to) {
				s.To = to
			}
			all = append(all, s)
		}
		if n := len(all); n > before {
			all[n-1].Total, all[n-1].Bad = p.total[i], p.bad[i]
		}
	}
	return all
}
