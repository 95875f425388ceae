package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// parseYAML returns the root nodes of all documents that are not empty, and the syntax
// error, if there is one. Documents before the error are returned too.
func parseYAML(src *source, text []byte) (roots []*yaml.Node, syntax *sla.Finding) {
	feed := &lineReader{text: text}
	decoder := yaml.NewDecoder(feed)
	for {
		var doc yaml.Node
		err := decodeNode(decoder, &doc)
		if errors.Is(err, io.EOF) {
			return roots, nil
		}
		if err != nil {
			return roots, syntaxFinding(src, err, feed.given)
		}
		if len(doc.Content) == 1 && !isEmpty(doc.Content[0]) {
			roots = append(roots, doc.Content[0])
		}
	}
}

// decodeNode is Decode, with a panic of the library as an error. The library is archived
// and has known panics.
func decodeNode(decoder *yaml.Decoder, doc *yaml.Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: the parser cannot cope with this: %v", p)
		}
	}()
	return decoder.Decode(doc)
}

// isEmpty returns whether a document has only comments. The parser returns a null for
// it.
func isEmpty(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Tag == "!!null" && node.Value == ""
}

// lineReader returns one line at a time, so that it is known how far the parser had read
// when it failed. For some errors the parser gives the line of the enclosing block, and
// for others it is off by one.
type lineReader struct {
	text  []byte
	given int // lines that were read
}

func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.text) == 0 {
		return 0, io.EOF
	}
	end := bytes.IndexByte(r.text, '\n') + 1
	if end == 0 {
		end = len(r.text)
	}
	n := copy(p, r.text[:end])
	if n == end {
		r.given++
	}
	r.text = r.text[n:]
	return n, nil
}

var yamlErrorText = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntaxFinding converts an error of the YAML library to a finding. read is how many
// lines the library had read.
func syntaxFinding(src *source, err error, read int) *sla.Finding {
	line, message := read, err.Error()
	if m := yamlErrorText.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil && strings.HasPrefix(message, "found unexpected end") {
			line = n // the text ends too early, but the cause is where the construct begins
		}
	}
	line = min(max(line, 1), len(src.lines))
	for line > 1 && strings.TrimSpace(src.line(line)) == "" {
		line--
	}
	text := src.line(line)
	column := len(text) - len(strings.TrimLeft(text, " \t")) + 1
	if tab := strings.IndexByte(text, '\t'); tab >= 0 && strings.TrimLeft(text[:tab], " ") == "" {
		column = tab + 1
	}
	if first := strings.Index(text, ": "); first >= 0 && strings.HasPrefix(message, "mapping values") {
		if second := strings.Index(text[first+2:], ": "); second >= 0 {
			column = first + 2 + second + 1 // the second colon
		}
	}
	if src.hidden { // the message may quote the content
		return &sla.Finding{
			Severity: sla.Error, Rule: "yaml-syntax", Pos: sla.Position{File: src.file},
			Message: "this is no YAML mapping, so it is no specification", Remedy: "name another file",
		}
	}
	return &sla.Finding{
		Severity: sla.Error,
		Rule:     "yaml-syntax",
		Pos:      sla.Position{File: src.file, Line: line, Column: column},
		Message:  "this is not YAML: " + message,
		Remedy:   syntaxRemedy(message, text),
		Snippet:  src.shown(line),
	}
}

// syntaxRemedies are the most common causes of errors of the YAML parser.
var syntaxRemedies = []struct{ part, remedy string }{
	{"cannot start any token", "indent with spaces, never tabs, and put text that starts with @, ` or % into quotes"},
	{"mapping values are not allowed", "check the indentation of this line and the one before, and put text with a colon in it into quotes"},
	{"did not find expected key", "check the indentation of this line: it must be that of its neighbours; a quote inside quoted text ends it"},
	{"did not find expected '-' indicator", "start the line with '- ' like the other items of the list, or indent it as part of one"},
	{"did not find expected ',' or", "close the { or [ that was opened here or before, or put text with , [ ] { } in it into quotes"},
	{"could not find expected ':'", "write a colon and a space after the key"},
	{"found unexpected end of stream", "close the quote that is opened here"},
	{"unknown anchor", "define the anchor with & before it is used with *"},
	{"found undefined tag handle", "put text that starts with ! into quotes"},
	{"control characters", "save the file as UTF-8 text"},
	{"UTF-8", "save the file as UTF-8 text"},
}

func syntaxRemedy(message, line string) string {
	if strings.HasPrefix(strings.TrimLeft(line, " "), "\t") {
		return "indent with spaces, never tabs"
	}
	for _, r := range syntaxRemedies {
		if strings.Contains(message, r.part) {
			return r.remedy
		}
	}
	return "nothing after this place was read"
}
