package emit

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// maxDocuments bounds how many documents of a text are read.
const maxDocuments = 1000

// documents are the YAML documents of a text.
func documents(text string) ([]*yaml.Node, error) {
	dec := yaml.NewDecoder(strings.NewReader(text))
	var all []*yaml.Node
	for len(all) < maxDocuments {
		var doc yaml.Node
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return all, err
		}
		all = append(all, doc.Content[0])
	}
	return all, nil
}

// parseMapping is the one document of a text.
func parseMapping(text string) (*yaml.Node, error) {
	docs, err := documents(text)
	if err == nil && len(docs) != 1 {
		err = fmt.Errorf("there are %d documents", len(docs))
	}
	if err != nil {
		return nil, err
	}
	return docs[0], nil
}

// yamlLines are the lines of a text as YAML counts them, each with its end.
func yamlLines(text string) []string {
	var lines []string
	for from := 0; from < len(text); {
		to := from
		for to < len(text) {
			r, size := utf8.DecodeRuneInString(text[to:])
			to += size
			if r == '\r' && strings.HasPrefix(text[to:], "\n") {
				to++
			}
			if r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029 {
				break
			}
		}
		lines = append(lines, text[from:to])
		from = to
	}
	return lines
}

// read parses the file and reports anything but an Alertmanager configuration
// that lines can be put into.
func (m *merger) read() {
	text := m.text()
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		m.wrong(1, 1, "this file is not text in UTF-8", "save it as UTF-8")
		return
	}
	docs, err := documents(text)
	switch {
	case err != nil && m.templated(nil):
	case err != nil:
		m.findings = append(m.findings, yamlFinding(m.file, err))
	case len(docs) == 0:
		m.wrong(1, 1, "the file is empty", "give a complete configuration; without --alertmanager.merge one is written to the output directory")
	case m.otherKind(docs):
	case len(docs) > 1:
		m.at(docs[1], "a second document begins here, and Alertmanager reads the first one only", "move it to a file of its own")
	default:
		m.root = docs[0]
		m.configuration()
	}
}

// configuration reports a file without the layout of a configuration.
func (m *merger) configuration() {
	root := m.root
	if root.Kind != yaml.MappingNode || root.Style&yaml.FlowStyle != 0 || len(root.Content) == 0 {
		m.at(root, "this is no Alertmanager configuration that lines can be put into: a mapping with a key a line is", "write it with route: and receivers: on lines of their own")
		return
	}
	for _, key := range []string{"route", "receivers"} {
		if k, v := find(root, key); k == nil {
			m.wrong(root.Content[0].Line, root.Content[0].Column, "this Alertmanager configuration has no "+key, "give a complete configuration; without --alertmanager.merge one is written to the output directory")
		} else if v.ShortTag() == "!!null" && key == "route" {
			m.at(k, "route has no value", "give it a receiver: route: {receiver: …}, on lines of its own")
		}
	}
}

// route is the configuration's top route.
func (m *merger) route() *yaml.Node {
	_, route := find(m.root, "route")
	return route
}

// otherKind reports a file that has a configuration inside something else, or has none.
func (m *merger) otherKind(docs []*yaml.Node) bool {
	if slices.ContainsFunc(docs, m.kubernetes) || m.templated(docs) {
		return true
	}
	first := docs[0]
	if k, _ := find(first, "route"); k != nil {
		return false
	}
	for _, key := range []string{"scrape_configs", "rule_files", "alerting"} {
		if k, _ := find(first, key); k != nil {
			m.at(k, "this is a configuration of Prometheus, which has "+key+", and not of Alertmanager", "name Alertmanager's own file, mostly alertmanager.yml")
			return true
		}
	}
	if path, at := configurationBelow(first, 0); at != nil {
		m.at(at, "this file holds an Alertmanager configuration below "+path+", as values of a Helm chart do, and is none itself",
			"move what stands below "+path+" to a file of its own, merge into that, and give it to the chart again; kube-prometheus-stack also takes a Secret with it: alertmanager.alertmanagerSpec.useExistingSecret and configSecret")
		return true
	}
	return false
}

// maxNesting is how deep a configuration is looked for.
const maxNesting = 8

// configurationBelow finds in a tree a mapping with a route and receivers.
func configurationBelow(in *yaml.Node, depth int) (path string, key *yaml.Node) {
	if in.Kind != yaml.MappingNode || depth > maxNesting {
		return "", nil
	}
	for i := 0; i+1 < len(in.Content); i += 2 {
		name, value := in.Content[i], in.Content[i+1]
		route, _ := find(value, "route")
		receivers, _ := find(value, "receivers")
		if route != nil && (receivers != nil || depth == 0 && name.Value == "config") || receivers != nil && name.Value == "config" {
			return name.Value, name
		}
		if below, at := configurationBelow(value, depth+1); at != nil {
			return name.Value + "." + below, at
		}
	}
	return "", nil
}

