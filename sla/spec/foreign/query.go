package foreign

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// window is what Sloth replaces by the range of each of its rules.
var window = regexp.MustCompile(`\{\{-?\s*\.window\s*-?\}\}`)

// windowMillis is the range that stands in for it while an expression is parsed: no
// query has it by itself.
const windowMillis = 987_654_321

// standIn replaces each window by a range of the same length, so that places stay.
func standIn(text string) string {
	const of = "987654321ms"
	return window.ReplaceAllStringFunc(text, func(found string) string {
		return of + strings.Repeat(" ", max(len(found)-len(of), 0))
	})
}

// fiveMinutes replaces each window by the range of our base series.
func fiveMinutes(text string) string { return window.ReplaceAllString(text, "5m") }

// sum makes the query of selectors that are added up. at is the text that they stand in.
func (c *conversion) sum(at place, selectors []Selector) *yaml.Node {
	texts := make([]string, len(selectors))
	for i, s := range selectors {
		texts[i] = s.written()
	}
	offset := -1
	if len(selectors) == 1 && texts[0] == selectors[0].Text {
		offset = selectors[0].Offset
	}
	return c.expression(at, strings.Join(texts, " + "), offset)
}

// written is a selector written on one line.
func (s Selector) written() string {
	if !strings.Contains(s.Text, "\n") {
		return s.Text
	}
	clauses := make([]string, len(s.Clauses))
	for i, m := range s.Clauses {
		clauses[i] = m.Text
	}
	return s.Name + "{" + strings.Join(clauses, ",") + "}"
}

// key is equal for selectors that select the same.
func (s Selector) key() string {
	clauses := make([]string, len(s.Clauses))
	for i, m := range s.Clauses {
		clauses[i] = m.Text
	}
	slices.Sort(clauses)
	return s.Name + "{" + strings.Join(clauses, ",") + "}"
}

// sameSum returns whether two sums have the same selectors.
func sameSum(a, b []Selector) bool {
	return slices.Equal(keys(a), keys(b))
}

func keys(all []Selector) []string {
	texts := make([]string, len(all))
	for i, s := range all {
		texts[i] = s.key()
	}
	slices.Sort(texts)
	return texts
}

// counts are two expressions: the bad or good part, and all.
type counts struct {
	part, total   Counted
	good          bool
	partAt, allAt place
}

// counted makes an indicator from counts: events, or the response time of a histogram
// if that is what they count. It returns nil if they are something else.
func (c *conversion) counted(n counts) *yaml.Node {
	part, good := n.part.Plus, n.good
	switch {
	case len(n.total.Minus) > 0:
		return nil
	case len(n.part.Minus) == 0:
	case sameSum(n.part.Plus, n.total.Plus): // all - good is bad
		part, good = n.part.Minus, !good
	default:
		return nil
	}
	if good && len(part) == 1 && len(n.total.Plus) == 1 {
		if latency := c.latency(n, part[0], n.total.Plus[0]); latency != nil {
			return latency
		}
	}
	key := "bad"
	if good {
		key = "good"
	}
	events := c.mapping(n.partAt).set(key, c.sum(n.partAt, part)).set("total", c.sum(n.allAt, n.total.Plus))
	return c.mapping(n.partAt).set("events", events.node).node
}

// latency makes the response time of a histogram from its count and one bucket, which
// is that of the threshold. It returns nil if the unit of the histogram is not in its
// name.
func (c *conversion) latency(n counts, bucket, count Selector) *yaml.Node {
	base, isBucket := strings.CutSuffix(bucket.Name, "_bucket")
	whole, isCount := strings.CutSuffix(count.Name, "_count")
	seconds, hasUnit := unitOf(base)
	if !isBucket || !isCount || base != whole || !hasUnit {
		return nil
	}
	var bound string
	rest := Selector{Name: base}
	for _, m := range bucket.Clauses {
		if m.Label == "le" && m.Equal && bound == "" {
			bound = m.Value
			continue
		}
		rest.Clauses = append(rest.Clauses, m)
	}
	whole = Selector{Name: base, Clauses: count.Clauses}.key()
	threshold, ok := duration(bound, seconds)
	if !ok {
		return nil
	}
	latency := c.mapping(n.allAt).set("histogram", c.expression(n.allAt, asText(base, count), -1))
	if rest.key() != whole {
		latency.set("good", c.expression(n.partAt, asText(base, rest), -1))
	}
	latency.set("threshold", c.text(n.partAt, threshold))
	return c.mapping(n.partAt).set("latency", latency.node).node
}

// asText is a selector with another name.
func asText(name string, s Selector) string {
	if len(s.Clauses) == 0 {
		return name
	}
	clauses := make([]string, len(s.Clauses))
	for i, m := range s.Clauses {
		clauses[i] = m.Text
	}
	return name + "{" + strings.Join(clauses, ",") + "}"
}

// unitOf is how many milliseconds the unit in a histogram's name has.
func unitOf(name string) (millis int64, ok bool) {
	switch {
	case strings.HasSuffix(name, "_seconds"):
		return 1000, true
	case strings.HasSuffix(name, "_milliseconds"):
		return 1, true
	}
	return 0, false
}

// duration is a bucket's bound as a duration. It is not ok if that is no whole number of
// milliseconds above 0.
func duration(bound string, millis int64) (string, bool) {
	d, ok := parseDecimal(bound)
	if !ok {
		return "", false
	}
	ms, whole := d.times(millis).whole()
	if !whole || ms <= 0 || ms > 3_600_000 {
		return "", false
	}
	switch {
	case ms%60_000 == 0:
		return strconv.FormatInt(ms/60_000, 10) + "m", true
	case ms%1000 == 0:
		return strconv.FormatInt(ms/1000, 10) + "s", true
	}
	return strconv.FormatInt(ms, 10) + "ms", true
}

// grouped makes groupBy from the labels that sums keep, nil if there are none.
func (c *conversion) grouped(at place, by []string) *yaml.Node {
	if len(by) == 0 {
		return nil
	}
	return c.words(at, by)
}
