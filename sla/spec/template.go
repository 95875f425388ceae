package spec

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/upheld-sla/upheld/sla"
)

// Labels and annotations of alerts are Go templates that Prometheus expands when an
// alert fires. They are checked here only: what passes here, Prometheus loads.

// templateFunctions are the functions that Prometheus adds to Go's own. Prometheus 2.42
// does not load rule files that use one of newerFunctions.
var (
	templateFunctions = []string{
		"query", "first", "label", "value", "strvalue", "args", "reReplaceAll", "safeHtml", "match", "title",
		"toUpper", "toLower", "graphLink", "tableLink", "sortByLabel", "stripPort", "stripDomain", "humanize", "humanize1024", "humanizeDuration",
		"humanizePercentage", "humanizeTimestamp", "toTime", "pathPrefix", "externalURL", "parseDuration",
	}
	newerFunctions = []string{"toDuration", "now", "urlQueryEscape"}
)

// goFunctions are the functions of every Go template.
var goFunctions = []string{
	"and", "break", "call", "continue", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print", "printf", "println", "slice", "urlquery",
}

// templateVariables are the variables that Prometheus declares, and templateFields are
// the fields of the dot.
var (
	templateVariables = []string{"$labels", "$externalLabels", "$externalURL", "$value"}
	templateFields    = []string{"Labels", "ExternalLabels", "ExternalURL", "Value"}
)

// checkTemplate reports errors in a text that Prometheus expands. With an error
// Prometheus would not load the rule file, or the notification would show it.
func checkTemplate(v value, text string) bool {
	if !strings.Contains(text, "{{") {
		return true
	}
	q := sla.Query{Text: text, Pos: v.pos()}
	if at, ok := v.query(); ok && at.Text == strings.TrimRight(text, " \t\r\n") {
		q = at
	}
	t := &templateCheck{v: v, q: q}
	for _, name := range templateVariables {
		t.prefix += "{{" + name + " := .}}"
	}
	tree := parse.New("text")
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(t.prefix+text, "", "", trees); err != nil {
		t.syntax(err)
		return false
	}
	t.defined = slices.Sorted(maps.Keys(trees))
	for _, name := range t.defined {
		t.list(trees[name].Root, name == "text")
	}
	return !t.invalid
}

// templateCheck checks one text.
type templateCheck struct {
	v       value
	q       sla.Query
	prefix  string // declarations that are parsed in front of the text
	defined []string
	invalid bool
}

func (t *templateCheck) error(offset int, message, remedy string) {
	t.invalid = true
	t.v.d.report(sla.Error, t.q.At(offset), "bad-template", t.v.name+" is not a valid template: "+message, remedy)
}

var (
	templateLine     = regexp.MustCompile(`^template: text:(\d+): `)
	undefinedWord    = regexp.MustCompile(`undefined variable "(\$[^"]*)"`)
	templateGuidance = "see Prometheus' template reference; {{ begins a template"
)

// syntax reports an error of Go's parser, at the word or the line that it names.
func (t *templateCheck) syntax(err error) {
	message, offset := err.Error(), 0
	if m := templateLine.FindStringSubmatch(message); m != nil {
		message = message[len(m[0]):]
		line, _ := strconv.Atoi(m[1])
		for ; line > 1; line-- {
			offset += strings.IndexByte(t.q.Text[offset:], '\n') + 1
		}
		if at := strings.Index(t.q.Text[offset:], "{{"); at >= 0 {
			offset += at
		}
	}
	remedy := templateGuidance
	if m := undefinedWord.FindStringSubmatch(message); m != nil {
		if at := strings.Index(t.q.Text[offset:], m[1]); at >= 0 {
			offset += at
		}
		remedy = "there are " + list(templateVariables)
		if near := Nearest(m[1], templateVariables); near != "" {
			remedy = "did you mean " + quote(near) + "?"
		}
	}
	t.error(offset, message, remedy)
}