// kubernetes reports an object of Kubernetes.
func (m *merger) kubernetes(doc *yaml.Node) bool {
	version, _ := find(doc, "apiVersion")
	at, kind := find(doc, "kind")
	if version == nil || at == nil {
		return false
	}
	message, remedy := "this is a Kubernetes object of kind "+kind.Value+", and no Alertmanager configuration", "name the file with Alertmanager's own configuration"
	switch kind.Value {
	case "ConfigMap", "Secret":
		of := strings.ToLower(kind.Value)
		if kind.Value == "Secret" {
			of += " generic"
		}
		message = "this is a Kubernetes " + kind.Value + ", in which a configuration is one text"
		name := "alertmanager.yml"
		for _, key := range []string{"data", "stringData"} {
			if _, data := find(doc, key); data != nil && data.Kind == yaml.MappingNode && len(data.Content) > 0 {
				name = data.Content[0].Value
				message = fmt.Sprintf("this is a Kubernetes %s, in which a configuration is one text, %s.%s", kind.Value, key, name)
			}
		}
		remedy = fmt.Sprintf("keep that text in a file of its own, %s, merge into that, and make the object of it: kubectl create %s NAME --from-file=%s --dry-run=client -o yaml", name, of, name)
	case "AlertmanagerConfig":
		message = "this is an AlertmanagerConfig of the Prometheus operator, whose routes get alerts of its namespace alone unless the operator is told otherwise"
		remedy = "merge into the configuration that the Alertmanager object reads: keep the key alertmanager.yaml of its Secret in a file, merge into that, and make the Secret of it"
	case "Alertmanager":
		remedy = "merge into the configuration that it reads: keep the key alertmanager.yaml of its Secret (spec.configSecret) in a file, merge into that, and make the Secret of it"
	}
	m.at(at, message, remedy)
	return true
}

// templateLine is a line with an action of a template outside of quotes: alone,
// or as a value. Actions within the texts of a configuration are for
// Alertmanager.
var templateLine = regexp.MustCompile(`^\s*(- )?([\w"'-]+:\s+)?(\{\{|\{%|<%)`)

// templated reports a file from which a template engine makes a configuration;
// docs are its YAML documents, nil if it is not YAML.
func (m *merger) templated(docs []*yaml.Node) bool {
	line, column := 0, 1
	if docs == nil {
		for i, text := range m.lines {
			if found := templateLine.FindStringSubmatchIndex(text); found != nil {
				line, column = i+1, utf8.RuneCountInString(text[:found[6]])+1
				break
			}
		}
	}
	for _, doc := range docs {
		if at := actionIn(doc); at != nil {
			line, column = at.Line, at.Column
			break
		}
	}
	if line == 0 {
		return false
	}
	m.wrong(line, column, "this file is a template, from which Helm or another program makes the configuration", "let it make the configuration, and merge into that, as a step before it is deployed; or into a file that the template includes as it is")
	return true
}

// actionIn finds {{ … }} in a tree; YAML reads it as a mapping in a mapping.
func actionIn(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.MappingNode && node.Style&yaml.FlowStyle != 0 && len(node.Content) > 0 {
		if key := node.Content[0]; key.Kind == yaml.MappingNode && key.Line == node.Line && key.Column == node.Column+1 {
			return node
		}
	}
	for _, child := range node.Content { // aliases have none
		if at := actionIn(child); at != nil {
			return at
		}
	}
	return nil
}

// duplicateKeys reports keys that a mapping has twice, which Alertmanager
// refuses and of which either could be meant.
func (m *merger) duplicateKeys() {
	var walk func(*yaml.Node)
	walk = func(node *yaml.Node) {
		if node.Kind == yaml.MappingNode {
			first := map[string]*yaml.Node{}
			for i := 0; i+1 < len(node.Content); i += 2 {
				key := node.Content[i]
				if before := first[key.Value]; before != nil && key.Kind == yaml.ScalarNode && key.Value != "<<" {
					m.at(key, fmt.Sprintf("%s stands in line %d already, and Alertmanager refuses that", key.Value, before.Line), "make one of the two, or remove one")
				}
				first[key.Value] = key
			}
		}
		for _, child := range node.Content {
			walk(child)
		}
	}
	walk(m.root)
}

