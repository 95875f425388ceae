package spec

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

const (
	yamlScalar   = yaml.ScalarNode
	yamlMapping  = yaml.MappingNode
	yamlSequence = yaml.SequenceNode
)

// query is PromQL text with its place. The text is not parsed.
func (v value) query() (sla.Query, bool) {
	text, ok := v.text()
	if !ok {
		return sla.Query{}, false
	}
	text = strings.TrimRight(text, " \t\r\n")
	if from, converted := v.d.origins[v.node]; converted {
		return v.convertedQuery(text, from)
	}
	pos := v.pos()
	switch {
	case v.node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		pos = v.blockStart(text)
	case v.node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		pos = v.flowStart(pos, `'"`)
		pos.Column++
	default:
		pos = v.flowStart(pos, text[:1])
	}
	return sla.Query{Text: text, Pos: pos, Folded: !v.standsAt(pos, text)}, true
}

// flowStart moves pos past an anchor or a tag to the scalar itself. The YAML parser
// reports the anchor's place. first are the characters that the scalar can begin with.
func (v value) flowStart(pos sla.Position, first string) sla.Position {
	line := v.src().line(pos.Line)
	if pos.Column > len(line) {
		return pos
	}
	rest := line[pos.Column-1:]
	skip := 0
	for strings.HasPrefix(rest[skip:], "&") || strings.HasPrefix(rest[skip:], "!") {
		end := strings.IndexByte(rest[skip:], ' ')
		if end < 0 {
			return pos
		}
		skip += end
		skip += len(rest[skip:]) - len(strings.TrimLeft(rest[skip:], " "))
	}
	if i := strings.IndexAny(rest[skip:], first); i == 0 {
		pos.Column += skip
	}
	return pos
}

// blockStart is where the text of a block scalar begins: on the next line, after the
// indentation.
func (v value) blockStart(text string) sla.Position {
	pos := v.pos()
	pos.Line++
	for i, textLine := range strings.Split(text, "\n") {
		if textLine == "" {
			continue
		}
		line := v.src().line(pos.Line + i)
		if at := strings.Index(line, textLine); at >= 0 {
			pos.Column = at + 1
		} else {
			pos.Column = len(line) - len(strings.TrimLeft(line, " ")) + 1
		}
		break
	}
	return pos
}

// standsAt returns whether the file has the text at pos line by line, so that the place
// of each byte is known.
func (v value) standsAt(pos sla.Position, text string) bool {
	for i, textLine := range strings.Split(text, "\n") {
		line := v.src().line(pos.Line + i)
		if textLine == "" {
			continue
		}
		if pos.Column-1 > len(line) || !strings.HasPrefix(line[pos.Column-1:], textLine) {
			return false
		}
	}
	return true
}
