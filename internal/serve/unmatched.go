package serve

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/upheld-sla/upheld/sla"
)

// noSeries returns the selectors of the level's queries that match no series of the
// last minutes: most likely nothing scrapes them.
func (src *source) noSeries(ctx context.Context, l *sla.ServiceLevel, now time.Time) []string {
	var none []string
	for _, q := range l.Indicator.Queries() {
		expr, err := src.s.parser.ParseExpr(q.Text)
		if err != nil {
			continue // a selector of a histogram, or one that loading the specification reports
		}
		for _, selectors := range parser.ExtractSelectors(expr) {
			selector := selectorOf(selectors)
			found := false
			err := src.read(ctx, selector, now.Add(-src.lookback()), now, func(_ labels.Labels, it chunkenc.Iterator) error {
				found = found || it.Next() != chunkenc.ValNone
				return nil
			})
			if err == nil && !found && !slices.Contains(none, selector) {
				none = append(none, selector)
			}
		}
	}
	return none
}

// selectorOf prints matchers as people write them.
func selectorOf(matchers []*labels.Matcher) string {
	name, rest := "", ""
	for _, m := range matchers {
		if m.Name == labels.MetricName && m.Type == labels.MatchEqual {
			name = m.Value
			continue
		}
		if rest != "" {
			rest += ","
		}
		rest += m.String()
	}
	if rest == "" && name != "" {
		return name
	}
	return name + "{" + rest + "}"
}
