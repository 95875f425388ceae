package samples

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// part is a selector whose series are columns of rows, one each.
type part struct {
	matchers []*labels.Matcher
	column   func(labels.Labels) int
	// value returns the value of a sample; if it is nil, the sample is a counter.
	value func(s Series, i int) float64
}

// layout says which series of a level make one row.
type layout struct {
	parts []part
	apart []string // labels that only tell the columns of one process apart; or its name, if the name does
	needs int      // so many of the first columns must be there; others may be absent
}

// family is one process as a level reads it: the rows of one block of time, and the
// differences so far. If two servers scrape one process, each makes a replica of the
// family.
type family struct {
	labels labels.Labels // without those of columns, replicas, and the name
	rows   []row
	differences
	cells [columns]Series // of the block being read
	has   [columns]bool
}

// copies are all replicas of a family.
type copies struct {
	key    string
	labels labels.Labels
	of     []*family
	names  []string          // values of the labels of replicas, one for each
	owner  map[int64]*family // the family that counts in an hour of the clock; in hours without an entry all count
}

// replicaLabels are the labels that tell the copies of a series apart, in a store that
// several servers write to.
var replicaLabels = []string{"replica", "prometheus_replica", "__replica__", "thanos_replica", "receive_replica", "rule_replica", "monitor_replica", "vmagent_replica"}

// families are all families of a level.
type families struct {
	layout layout
	all    map[string]*copies
	order  []*copies // by their keys; those of the last block read
}

// put sorts the series of a block into the families. It returns how many families there
// are.
func (fs *families) put(of part, all []Series) {
	b := labels.NewBuilder(labels.EmptyLabels())
	for _, s := range all {
		b.Reset(s.Labels)
		b.Del(fs.layout.apart...)
		var replica strings.Builder
		for _, name := range replicaLabels {
			if v := s.Labels.Get(name); v != "" {
				replica.WriteString(name + "=" + v + "\xff")
				b.Del(name)
			}
		}
		f := fs.family(b.Labels(), replica.String())
		i := of.column(s.Labels)
		if of.value != nil {
			v := make([]float64, len(s.T))
			for at := range s.T {
				v[at] = of.value(s, at)
			}
			s.V, s.H = v, nil
		}
		if f.has[i] { // a label is spelled differently, such as a bucket bound of another server
			s = merged(f.cells[i], s)
		}
		f.cells[i], f.has[i] = s, s.V != nil
	}
}

func (fs *families) family(l labels.Labels, replica string) *family {
	key := l.String()
	c := fs.all[key]
	if c == nil {
		c = &copies{key: key, labels: l}
		fs.all[key] = c
	}
	i := slices.Index(c.names, replica)
	if i < 0 {
		i = len(c.names)
		c.names, c.of = append(c.names, replica), append(c.of, &family{labels: l})
	}
	return c.of[i]
}

// join makes rows of the cells of its block, and orders the families.
func (fs *families) join() {
	fs.order = fs.order[:0]
	for _, c := range fs.all {
		some := false
		for _, f := range c.of {
			f.join(fs.layout.needs)
			some = some || len(f.rows) > 0
		}
		if some {
			fs.order = append(fs.order, c)
			c.choose()
		}
	}
	slices.SortFunc(fs.order, func(a, b *copies) int { return cmp.Compare(a.key, b.key) })
}

// join makes rows of the samples that have the same time.
func (f *family) join(needs int) {
	f.rows = f.rows[:0]
	var next [columns]int
	for {
		t, ok := f.earliest(next)
		if !ok {
			break
		}
		there := 0
		r := row{t: t, v: [columns]float64{math.NaN(), math.NaN(), math.NaN(), math.NaN()}}
		for i := range columns {
			if !f.has[i] || next[i] >= len(f.cells[i].T) || f.cells[i].T[next[i]] != t {
				continue
			}
			if v := f.cells[i].V[next[i]]; counts(v) {
				r.v[i] = v
				if i < needs {
					there++
				}
			}
			next[i]++
		}
		if there == needs {
			f.rows = append(f.rows, r)
		}
	}
	f.cells, f.has = [columns]Series{}, [columns]bool{}
}

// earliest is the earliest time of the next samples.
func (f *family) earliest(next [columns]int) (t int64, ok bool) {
	for i := range columns {
		if f.has[i] && next[i] < len(f.cells[i].T) && (!ok || f.cells[i].T[next[i]] < t) {
			t, ok = f.cells[i].T[next[i]], true
		}
	}
	return t, ok
}

// choose decides for each hour of the clock in the block which of several replicas
// counts, so that no event counts twice: the one with most samples, and of equals the
// first by name.
func (c *copies) choose() {
	if len(c.of) < 2 {
		return
	}
	byName := make([]int, len(c.of))
	for i := range byName {
		byName[i] = i
	}
	slices.SortFunc(byName, func(i, j int) int { return cmp.Compare(c.names[i], c.names[j]) })
	if c.owner == nil {
		c.owner = map[int64]*family{}
	}
	most := map[int64]int{}
	for _, i := range byName {
		n := map[int64]int{}
		for _, r := range c.of[i].rows {
			n[floor(r.t, hour)]++
		}
		for h, n := range n {
			if n > most[h] {
				c.owner[h], most[h] = c.of[i], n
			}
		}
	}
}

// own passes on the part of a replica's increment that counts: all of it, if the
// replica counts in the hour of its later sample. A gap is divided among its hours,
// since another replica may have counted in some of them.
func (c *copies) own(f *family, inc increment, give func(increment)) {
	if !inc.gap {
		if owner := c.owner[floor(inc.to, hour)]; owner == nil || owner == f {
			give(inc)
		}
		return
	}
	whole := float64(inc.to - inc.from)
	for from := inc.from; from < inc.to; {
		to := min(floor(from, hour)+hour, inc.to)
		if owner := c.owner[floor(from, hour)]; owner == nil || owner == f {
			part := inc
			part.from, part.to = from, to
			for i := range part.d {
				part.d[i] *= float64(to-from) / whole
			}
			give(part)
		}
		from = to
	}
}
