// Package history evaluates rules over the past: it reads the raw series that rule
// files read, from a server or from files of samples, evaluates the rules over them,
// and writes what they would have recorded as Prometheus blocks, or as OpenMetrics.
package history

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/upheld-sla/upheld/internal/replay"
)

// Read is a selector of raw series, and how old its samples may be at an evaluation.
type Read struct {
	Matchers []*labels.Matcher
	Back     time.Duration
}

func (r Read) String() string {
	var words []string
	for _, m := range r.Matchers {
		words = append(words, m.String())
	}
	return "{" + strings.Join(words, ",") + "}"
}

// lookback is how old a sample may be for an instant selector: the default of
// --query.lookback-delta.
const lookback = 5 * time.Minute

var language = parser.NewParser(parser.Options{})

// Reads returns what rule files read and do not record themselves. If one selector
// selects all that another does, only the wider one is kept. A selector without a
// metric name is an error, since it cannot be read.
func Reads(files []replay.File) ([]Read, error) {
	all, recorded, err := selectors(files)
	if err != nil {
		return nil, err
	}
	var raw []Read
	for _, r := range all {
		name := nameOf(r.Matchers)
		if name == "" {
			return nil, fmt.Errorf("the rules read %s, which names no metric: a past of all series cannot be read; give it a name", r)
		}
		if !recorded[name] {
			raw = append(raw, r)
		}
	}
	return widest(raw), nil
}

// selectors returns the selectors of all expressions, and the names that the files
// record.
func selectors(files []replay.File) (all []Read, recorded map[string]bool, err error) {
	recorded = map[string]bool{"ALERTS": true, "ALERTS_FOR_STATE": true}
	for _, f := range files {
		groups, errs := rulefmt.Parse(f.Text, false, model.UTF8Validation, language, nil)
		if len(errs) > 0 {
			return nil, nil, fmt.Errorf("%s:%w", f.Name, errs[0])
		}
		for _, g := range groups.Groups {
			var offset time.Duration
			if g.QueryOffset != nil {
				offset = time.Duration(*g.QueryOffset)
			}
			for _, r := range g.Rules {
				if r.Record != "" {
					recorded[r.Record] = true
				}
				expr, err := language.ParseExpr(r.Expr)
				if err != nil {
					return nil, nil, fmt.Errorf("%s: %w", f.Name, err)
				}
				all = append(all, selectorsOf(expr, offset)...)
			}
		}
	}
	return all, recorded, nil
}

func selectorsOf(expr parser.Expr, offset time.Duration) []Read {
	var all []Read
	parser.Inspect(expr, func(n parser.Node, path []parser.Node) error {
		s, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		r := Read{s.LabelMatchers, offset + lookback + max(0, s.OriginalOffset)}
		for _, above := range path {
			switch above := above.(type) {
			case *parser.MatrixSelector:
				r.Back += above.Range
			case *parser.SubqueryExpr:
				r.Back += above.Range + max(0, above.OriginalOffset)
			}
		}
		all = append(all, r)
		return nil
	})
	return all
}

// nameOf is the metric that matchers select, "" if they do not name one.
func nameOf(matchers []*labels.Matcher) string {
	for _, m := range matchers {
		if m.Name == labels.MetricName && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return ""
}

// widest drops selectors whose series another one also selects, and uses the longest
// reach among those of a metric.
func widest(all []Read) []Read {
	slices.SortStableFunc(all, func(a, b Read) int {
		return cmp.Or(strings.Compare(nameOf(a.Matchers), nameOf(b.Matchers)), cmp.Compare(len(a.Matchers), len(b.Matchers)))
	})
	var kept []Read
	for _, r := range all {
		within := slices.IndexFunc(kept, func(k Read) bool { return r.within(k) })
		if within < 0 {
			kept = append(kept, r)
			continue
		}
		kept[within].Back = max(kept[within].Back, r.Back)
	}
	return kept
}

// within returns whether a selector has every condition of a wider one.
func (r Read) within(wider Read) bool {
	for _, w := range wider.Matchers {
		if !slices.ContainsFunc(r.Matchers, func(m *labels.Matcher) bool { return m.String() == w.String() }) {
			return false
		}
	}
	return true
}
