package spec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// maxAncestors is how many agreements a chain of inheritance may have: ITIL knows
// three levels.
const maxAncestors = 4

// ownKeys are what an agreement says for itself: nobody inherits it.
var ownKeys = []string{"inherits", "structure", "serviceLevels", "declared", "scope", "costOptions", "statusPage"}

// byNames are the mappings of names to things that are merged, since inherited terms
// may use the names.
var byNames = []string{"calendars", "holidaySets", "contacts"}

// pending is a document whose decoding waits until all files were read, since it may take
// terms from another one.
type pending struct {
	root   value
	digest string
	format string // of the document that it was converted from, "" for our own
	name   string // of its agreement
	number int    // of its revision, 0 without one
	spec   *yaml.Node
	// parent is what spec.inherits names, at its place.
	parent *yaml.Node
	needed bool // another document inherits from it
}

// isNative returns whether a document may inherit, or be inherited from.
func (p *pending) isNative() bool { return p.spec != nil && p.name != "" }

// edition is "corporate@2", or without a revision "corporate".
func (p *pending) edition() string {
	if p.number == 0 {
		return p.name
	}
	return p.name + "@" + strconv.Itoa(p.number)
}

func newPending(root value, digest string) *pending {
	p := &pending{root: root, digest: digest}
	if meta := entryOf(root.node, "metadata"); meta != nil {
		if name := entryOf(meta, "name"); name != nil && name.Kind == yaml.ScalarNode {
			p.name = name.Value
		}
		if n := entryOf(meta, "revision"); n != nil {
			p.number, _ = strconv.Atoi(n.Value)
		}
	}
	if version := entryOf(root.node, "apiVersion"); version != nil && version.Value == apiVersion {
		if s := entryOf(root.node, "spec"); s != nil && s.Kind == yaml.MappingNode {
			p.spec = s
			if parent := entryOf(s, "inherits"); parent != nil && parent.Kind == yaml.ScalarNode {
				p.parent = parent
			}
		}
	}
	return p
}

// entryOf is the value of a key of a mapping, nil if there is none.
func entryOf(node *yaml.Node, key string) *yaml.Node {
	if i := keyIndex(node, key); i >= 0 {
		return node.Content[i+1]
	}
	return nil
}

