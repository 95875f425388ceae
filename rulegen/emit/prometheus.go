// Package emit prints a plan and the files that go with it, one output each.
// Every output is proven before it is returned: what Prometheus would refuse is
// an error here. It must not write files; the command line does.
package emit

import (
	"bytes"
	"time"

	"github.com/upheld-sla/upheld/rulegen"
)

// Prometheus prints a plan as a Prometheus rule file, for 2.42 and later and
// for others that read the format: Thanos, Mimir, VictoriaMetrics. The same
// plan gives the same bytes.
func Prometheus(p *rulegen.Plan) ([]byte, error) {
	var out bytes.Buffer
	w := NewRuleWriter(&out, RuleOptions{})
	if err := w.Begin(p.Agreement); err != nil {
		return nil, err
	}
	for _, l := range p.Levels {
		if err := w.Level(l); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// optional is a duration, or nothing if it is 0.
func optional(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return duration(d)
}
