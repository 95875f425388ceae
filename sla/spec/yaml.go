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

// parseYAML is the roots of all documents of a file that hold anything, and
// the syntax error that ended the reading, if one did.
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

// decodeNode is Decode with a panic of the library, which is archived and has
// known ones, as an error.
func decodeNode(decoder *yaml.Decoder, doc *yaml.Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: the parser cannot cope with this: %v", p)
		}
	}()
	return decoder.Decode(doc)
}

// isEmpty tells a document of comments only, for which the parser makes a null
// that stands nowhere in the text.
func isEmpty(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Tag == "!!null" && node.Value == ""
}

// lineReader hands out one line at a time, so that when the parser fails it is
// known how far it had read: its own line numbers are those of the enclosing
// block for some errors, and off by one for others.
type lineReader struct {
	text  []byte
	given int // lines handed out
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

// syntaxFinding makes a finding of the YAML library's error text; read is the
// number of lines it had taken when it failed.
func syntaxFinding(src *source, err error, read int) *sla.Finding {
	line, message := read, err.Error()
	if m := yamlErrorText.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil && strings.HasPrefix(message, "found unexpected end") {
			line = n // the text runs out, but the cause is where it began
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
			column = first + 2 + second + 1 // the colon that is one too many
		}
	}
	if src.hidden { // the message may quote it
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

// syntaxRemedies say what most often lies behind a message of the YAML parser.
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
