package emit

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// mergedBlock is a run of lines that is put into a file.
type mergedBlock struct {
	kind   string
	before int      // the line before which it is put
	indent string   // of its markers
	body   []string // its lines, without their ends
	under  []string // the keys on the way to the list that it adds to
	key    bool     // it brings the list's key too
	items  int      // of the list that it adds
	index  int      // of the list before which they stand; ignored with key
}

func (b mergedBlock) text(eol string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s# BEGIN upheld %s (generated; do not edit; %s)%s", b.indent, b.kind, seal(b.body), eol)
	for _, line := range b.body {
		out.WriteString(line + eol)
	}
	fmt.Fprintf(&out, "%s# END upheld %s%s", b.indent, b.kind, eol)
	return out.String()
}

// remove takes the block's items out of a parsed file again, and tells whether
// they stood where they belong.
func (b mergedBlock) remove(root *yaml.Node) bool {
	in := root
	for _, key := range b.under[:len(b.under)-1] {
		if _, in = find(in, key); in == nil {
			return false
		}
	}
	name := b.under[len(b.under)-1]
	_, list := find(in, name)
	if list == nil || list.Kind != yaml.SequenceNode {
		return false
	}
	if b.key {
		i := slices.IndexFunc(in.Content, func(n *yaml.Node) bool { return n == list })
		in.Content = slices.Delete(in.Content, i-1, i+1)
		return len(list.Content) == b.items
	}
	if len(list.Content) < b.index+b.items {
		return false
	}
	list.Content = slices.Delete(list.Content, b.index, b.index+b.items)
	if len(list.Content) == 0 { // there was no list, only its key
		*list = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	}
	return true
}

// blocks are what is put into the file for agreements, in no order.
func (m *merger) blocks(n notifying) []mergedBlock {
	blocks := []mergedBlock{m.routeBlock(n.route)}
	if len(n.inhibit) > 0 {
		blocks = append(blocks, m.topBlock("inhibit rules", "inhibit_rules", asItems(n.inhibit), len(n.inhibit)))
	}
	if len(n.times) > 0 {
		blocks = append(blocks, m.topBlock("time intervals", "time_intervals", asItems(n.times), len(n.times)))
	}
	if own := m.undefined(n.receivers); len(own) > 0 {
		var out bytes.Buffer
		out.WriteString("# Not here: copy one out of this block, fill the copy in, and generate again.\n")
		for _, r := range own {
			if err := r.write(&out, ""); err != nil {
				panic(err) // names are text, which YAML can write
			}
		}
		blocks = append(blocks, m.topBlock("receivers", "receivers", textLines(out.String()), len(own)))
	}
	return blocks
}

// topBlock adds to a list of the file's top, below its key, or at the end of the
// file if it has none.
func (m *merger) topBlock(kind, key string, items []string, count int) mergedBlock {
	b := mergedBlock{kind: kind, under: []string{key}, items: count}
	indent := strings.Repeat(" ", m.root.Column-1)
	k, list := find(m.root, key)
	if k == nil {
		b.key, b.before, b.indent = true, len(m.lines)+1, indent
		b.body = append([]string{indent + key + ":"}, indented(indent+"  ", items)...)
		return b
	}
	b.before, b.indent = k.Line+1, listIndent(k, list)
	b.body = indented(b.indent, items)
	return b
}

// routeBlock adds the route of agreements: where it stood, or else after the
// file's first routes that go on to the next, and before all others, which could
// keep alerts of agreements from it.
func (m *merger) routeBlock(r alertmanagerRoute) mergedBlock {
	items := asItems([]alertmanagerRoute{r})
	b := mergedBlock{kind: "routes", under: []string{"route", "routes"}, items: 1}
	top, route := find(m.root, "route")
	k, list := find(route, "routes")
	if k == nil {
		b.key, b.before, b.indent = true, top.Line+1, strings.Repeat(" ", route.Content[0].Column-1)
		b.body = append([]string{b.indent + "routes:"}, indented(b.indent+"  ", items)...)
		return b
	}
	b.indent = listIndent(k, list)
	b.body = indented(b.indent, items)
	b.before = k.Line + 1
	if stood, ok := m.stood[b.kind]; ok && m.between(stood, list, &b) {
		return b
	}
	for b.index < len(list.Content) && goesOn(list.Content[b.index]) {
		b.index++
	}
	if b.index > 0 {
		b.before = m.aboveComments(m.startOf(b.index, list), b.indent)
	}
	return b
}

// between tells whether a line is between two items of a list, so that the block
// can stand before it, and notes at which item.
func (m *merger) between(line int, list *yaml.Node, b *mergedBlock) bool {
	for i := 0; i <= len(list.Content); i++ {
		start := m.startOf(i, list)
		first := start
		for first > 1 && (blank(m.lines[first-2]) || isComment(m.lines[first-2])) {
			first--
		}
		if line >= first && line <= start {
			b.index, b.before = i, line
			return true
		}
	}
	return false
}

// startOf is the line of an item of the routes, or, after the last one, of what
// follows the list.
func (m *merger) startOf(i int, list *yaml.Node) int {
	if i < len(list.Content) {
		return list.Content[i].Line
	}
	next := len(m.lines) + 1
	_, route := find(m.root, "route")
	for _, in := range []*yaml.Node{m.root, route} {
		for k := 0; k+1 < len(in.Content); k += 2 {
			if line := in.Content[k].Line; line > list.Line && line < next {
				next = line
			}
		}
	}
	return next
}

// aboveComments is the line above the comments that belong to a line. Deeper
// ones may be a part of a text above, and stay there.
func (m *merger) aboveComments(line int, indent string) int {
	for line > 1 && isComment(m.lines[line-2]) && len(m.lines[line-2])-len(strings.TrimLeft(m.lines[line-2], " ")) <= len(indent) {
		line--
	}
	return line
}

func blank(line string) bool     { return strings.TrimSpace(line) == "" }
func isComment(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "#") }

// goesOn tells whether alerts of a route also come to those after it.
func goesOn(route *yaml.Node) bool {
	var r struct {
		Continue bool `yaml:"continue"`
	}
	return route.Decode(&r) == nil && r.Continue
}

// listIndent is that of a list's dashes.
func listIndent(key, list *yaml.Node) string {
	if list.Kind != yaml.SequenceNode || len(list.Content) == 0 {
		return strings.Repeat(" ", key.Column+1)
	}
	return strings.Repeat(" ", list.Column-1)
}

// asItems is a list as YAML, a line each.
func asItems(list any) []string {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(list); err != nil {
		panic(err) // these are structures of texts
	}
	return textLines(out.String())
}

func textLines(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

func indented(indent string, lines []string) []string {
	all := make([]string, len(lines))
	for i, line := range lines {
		all[i] = strings.TrimRight(indent+line, " ")
	}
	return all
}