func keyIndex(node *yaml.Node, key string) int {
	if node == nil || node.Kind != yaml.MappingNode {
		return -1
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// inherit adds to every document what its ancestors say and it does not, and returns
// what each took.
func (l *loader) inherit() map[*pending][]sla.Inherited {
	taken := map[*pending][]sla.Inherited{}
	lines := map[*pending][]*pending{}
	for _, p := range l.pending {
		if p.parent != nil && p.isNative() {
			lines[p] = l.ancestors(p)
		}
	}
	// What a document says itself is looked at before anything is added to it.
	said := map[*pending][]*yaml.Node{}
	for _, p := range l.pending {
		if p.spec != nil {
			said[p] = slices.Clone(p.spec.Content)
		}
	}
	for _, p := range l.pending {
		for _, from := range lines[p] {
			taken[p] = append(taken[p], p.take(from, said[from])...)
		}
	}
	return taken
}

// ancestors are the documents that one inherits from, the nearest first; none after an
// error, which is reported at its place.
func (l *loader) ancestors(p *pending) []*pending {
	var line []*pending
	for at := p; at.parent != nil; {
		next := l.parentOf(at, at != p)
		switch {
		case next == nil:
			return nil
		case next == p:
			if p == l.firstOf(append(line, p)) { // once is enough
				p.wrong("inherits-itself", fmt.Sprintf("the agreement inherits from itself: %s", editions(p, append(line, next))), "take inherits out of one of them")
			}
			return nil
		case slices.Contains(line, next):
			return nil // a circle of others, who report it
		case len(line) == maxAncestors:
			p.wrong("inherits-too-far", fmt.Sprintf("the agreement inherits through more than %d others", maxAncestors), "put the terms of some of them together")
			return nil
		}
		for _, of := range l.pending { // its other revisions may lack levels too, and nobody may inherit from them any more
			of.needed = of.needed || of.name == next.name
		}
		line, at = append(line, next), next
	}
	return line
}

// firstOf is the one of several documents that was read first.
func (l *loader) firstOf(some []*pending) *pending {
	i := slices.IndexFunc(l.pending, func(p *pending) bool { return slices.Contains(some, p) })
	return l.pending[i]
}

// editions are a document and the ones that it inherits from, in words.
func editions(p *pending, line []*pending) string {
	words := []string{p.edition()}
	for _, from := range line {
		words = append(words, from.edition())
	}
	return strings.Join(words, " from ")
}

func (p *pending) wrong(rule, message, remedy string) {
	p.root.d.errorAt(p.parent, rule, message, remedy)
}

// parentOf finds what a document inherits from. It reports why there is nothing,
// unless silent: then another document reports it.
func (l *loader) parentOf(p *pending, silent bool) *pending {
	wanted := p.parent.Value
	name, revision, numbered := strings.Cut(wanted, "@")
	var found []*pending
	var names, loaded []string
	var same []*pending // with the name, whatever their revision
	for _, of := range l.pending {
		if !of.isNative() {
			continue
		}
		names = append(names, of.name)
		if of.name == name {
			loaded, same = append(loaded, of.edition()), append(same, of)
			if !numbered || strconv.Itoa(of.number) == revision {
				found = append(found, of)
			}
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	if silent {
		return nil
	}
	need := func(some []*pending) { // so that nothing more is reported about levels that they lack
		for _, of := range some {
			of.needed = true
		}
	}
	switch near := Nearest(name, names); {
	case len(found) > 1:
		need(found)
		p.wrong("ambiguous-parent", fmt.Sprintf("several revisions of %s are loaded: %s", quote(name), list(loaded)), "name one of them, so that its successor changes nothing here: inherits: "+loaded[0])
	case len(loaded) > 0:
		need(same)
		p.wrong("no-such-parent", fmt.Sprintf("revision %s of %s is not loaded, only %s", quote(revision), quote(name), list(loaded)), "name its file too, or one of these")
	case near != "":
		need(slices.DeleteFunc(slices.Clone(l.pending), func(of *pending) bool { return of.name != near || of == p }))
		p.wrong("no-such-parent", fmt.Sprintf("no agreement %s is loaded", quote(name)), "did you mean "+quote(near)+"? Otherwise name its file too: upheld check FILE PARENT")
	default:
		p.wrong("no-such-parent", fmt.Sprintf("no agreement %s is loaded", quote(name)), "name its file too: upheld check FILE PARENT")
	}
	return nil
}

// take adds what another document said and this one does not.
func (p *pending) take(from *pending, said []*yaml.Node) []sla.Inherited {
	var all []sla.Inherited
	for i := 0; i+1 < len(said); i += 2 {
		key, node := said[i], said[i+1]
		if slices.Contains(ownKeys, key.Value) || specSection.field(key.Value) == nil {
			continue
		}
		note := sla.Inherited{Key: key.Value, From: from.edition(), Pos: from.root.d.pos(key)}
		has := keyIndex(p.spec, key.Value)
		switch {
		case has < 0:
			p.spec.Content = append(p.spec.Content, key, node)
			p.root.d.borrowFrom(from, key, node)
		case slices.Contains(byNames, key.Value):
			if note.Names = p.takeNames(from, key.Value, has, node); len(note.Names) == 0 {
				continue
			}
		default:
			continue
		}
		all = append(all, note)
	}
	return all
}

// takeNames adds names to a mapping that this document has, too. It reports names
// with two meanings.
func (p *pending) takeNames(from *pending, key string, has int, node *yaml.Node) []string {
	own := p.spec.Content[has+1]
	if own.Kind != yaml.MappingNode || node.Kind != yaml.MappingNode {
		return nil // which is an error of its own
	}
	whole := *own
	whole.Content = slices.Clone(own.Content)
	p.root.d.borrow(p.root.d.sourceOf(own), &whole)
	var names []string
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i]
		if at := keyIndex(own, name.Value); at >= 0 {
			if !sameNode(own.Content[at+1], node.Content[i+1]) {
				p.root.d.errorAt(own.Content[at], "conflicting-parent", fmt.Sprintf("%s in %s is another one in %s, which the agreement inherits from, at %s", quote(name.Value), key, quote(from.edition()), from.root.d.pos(name)),
					"give it another name, or leave it out to use that of the parent")
			}
			continue
		}
		whole.Content = append(whole.Content, name, node.Content[i+1])
		p.root.d.borrowFrom(from, name, node.Content[i+1])
		names = append(names, name.Value)
	}
	p.spec.Content[has+1] = &whole
	return names
}

// borrowFrom notes that nodes are of another document, which may have them from a third.
func (d *decoder) borrowFrom(p *pending, nodes ...*yaml.Node) {
	for _, node := range nodes {
		d.borrow(p.root.d.sourceOf(node), node)
	}
}

// sameNode returns whether two nodes say the same.
func sameNode(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Value == b.Value && slices.EqualFunc(a.Content, b.Content, sameNode)
}
