package spec

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// unrendered are marks of texts that become a specification only later. Templates of alerts ({{ $labels }}) and of
// Sloth ({{.window}}) are none of them.
var unrendered = []struct {
	mark                  *regexp.Regexp
	rule, message, remedy string
}{
	{
		regexp.MustCompile(`\{\{-?[^{}\n]*(?:\.(?:Values|Release|Chart|Capabilities|Files)\b|\binclude ")`),
		"unrendered-template", "this is a template of Helm that was not rendered", "render it first: helm template CHART --show-only templates/FILE | upheld check -",
	},
	{regexp.MustCompile(`(?m:^)[ \t]*\{%|\w:[ \t]+\{\{-?[ \t]*[A-Za-z_][^${}\n]*\}\}`), "unrendered-template", templateMessage, templateRemedy},
	{
		regexp.MustCompile(`(?m:^)(?:<<<<<<<|>>>>>>>) `),
		"merge-conflict", "a conflict of a merge was left here", "resolve it: keep one of the two sides, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>",
	},
}

const (
	templateMessage = "this is a template that was not rendered"
	templateRemedy  = "render it first, and name what comes out"
)

// unrenderedFinding says why a text is no YAML, or not the YAML that was meant, if it has such a mark. It is nil
// otherwise.
func unrenderedFinding(src *source, text string, roots []*yaml.Node) *sla.Finding {
	for _, u := range unrendered {
		if at := u.mark.FindStringIndex(text); at != nil {
			begin := at[0] + max(strings.IndexAny(text[at[0]:at[1]], "{<>"), 0)
			before := splitLines(text[:begin])
			line := before[len(before)-1]
			return &sla.Finding{
				Severity: sla.Error, Rule: u.rule, Message: u.message, Remedy: u.remedy,
				Pos: sla.Position{File: src.file, Line: len(before), Column: len(line) + 1}, Snippet: src.shown(len(before)),
			}
		}
	}
	for _, root := range roots {
		if node := bracesIn(root); node != nil {
			return &sla.Finding{
				Severity: sla.Error, Rule: "unrendered-template", Message: templateMessage, Remedy: templateRemedy,
				Pos: src.position(node.Line, node.Column), Snippet: src.shown(node.Line),
			}
		}
	}
	return nil
}

// bracesIn finds what YAML takes {{ target }} for, a mapping whose key is a mapping. It is nil if there is none.
func bracesIn(node *yaml.Node) *yaml.Node {
	for i, child := range node.Content {
		isKey := node.Kind == yaml.MappingNode && i%2 == 0
		if isKey && child.Kind == yaml.MappingNode && child.Line == node.Line && child.Column == node.Column+1 {
			return node
		}
		if found := bracesIn(child); found != nil {
			return found
		}
	}
	return nil
}

func hasBraces(root *yaml.Node) bool { return bracesIn(root) != nil }
