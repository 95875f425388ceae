package promql

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// numeric are the labels with numbers as values, which clients and servers write in
// several ways: the bounds of buckets, and quantiles.
var numeric = []string{labels.BucketLabel, "quantile"}

// Bound matches the value of a label that is a number, however it is written:
// "1" by clients of the text format and "1.0" since Prometheus 3 normalises it.
func Bound(label string, v float64) Matcher {
	return Matcher{written(labels.MatchEqual, labels.MatchRegexp, label, spellings(v))}
}

// written matches any of several texts; equal and regexp are the match types for one
// text and for several.
func written(equal, re labels.MatchType, label string, texts []string) *labels.Matcher {
	if len(texts) == 1 {
		return labels.MustNewMatcher(equal, label, texts[0])
	}
	if len(texts) == 2 && texts[1] == texts[0]+".0" {
		return labels.MustNewMatcher(re, label, regexp.QuoteMeta(texts[0])+`(\.0)?`)
	}
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = regexp.QuoteMeta(t)
	}
	return labels.MustNewMatcher(re, label, strings.Join(quoted, "|"))
}

// spellings are the ways to write a number, the plainest first: whole numbers with and
// without decimals, with Go's exponents and with Java's.
func spellings(v float64) []string {
	plain := strconv.FormatFloat(v, 'f', -1, 64)
	all := []string{plain}
	if !strings.Contains(plain, ".") {
		all = append(all, plain+".0")
	}
	all = append(all, strconv.FormatFloat(v, 'g', -1, 64))
	if abs := math.Abs(v); abs >= 1e7 || abs < 1e-3 && abs > 0 {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, 64), "e")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		n, _ := strconv.Atoi(exponent)
		all = append(all, mantissa+"E"+strconv.Itoa(n))
	}
	return unique(all)
}

func unique(texts []string) []string {
	var all []string
	for _, t := range texts {
		if !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return all
}

// inAnySpelling changes the conditions on numeric labels so that they match every
// spelling of the number: le="1" and le="1.0".
func inAnySpelling(node parser.Expr) {
	parser.Inspect(node, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			for i, m := range v.LabelMatchers {
				v.LabelMatchers[i] = anySpelling(m)
			}
		}
		return nil
	})
}

func anySpelling(m *labels.Matcher) *labels.Matcher {
	if !slices.Contains(numeric, m.Name) || m.Type != labels.MatchEqual && m.Type != labels.MatchNotEqual {
		return m
	}
	v, err := strconv.ParseFloat(m.Value, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return m
	}
	texts := unique(append(spellings(v), m.Value))
	if m.Type == labels.MatchNotEqual {
		return written(labels.MatchNotEqual, labels.MatchNotRegexp, m.Name, texts)
	}
	return written(labels.MatchEqual, labels.MatchRegexp, m.Name, texts)
}