// list checks nodes. root is set where the dot is the one that Prometheus passes: not
// inside of range, with and templates that the text defines.
func (t *templateCheck) list(l *parse.ListNode, root bool) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			t.pipe(n.Pipe, root)
		case *parse.IfNode:
			t.pipe(n.Pipe, root)
			t.list(n.List, root)
			t.list(n.ElseList, root)
		case *parse.RangeNode:
			t.branch(&n.BranchNode, root)
		case *parse.WithNode:
			t.branch(&n.BranchNode, root)
		case *parse.TemplateNode:
			t.pipe(n.Pipe, root)
			if !slices.Contains(t.defined, n.Name) {
				t.error(t.offset(n), "there is no template "+quote(n.Name), `define it in the same text: {{ define "`+n.Name+`" }}…{{ end }}`)
			}
		}
	}
}

func (t *templateCheck) branch(b *parse.BranchNode, root bool) {
	t.pipe(b.Pipe, root)
	t.list(b.List, false)
	t.list(b.ElseList, root)
}

func (t *templateCheck) pipe(p *parse.PipeNode, root bool) {
	if p == nil {
		return
	}
	for _, c := range p.Cmds {
		for _, arg := range c.Args {
			t.argument(arg, root)
		}
	}
}

func (t *templateCheck) argument(n parse.Node, root bool) {
	switch n := n.(type) {
	case *parse.IdentifierNode:
		t.function(n)
	case *parse.PipeNode:
		t.pipe(n, root)
	case *parse.ChainNode:
		t.argument(n.Node, root)
	case *parse.FieldNode:
		if root && !slices.Contains(templateFields, n.Ident[0]) {
			remedy := "the dot has " + list(templateFields) + "; a label is {{ $labels.name }}"
			if near := Nearest(n.Ident[0], templateFields); near != "" {
				remedy = "did you mean " + quote("."+near) + "?"
			}
			at := t.offset(n) // of the last part, for Go's parser
			if begin := strings.LastIndex(t.q.Text[:min(at+1, len(t.q.Text))], "."+n.Ident[0]); begin >= 0 {
				at = begin
			}
			t.error(at, "there is no field "+quote("."+n.Ident[0]), remedy)
		}
	}
}

func (t *templateCheck) function(n *parse.IdentifierNode) {
	switch {
	case slices.Contains(newerFunctions, n.Ident):
		t.v.d.report(sla.Warning, t.q.At(t.offset(n)), "newer-function",
			"Prometheus 2.42 has no function "+quote(n.Ident)+" in templates, and refuses a rule file with it as a whole", "leave it out unless all of your servers are newer")
	case !slices.Contains(templateFunctions, n.Ident) && !slices.Contains(goFunctions, n.Ident):
		names := slices.Concat(slices.Sorted(slices.Values(slices.Concat(templateFunctions, newerFunctions))), goFunctions)
		remedy := "see Prometheus' template reference for the functions that there are"
		if near := Nearest(n.Ident, names); near != "" {
			remedy = "did you mean " + quote(near) + "?"
		}
		t.error(t.offset(n), "there is no function "+quote(n.Ident), remedy)
	}
}

// offset is the byte of the text at which a node begins.
func (t *templateCheck) offset(n parse.Node) int { return int(n.Position()) - len(t.prefix) }

// parsePlainText parses text without a template: a label that routes match as it is
// written.
func parsePlainText(v value) (string, bool) {
	text, ok := v.text()
	if ok && strings.Contains(text, "{{") {
		v.error("bad-template", v.quoted()+" is a template, and routes and inhibitions match the text itself", "write it out")
		return "", false
	}
	return text, ok
}

// parseRunbook parses the URL of an annotation. It may have templates.
func parseRunbook(v value) (string, bool) {
	text, ok := parseURL(v)
	return text, ok && checkTemplate(v, text)
}