// lists reports lists that need new lines and are not written with a line for each item.
func (m *merger) lists(n notifying) {
	route := m.route()
	if m.block(route, "route") {
		m.list(route, "routes")
	}
	if len(m.undefined(n.receivers)) > 0 {
		m.list(m.root, "receivers")
	}
	if len(n.times) > 0 {
		m.list(m.root, "time_intervals")
	}
}

// block reports a mapping that is not written with a key a line.
func (m *merger) block(node *yaml.Node, name string) bool {
	ok := node.Kind == yaml.MappingNode && node.Style&yaml.FlowStyle == 0
	if !ok {
		m.at(node, name+" is not written with a key a line, so none can be put into it", "write its keys on lines of their own")
	}
	return ok && m.unshared(node, name)
}

// list reports a list that is not written with dashes, or is defined elsewhere.
func (m *merger) list(in *yaml.Node, name string) {
	key, value := find(in, name)
	if key == nil {
		if m.has(in, name) {
			at, _ := find(in, "<<")
			m.at(at, name+" comes from here, so nothing can be put into it", "write "+name+": out in place of that")
		}
		return
	}
	if !m.unshared(value, name) || value.Kind == yaml.SequenceNode && value.Style&yaml.FlowStyle == 0 ||
		value.ShortTag() == "!!null" && value.Value == "" && value.Anchor == "" && value.Style&yaml.TaggedStyle == 0 || m.isEmptyInLine(key, value) {
		return
	}
	remedy := "write each item on a line of its own, after a dash"
	if value.Kind != yaml.AliasNode && len(value.Content) == 0 {
		remedy = "leave the value out: " + name + ":"
	}
	m.at(value, name+" is not a list with dashes, so nothing can be put into it", remedy)
}

// unshared reports a node that an alias repeats, since what is put into it would
// be there too.
func (m *merger) unshared(node *yaml.Node, name string) bool {
	if node.Anchor == "" {
		return true
	}
	if alias := aliasOf(m.root, node); alias != nil {
		m.at(node, fmt.Sprintf("%s has the anchor &%s, which line %d repeats, so what is put into it would stand there too", name, node.Anchor, alias.Line),
			fmt.Sprintf("write it out in line %d, and remove the anchor", alias.Line))
		return false
	}
	return true
}

// aliasOf is an alias of a node, or nil.
func aliasOf(in, node *yaml.Node) *yaml.Node {
	if in.Kind == yaml.AliasNode && in.Alias == node {
		return in
	}
	for _, child := range in.Content {
		if found := aliasOf(child, node); found != nil {
			return found
		}
	}
	return nil
}

// emptyValue matches a key with an empty list in one of its notations.
var emptyValue = regexp.MustCompile(`^ *["']?[a-z_]+["']? *:[ \t]+(!!seq[ \t]+|!!null[ \t]+)?(\[[ \t]*\]|null|Null|NULL|~|!!null)[ \t]*(#.*)?\r?\n?$`)

// isEmptyInLine reports whether a key has an empty list, or null, on one line,
// which a list with items can replace.
func (m *merger) isEmptyInLine(key, value *yaml.Node) bool {
	return len(value.Content) == 0 && value.Anchor == "" && value.Kind != yaml.AliasNode && emptyValue.MatchString(m.lines[key.Line-1])
}

// has reports whether a mapping has a key, itself or by a merge.
func (m *merger) has(in *yaml.Node, name string) bool { return has(in, name, 0) }

func has(in *yaml.Node, name string, depth int) bool {
	if k, _ := find(in, name); k != nil || in == nil || depth > maxNesting {
		return k != nil
	}
	_, merged := find(in, "<<")
	if merged == nil {
		return false
	}
	sources := []*yaml.Node{merged}
	if merged.Kind == yaml.SequenceNode {
		sources = merged.Content
	}
	for _, s := range sources {
		if s.Kind == yaml.AliasNode {
			s = s.Alias
		}
		if has(s, name, depth+1) {
			return true
		}
	}
	return false
}

// at reports a finding at a node.
func (m *merger) at(node *yaml.Node, message, remedy string) {
	m.wrong(node.Line, node.Column, message, remedy)
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// yamlFinding is an error of the YAML parser as a finding at its place.
func yamlFinding(file string, err error) sla.Finding {
	f := sla.Finding{Severity: sla.Error, Rule: "yaml-syntax", Pos: sla.Position{File: file, Line: 1, Column: 1}, Message: strings.TrimPrefix(err.Error(), "yaml: ")}
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		_, _ = fmt.Sscan(found[1], &f.Pos.Line) // it is a number
		f.Message = strings.TrimPrefix(err.Error(), found[0])
	}
	f.Remedy = "let Alertmanager's own check pass first: amtool check-config " + file
	return f
}
