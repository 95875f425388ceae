package maintenance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// Place says where to add a window.
type Place struct {
	Agreement sla.Position // of its name
	Zone      string
	Exclusion string     // its name
	Effect    sla.Effect // of new maintenance, if the agreement has none yet
}

// Edited is a text with one more window.
type Edited struct {
	Text []byte
	Line int // of the window
	// Changed is set if the line existed before: a list on one line got longer.
	// Otherwise only lines were added.
	Changed bool
}

// Add adds a window to a specification as text. Errors name the file and the line.
func Add(text []byte, at Place, w Window) (Edited, error) {
	e := editor{at: at, lines: bytes.SplitAfter(text, []byte("\n")), window: w.Text(at.Zone)}
	root, err := document(text, at.Agreement)
	if err != nil {
		return Edited{}, err
	}
	spec := child(root, "spec")
	if spec == nil || spec.Kind != yaml.MappingNode {
		return Edited{}, e.cannot(root, "it has no spec in this file", "add the window by hand")
	}
	exclusion := child(spec, at.Exclusion)
	if at.Exclusion != sla.MaintenanceName {
		exclusion = named(child(spec, "exclusions"), at.Exclusion)
	}
	if exclusion == nil {
		return e.section(spec)
	}
	windows := child(exclusion, "windows")
	switch {
	case windows == nil:
		return Edited{}, e.cannot(exclusion, at.Exclusion+" has no windows in this file", "add them by hand")
	case windows.Kind == yaml.AliasNode:
		return Edited{}, e.cannot(windows, "its windows are an alias of a list that stands elsewhere", "add the window there by hand, or write the list out")
	case windows.Kind != yaml.SequenceNode:
		return Edited{}, e.cannot(windows, "its windows are no list", "write a list of windows")
	case windows.Style&yaml.FlowStyle != 0:
		return e.inBrackets(windows)
	}
	return e.inBlock(windows)
}

// document returns the document of a text in which an agreement's name is at a place.
func document(text []byte, at sla.Position) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc yaml.Node
		err := decoder.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: the agreement is not found there any more: the file has changed meanwhile; try again", at)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at.File, err)
		}
		if len(doc.Content) == 0 {
			continue
		}
		if name := child(child(doc.Content[0], "metadata"), "name"); name != nil && name.Line == at.Line {
			return doc.Content[0], nil
		}
	}
}

// child is the value of a key, nil if there is none.
func child(of *yaml.Node, key string) *yaml.Node {
	if of == nil || of.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(of.Content); i += 2 {
		if of.Content[i].Value == key {
			return of.Content[i+1]
		}
	}
	return nil
}

// named is the item of a list with a name, nil if there is none.
func named(list *yaml.Node, name string) *yaml.Node {
	if list == nil || list.Kind != yaml.SequenceNode {
		return nil
	}
	for _, item := range list.Content {
		if n := child(item, "name"); n != nil && n.Value == name {
			return item
		}
	}
	return nil
}

// editor adds lines to a text.
type editor struct {
	at     Place
	lines  [][]byte // with their ends
	window string
}

func (e editor) cannot(node *yaml.Node, why, remedy string) error {
	return fmt.Errorf("%s:%d:%d: the window cannot be added: %s; %s: %s", e.at.Agreement.File, node.Line, node.Column, why, remedy, e.window)
}

// line is a line without its end; they count from 1.
func (e editor) line(n int) string {
	if n < 1 || n > len(e.lines) {
		return ""
	}
	return strings.TrimRight(string(e.lines[n-1]), "\r\n")
}

