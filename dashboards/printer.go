package dashboards

import (
	"fmt"

	"github.com/upheld-sla/upheld/sla"
)

// maxSkeletons bounds the bytes that skeletons may take.
const maxSkeletons = 4 << 20

// Printer prints the dashboards of many agreements. What differs from one that
// it printed before in nothing but names is printed by that one's text, which
// takes far less time. The zero value is ready for use, by one
// goroutine at a time.
type Printer struct {
	known map[string]*skeleton // by shape
	size  int
	out   []byte
}

// Agreement is the same as the function of that name, byte for byte; it is valid
// until the next call.
func (p *Printer) Agreement(a *sla.Agreement) ([]byte, error) {
	shape, bare, ok := shapeOf(a)
	if !ok {
		return Agreement(a)
	}
	s := p.known[shape]
	if s == nil {
		text, err := Agreement(bare)
		if err != nil {
			return nil, fmt.Errorf("in the shape of %s: %w", a.Name, err)
		}
		if s, err = newSkeleton(bare, string(text)); err != nil {
			return Agreement(a)
		}
		if p.size += len(text); p.known == nil || p.size > maxSkeletons {
			p.known, p.size = map[string]*skeleton{}, len(text)
		}
		p.known[shape] = s
	}
	out, err := s.fill(p.out[:0], a)
	p.out = out
	return out, err
}
