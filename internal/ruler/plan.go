package ruler

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/internal/rulediff"
)

// Namespace has the groups that a namespace should contain.
type Namespace struct {
	Name   string
	Groups []Wanted // in order of dependency
}

// Wanted is a group that should exist.
type Wanted struct {
	rulediff.Group
	Text []byte // as YAML
}

// Ownership says what may be deleted: groups whose names begin with Groups, in
// namespaces whose names begin with Namespaces. Nothing else is ever deleted.
type Ownership struct {
	Namespaces, Groups string
	Prune              bool // also delete in namespaces of agreements that are not named
}

func (o Ownership) owns(namespace, group string) bool {
	return strings.HasPrefix(namespace, o.Namespaces) && strings.HasPrefix(group, o.Groups)
}

// Step is one request.
type Step struct {
	Namespace string `json:"namespace"`
	Group     string `json:"group"`
	Delete    bool   `json:"delete,omitempty"`
	text      []byte
}

func (s Step) String() string {
	if s.Delete {
		return "delete " + s.Namespace + "/" + s.Group
	}
	return "set " + s.Namespace + "/" + s.Group
}

// Plan has the steps that make a ruler contain what is wanted.
type Plan struct {
	Steps []Step
	rulediff.Difference
	Left []string // groups in our namespaces that stay as they are
}

// Make compares the wanted groups with those of a ruler.
func Make(want []Namespace, have map[string][]rulediff.Group, own Ownership) Plan {
	var p Plan
	var before, after []rulediff.Group
	named := map[string]bool{}
	for _, n := range want {
		named[n.Name] = true
		there := map[string]rulediff.Group{}
		for _, g := range have[n.Name] {
			there[g.Name] = g
		}
		for _, g := range n.Groups {
			old, had := there[g.Name]
			delete(there, g.Name)
			if had && rulediff.Same(old, g.Group) {
				continue
			}
			p.Steps = append(p.Steps, Step{Namespace: n.Name, Group: g.Name, text: g.Text})
			after = append(after, g.Group)
			if had {
				before = append(before, old)
			}
		}
		before = append(before, p.remove(n.Name, there, own)...)
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if named[name] || !strings.HasPrefix(name, own.Namespaces) {
			continue
		}
		there := map[string]rulediff.Group{}
		for _, g := range have[name] {
			there[g.Name] = g
		}
		if own.Prune {
			before = append(before, p.remove(name, there, own)...)
			continue
		}
		for _, group := range slices.Sorted(maps.Keys(there)) {
			p.Left = append(p.Left, name+"/"+group)
		}
	}
	// Set groups before others are deleted, so that rules that move are never missing.
	slices.SortStableFunc(p.Steps, func(a, b Step) int { return order(a) - order(b) })
	p.Difference = rulediff.Compare(before, after)
	return p
}

func order(s Step) int {
	if s.Delete {
		return 1
	}
	return 0
}

// remove plans to delete our groups in a namespace, and returns them.
func (p *Plan) remove(namespace string, there map[string]rulediff.Group, own Ownership) []rulediff.Group {
	var gone []rulediff.Group
	for _, name := range slices.Sorted(maps.Keys(there)) {
		if !own.owns(namespace, name) {
			p.Left = append(p.Left, namespace+"/"+name)
			continue
		}
		p.Steps = append(p.Steps, Step{Namespace: namespace, Group: name, Delete: true})
		gone = append(gone, there[name])
	}
	return gone
}

// Apply carries out the steps one after another, and stops at the first that fails.
func (p Plan) Apply(ctx context.Context, c *Client, done func(Step)) error {
	for i, s := range p.Steps {
		var err error
		if s.Delete {
			err = c.Delete(ctx, s.Namespace, s.Group)
		} else {
			err = c.Set(ctx, s.Namespace, s.text)
		}
		if err != nil {
			return fmt.Errorf("%s: %w; %d of %d requests are done, call it again to go on", s, err, i, len(p.Steps))
		}
		done(s)
	}
	return nil
}
