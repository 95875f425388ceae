package emit

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// routesBlock is the kind of the block with the route of agreements.
const routesBlock = "routes"

// mergedBlock is a run of lines that is put into a file.
type mergedBlock struct {
	kind   string
	before int      // the line before which it is put
	indent string   // of its markers
	body   []string // its lines, without their ends
	under  []string // the keys that lead to the list that it adds to
	key    bool     // it brings the list's key too
	items  int      // how many items it adds to the list
	index  int      // the item of the list before which they stand; ignored with key

	replaces string     // the line of the file that it replaces, with its end: a key whose list is empty; or ""
	was      *yaml.Node // the value of that key
}

// inPlaceOf begins the comment that keeps the line which a block replaces, so
// that the line comes back when the block is taken out.
const inPlaceOf = "# in place of: "

// replacedLine is the line of the file that a block keeps.
func replacedLine(body []string) (string, bool) {
	if len(body) == 0 {
		return "", false
	}
	return strings.CutPrefix(strings.TrimLeft(body[0], " "), inPlaceOf)
}

func (b mergedBlock) text(eol string) string {
	var out strings.Builder
	body := b.body
	if b.replaces != "" {
		body = append([]string{inPlaceOf + b.replaces}, body...)
	}
	fmt.Fprintf(&out, "%s# BEGIN upheld %s (generated; do not edit; %s)%s", b.indent, b.kind, seal(body), eol)
	if b.replaces != "" {
		out.WriteString(b.indent + inPlaceOf + b.replaces)
		if !ended(b.replaces) {
			out.WriteString(eol)
		}
	}
	for _, line := range b.body {
		out.WriteString(line + eol)
	}
	fmt.Fprintf(&out, "%s# END upheld %s%s", b.indent, b.kind, eol)
	return out.String()
}

// remove takes the block's items out of a parsed file again, and tells whether
// they were where they belong.
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
	if b.replaces != "" {
		count := len(list.Content)
		*list = *b.was
		return count == b.items
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
		*list = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Anchor: list.Anchor}
	}
	return true
}

// blocks are those that agreements need in the file, in no order.
func (m *merger) blocks(n notifying) []mergedBlock {
	blocks := []mergedBlock{m.routeBlock(n.route)}
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

// topBlock adds to a list at the top level of the file: below its key, or at the
// end of the file if it has none.
func (m *merger) topBlock(kind, key string, items []string, count int) mergedBlock {
	b := mergedBlock{kind: kind, under: []string{key}, items: count}
	indent := strings.Repeat(" ", m.root.Content[0].Column-1)
	if k, list := find(m.root, key); k != nil {
		m.intoList(&b, k, list, items)
		return b
	}
	b.key, b.before, b.indent = true, m.endOfDocument(), indent
	b.body = append([]string{indent + key + ":"}, indented(indent+"  ", items)...)
	return b
}

// intoList puts items at the beginning of a list, or in place of an empty one.
func (m *merger) intoList(b *mergedBlock, key, list *yaml.Node, items []string) {
	if m.isEmptyInLine(key, list) {
		b.indent = strings.Repeat(" ", key.Column-1)
		b.before, b.replaces, b.was = key.Line, m.lines[key.Line-1], list
		b.body = append([]string{b.indent + key.Value + ":"}, indented(b.indent+"  ", items)...)
		return
	}
	b.before, b.indent = key.Line+1, m.listIndent(key, list)
	if list.Line > key.Line && (list.Anchor != "" || list.Style&yaml.TaggedStyle != 0) {
		b.before = m.startOf(0, list) // below the anchor or tag
	}
	b.body = indented(b.indent, items)
}

// endOfDocument is the line before which something goes to the document's end.
func (m *merger) endOfDocument() int {
	end := slices.IndexFunc(m.lines, func(line string) bool {
		rest, ok := strings.CutPrefix(line, "...")
		return ok && blank(rest)
	})
	if end < 0 {
		return len(m.lines) + 1
	}
	return end + 1
}

// routeBlock adds the route of agreements: where it was before, or else after
// the file's first routes that continue, and before all others, which could keep
// alerts of agreements from it.
func (m *merger) routeBlock(r alertmanagerRoute) mergedBlock {
	items := asItems([]alertmanagerRoute{r})
	b := mergedBlock{kind: routesBlock, under: []string{"route", "routes"}, items: 1}
	top, route := find(m.root, "route")
	k, list := find(route, "routes")
	if k == nil {
		b.key, b.before, b.indent = true, top.Line+1, strings.Repeat(" ", route.Content[0].Column-1)
		if route.Anchor != "" || route.Style&yaml.TaggedStyle != 0 {
			b.before = route.Content[0].Line // below the anchor or tag
		}
		b.body = append([]string{b.indent + "routes:"}, indented(b.indent+"  ", items)...)
		return b
	}
	m.intoList(&b, k, list, items)
	if b.replaces != "" {
		return b
	}
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

// between reports whether a line is between two items of a list, so that the block
// can go before it, and sets the item in b.
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

// startOf is the line of an item of the routes; after the last item, the line
// of what follows the list.
func (m *merger) startOf(i int, list *yaml.Node) int {
	if i < len(list.Content) {
		return m.dashOf(list.Content[i])
	}
	next := m.endOfDocument()
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

// aboveComments is the line above the comments that belong to a line. Comments
// with a deeper indent may be part of a text above, and stay there.
func (m *merger) aboveComments(line int, indent string) int {
	for line > 1 && isComment(m.lines[line-2]) && len(m.lines[line-2])-len(strings.TrimLeft(m.lines[line-2], " ")) <= len(indent) {
		line--
	}
	return line
}

func blank(line string) bool     { return strings.TrimSpace(line) == "" }
func isComment(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "#") }

// goesOn reports whether alerts of a route also reach the routes after it.
func goesOn(route *yaml.Node) bool {
	var r struct {
		Continue bool `yaml:"continue"`
	}
	return route.Decode(&r) == nil && r.Continue
}

// dashLine is a line with the dash of a list's item; the rest of the item may
// be below it.
var dashLine = regexp.MustCompile(`^( *)-([ \t\r\n]|$)`)

// dashOf is the line of an item's dash.
func (m *merger) dashOf(item *yaml.Node) int {
	line := item.Line
	for line > 1 && !dashLine.MatchString(m.lines[line-1]) && (line == item.Line || blank(m.lines[line-1]) || isComment(m.lines[line-1])) {
		line--
	}
	return line
}

// listIndent is the indent of a list's dashes.
func (m *merger) listIndent(key, list *yaml.Node) string {
	if list.Kind == yaml.SequenceNode && len(list.Content) > 0 {
		if dash := dashLine.FindStringSubmatch(m.lines[m.dashOf(list.Content[0])-1]); dash != nil {
			return dash[1]
		}
	}
	return strings.Repeat(" ", key.Column+1)
}

// asItems is a list as lines of YAML.
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
