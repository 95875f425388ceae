package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// CompareEvidence returns exactly where two measurements of one period differ, stretch
// by stretch: for each place the first few, in order of time.
func CompareEvidence(kept, again Evidence) []Difference {
	c := &differences{}
	a, b := placesOf(kept), placesOf(again)
	names := maps.Clone(a)
	maps.Copy(names, b)
	for _, name := range slices.SortedFunc(maps.Keys(names), placeName.compare) {
		c.stretches(name, a[name], b[name])
	}
	conditions := maps.Clone(kept.Conditions)
	if conditions == nil {
		conditions = map[string]sla.Spans{}
	}
	maps.Copy(conditions, again.Conditions)
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		c.text("", "condition of exclusion "+name, spansText(kept.Conditions[name]), spansText(again.Conditions[name]))
	}
	c.samples(kept.Samples, again.Samples)
	return c.found
}

// samples names the series and days whose raw samples differ, even if no verdict
// depends on the difference.
func (c *differences) samples(kept, again []SampleDigest) {
	a, b := byDay(kept), byDay(again)
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		c.text("", "samples of "+name, hashText(a[name]), hashText(b[name]))
	}
}

func hashText(hash string) string {
	if hash == "" {
		return ""
	}
	return "hash " + hash
}

func byDay(all []SampleDigest) map[string]string {
	hashes := map[string]string{}
	for _, s := range all {
		for _, d := range s.Days {
			hashes[s.Series+" on "+d.Day] = d.Hash
		}
	}
	return hashes
}

func spansText(spans sla.Spans) string {
	var all []string
	for _, s := range spans {
		all = append(all, spanText(s.From, s.To))
	}
	return strings.Join(all, "; ")
}

// placeName identifies a place of a level.
type placeName struct{ level, place string }

func (n placeName) compare(o placeName) int {
	if d := strings.Compare(n.level, o.level); d != 0 {
		return d
	}
	return strings.Compare(n.place, o.place)
}

func placesOf(e Evidence) map[placeName][]Stretch {
	places := map[placeName][]Stretch{}
	for _, l := range e.Levels {
		for _, g := range l.Groups {
			level := Level{Service: l.Level.Service, SLO: l.Level.SLO, Group: g.Labels}.key()
			for _, p := range g.Places {
				places[placeName{level, labelText(p.Labels)}] = p.Stretches
			}
		}
	}
	return places
}

func labelText(labels map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		all = append(all, fmt.Sprintf("%s=%q", name, labels[name]))
	}
	return strings.Join(all, " ")
}

// fewOfAPlace is how many differing stretches of one place are named.
const fewOfAPlace = 5

func (c *differences) stretches(name placeName, kept, again []Stretch) {
	what := "measured"
	if name.place != "" {
		what += " at " + name.place
	}
	differ := 0
	tell := func(kept, again string) {
		if differ++; differ <= fewOfAPlace {
			c.text(name.level, what, kept, again)
		}
	}
	i, j := 0, 0
	for i < len(kept) || j < len(again) {
		switch {
		case i < len(kept) && j < len(again) && kept[i].same(again[j]):
			i, j = i+1, j+1
		case j == len(again) || i < len(kept) && !kept[i].To.After(again[j].From):
			tell(kept[i].text(), "")
			i++
		case i == len(kept) || !again[j].To.After(kept[i].From):
			tell("", again[j].text())
			j++
		default:
			tell(kept[i].text(), again[j].text())
			i, j = together(kept, again, i, j)
		}
	}
	if differ > fewOfAPlace {
		c.text(name.level, what, fmt.Sprintf("%d more stretches of time", differ-fewOfAPlace), "other ones")
	}
}

// together returns the indices after the next stretches, from i and j on, that end at
// the same time. From there both lists can be compared again.
func together(kept, again []Stretch, i, j int) (int, int) {
	for {
		order := kept[i].To.Compare(again[j].To)
		if order == 0 {
			return i + 1, j + 1
		}
		if order < 0 {
			i++
		} else {
			j++
		}
		if i == len(kept) || j == len(again) {
			return len(kept), len(again)
		}
	}
}

func (s Stretch) same(o Stretch) bool {
	return s.From.Equal(o.From) && s.To.Equal(o.To) && s.State == o.State && s.Total == o.Total && s.Bad == o.Bad
}

func (s Stretch) text() string {
	if s.State != Known {
		return fmt.Sprintf("%s: %s", spanText(s.From, s.To), s.State)
	}
	return fmt.Sprintf("%s: %v bad of %v", spanText(s.From, s.To), s.Bad, s.Total)
}
