package rawseries

import (
	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/sla"
)

// OfLatency returns the series of a histogram. If only some of its series can be good,
// it returns those. It is nil if no such series are found.
func OfLatency(h *sla.HistogramLatency) []Series {
	m, ok := Only(h.Histogram)
	if ok && h.Good.Text != "" {
		m, ok = Narrowed(m, h.Good)
	}
	if !ok {
		return nil
	}
	return buckets(m, h)
}

// Narrowed is a series that another selector selects, too.
func Narrowed(m promql.Metric, q sla.Query) (promql.Metric, bool) {
	s := Selectors(q)
	if len(s) != 1 {
		return nil, false
	}
	if s[0].Matches(m) {
		return m, true
	}
	of, ok := s[0].Example()
	if !ok {
		return nil, false
	}
	m = m.With(of)
	return m, s[0].Matches(m)
}