// end is the line ending of the text.
func (e editor) end() string {
	if bytes.HasSuffix(e.lines[0], []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// insert adds lines after the nth; at says which of them has the window.
func (e editor) insert(after int, at int, more ...string) Edited {
	lines := slices.Clone(e.lines)
	if last := lines[after-1]; !bytes.HasSuffix(last, []byte("\n")) {
		lines[after-1] = append(slices.Clone(last), e.end()...)
	}
	var added [][]byte
	for _, line := range more {
		added = append(added, []byte(line+e.end()))
	}
	return Edited{Text: bytes.Join(slices.Insert(lines, after, added...), nil), Line: after + at}
}

// section adds the agreement's maintenance, before its levels.
func (e editor) section(spec *yaml.Node) (Edited, error) {
	if spec.Style&yaml.FlowStyle != 0 || len(spec.Content) == 0 {
		return Edited{}, e.cannot(spec, "its spec is in braces", "write spec with a key a line, or add the window by hand")
	}
	if e.at.Exclusion != sla.MaintenanceName {
		return Edited{}, e.cannot(spec, "it has no exclusion "+e.at.Exclusion+" in this file", "add the window where it is")
	}
	key := spec.Content[0]
	for i := 0; i < len(spec.Content); i += 2 {
		if spec.Content[i].Value == "serviceLevels" {
			key = spec.Content[i]
		}
	}
	before := key.Line
	indent := strings.Repeat(" ", key.Column-1)
	for strings.HasPrefix(strings.TrimSpace(e.line(before-1)), "#") { // comments about the following key
		before--
	}
	return e.insert(before-1, 4, indent+"maintenance:", indent+"  effect: "+string(e.at.Effect), indent+"  windows:", indent+"    - "+e.window), nil
}

// inBlock adds an item to a list whose items have their own lines.
func (e editor) inBlock(list *yaml.Node) (Edited, error) {
	last := list.Content[len(list.Content)-1]
	text := e.line(last.Line)
	dash := len(text) - len(strings.TrimLeft(text, " "))
	if !strings.HasPrefix(text[dash:], "-") {
		return Edited{}, e.cannot(last, "its windows are not one a line", "add it by hand")
	}
	end := last.Line
	for n := last.Line + 1; n <= len(e.lines); n++ {
		line := e.line(n)
		rest := strings.TrimLeft(line, " ")
		if rest == "" || strings.HasPrefix(rest, "#") {
			continue // the following items decide
		}
		if len(line)-len(rest) <= dash {
			break
		}
		end = n
	}
	return e.insert(end, 1, strings.Repeat(" ", dash)+"- "+e.window), nil
}

// inBrackets adds an item to a list in brackets.
func (e editor) inBrackets(list *yaml.Node) (Edited, error) {
	closing, column, comma := e.closing(list)
	if closing == 0 {
		return Edited{}, e.cannot(list, "the end of its list of windows is not found", "add it by hand")
	}
	separator := ", "
	if len(list.Content) == 0 || comma {
		separator = ""
	}
	line := string(e.lines[closing-1])
	if closing != list.Line && strings.TrimSpace(line[:column]) == "" {
		indent := line[:column]
		if last := list.Content; len(last) > 0 {
			text := e.line(last[len(last)-1].Line)
			indent = text[:len(text)-len(strings.TrimLeft(text, " "))]
		}
		return e.insert(closing-1, 1, indent+separator+e.window), nil
	}
	lines := slices.Clone(e.lines)
	lines[closing-1] = []byte(line[:column] + separator + e.window + line[column:])
	return Edited{Text: bytes.Join(lines, nil), Line: closing, Changed: true}, nil
}

// closing returns the line, and the byte in it, of the bracket that ends a list, and
// whether a comma precedes it. The line is 0 if it is not found.
func (e editor) closing(list *yaml.Node) (line, column int, comma bool) {
	depth, quote := 0, byte(0)
	for n := list.Line; n <= len(e.lines); n++ {
		text := e.line(n)
		from := 0
		if n == list.Line {
			from = byteColumn(text, list.Column)
		}
		for i := from; i < len(text); i++ {
			c := text[i]
			switch {
			case quote == '"' && c == '\\':
				i++
				continue
			case quote != 0:
				if c == quote {
					quote = 0
				}
				continue
			case c == '#' && (i == 0 || text[i-1] == ' ' || text[i-1] == '\t'):
				i = len(text)
				continue
			case c == '"' || c == '\'':
				quote = c
			case c == '[' || c == '{':
				depth++
			case c == ']' || c == '}':
				if depth--; depth == 0 {
					return n, i, comma
				}
			}
			if c != ' ' && c != '\t' {
				comma = c == ','
			}
		}
	}
	return 0, 0, false
}

// byteColumn is the byte at which the nth character of a line begins; n counts from 1.
func byteColumn(text string, n int) int {
	for i := range text {
		if n--; n == 0 {
			return i
		}
	}
	return len(text)
}
