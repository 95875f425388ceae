package emit

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/rulegen"
)

// RuleOptions are what the environment decides about a rule file. The zero
// value is Prometheus' format, with a group for each layer of each level.
type RuleOptions struct {
	Format string // a name of RuleFormats; "" is the first
	// Program is what made the file, with its version; "" leaves it out.
	Program string
	// Bundle is the name of a file of several agreements; "" is a file of one.
	Bundle string
	// GroupPrefix begins the names of groups instead of "upheld".
	GroupPrefix string
	// GroupSize is how many rules a group may have. Levels then share groups as
	// far as they fit, and a level that does not fit is an error. 0 gives every
	// level groups of its own.
	GroupSize int
	// PartSize is how many rules servers of the format take in a group. Larger groups
	// are split, in order. 0 splits none.
	PartSize int
	// PartialResponse is, for Thanos Ruler, what happens if a store does not answer:
	// "abort" or "warn"; "" is abort.
	PartialResponse string
	// QueryOffset evaluates rules that long in the past (Prometheus 2.53 and later).
	QueryOffset time.Duration
	// Limit is how many series a rule may make before it fails; 0 is no limit.
	Limit int
	// Templates are those already known to be good, which files may share; nil for
	// none.
	Templates *Templates
	// Operator is for the formats that are objects of Kubernetes.
	Operator OperatorObject
}

// packing collects the rules of levels in groups that they share, one for each
// interval. Rules of a level stay together and in order.
//
// Where a group begins, and its name, depend on the name of its first level. So a
// level that is added or removed changes its own group, and not all groups after
// it. Servers identify a group by its name, and in a group of another name alerts
// begin to wait again.
type packing struct{ open []sharedGroup }

// sharedGroup is a group made of the rules of several groups.
type sharedGroup struct {
	name     string
	interval time.Duration
	rules    int
	parts    []rulegen.Group
}

// add writes a group, or packs it with others.
func (r *RuleWriter) add(g rulegen.Group) error {
	most, rules := r.opts.GroupSize, len(g.Rules)
	if most == 0 {
		return r.group(g.Name, g.Interval, g)
	}
	if rules > most {
		return fmt.Errorf("%d rules of the group %s read one another and cannot be parted, and a group is to have at most %d", rules, g.Name, most)
	}
	p := &r.packed
	i := slices.IndexFunc(p.open, func(o sharedGroup) bool { return o.interval == g.Interval })
	if i >= 0 && (p.open[i].rules+rules > most || begins(g, most)) {
		if err := r.shared(p.open[i]); err != nil {
			return err
		}
		p.open = slices.Delete(p.open, i, i+1)
		i = -1
	}
	if i < 0 {
		// No level has a service of this name.
		of := rulegen.GroupPrefix + r.of + ":"
		p.open, i = append(p.open, sharedGroup{name: of + "#" + strings.TrimPrefix(g.Name, of), interval: g.Interval}), len(p.open)
	}
	o := &p.open[i]
	o.parts, o.rules = append(o.parts, g), o.rules+rules
	return nil
}

// begins reports whether a level's group begins a shared one. Which ones do is
// random, by their names; on average half of the size is filled between two of
// them.
func begins(g rulegen.Group, most int) bool {
	sum := sha256.Sum256([]byte(g.Name))
	share := min(2*float64(len(g.Rules))/float64(most), 0.5)
	return float64(binary.BigEndian.Uint32(sum[:])) < share*(1<<32)
}

func (r *RuleWriter) shared(o sharedGroup) error { return r.group(o.name, o.interval, o.parts...) }

// unpack writes the groups that are still open.
func (r *RuleWriter) unpack() error {
	for _, o := range r.packed.open {
		if err := r.shared(o); err != nil {
			return fmt.Errorf("rules of %s: %w", r.of, err)
		}
	}
	r.packed = packing{}
	return nil
}
