package promql

import (
	"sync"

	"github.com/prometheus/prometheus/promql/parser"
)

// maxShapes bounds the memory of a process that generates for long. The trees
// of one agreement have some fifty shapes, and one more for each regular
// expression.
const maxShapes = 10_000

// shapeCache knows the shapes that were proven. It is safe for concurrent use.
type shapeCache struct {
	mu      sync.Mutex
	printer printer
	known   map[string]*Shape
}

var shapes = shapeCache{known: map[string]*Shape{}}

func (c *shapeCache) prove(node parser.Expr) (Proof, error) {
	c.mu.Lock()
	c.printer.reset()
	c.printer.node(node)
	text := string(c.printer.text)
	if !c.printer.opaque {
		if shape := c.known[string(c.printer.key)]; shape != nil {
			c.mu.Unlock()
			return Proof{text, shape}, nil
		}
	}
	key, opaque := string(c.printer.key), c.printer.opaque
	c.mu.Unlock()

	if err := proveText(node, text); err != nil {
		return Proof{}, err
	}
	if opaque {
		return Proof{text, nil}, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	shape := c.known[key]
	if shape == nil {
		if len(c.known) >= maxShapes {
			clear(c.known)
		}
		shape = &Shape{}
		c.known[key] = shape
	}
	return Proof{text, shape}, nil
}
