package spec

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// invisible are characters that make a text look like another one: those that change the
// direction of writing, so that a reviewer sees another order, and those without a
// width. The joiners U+200C and U+200D are allowed, because some scripts and emoji need
// them. A file may begin with a byte order mark.
var invisible = regexp.MustCompile(`[\x{061C}\x{180E}\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2069}\x{FEFF}]`)

const invisibleRemedy = "take it out; a text in a script from right to left needs none"

// invisibleFinding reports the first such character of a file, also in comments. It
// returns nil if there is none.
func invisibleFinding(src *source, text string) *sla.Finding {
	start := len(text) - len(strings.TrimPrefix(text, "\ufeff"))
	at := invisible.FindStringIndex(text[start:])
	if at == nil {
		return nil
	}
	before := splitLines(text[:start+at[0]])
	character, _ := utf8.DecodeRuneInString(text[start+at[0]:])
	return &sla.Finding{
		Severity: sla.Error, Rule: "invisible-character",
		Pos:     sla.Position{File: src.file, Line: len(before), Column: len(before[len(before)-1]) + 1},
		Message: fmt.Sprintf("the invisible character %U stands here, with which a text can look like another one", character),
		Remedy:  invisibleRemedy, Snippet: invisible.ReplaceAllString(src.shown(len(before)), "\ufffd"),
	}
}

// reportInvisible reports such characters that are written as escapes, since alerts,
// dashboards and pages would show them.
func (d *decoder) reportInvisible(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode {
		if found := invisible.FindString(node.Value); found != "" {
			character, _ := utf8.DecodeRuneInString(found)
			d.errorAt(node, "invisible-character", fmt.Sprintf("this text has the invisible character %U, with which a text can look like another one", character), invisibleRemedy)
		}
	}
	for _, child := range node.Content { // the nodes that aliases stand for are visited too
		d.reportInvisible(child)
	}
}

// deviceName matches names that Windows takes for a device, with any extension.
var deviceName = regexp.MustCompile(`^(con|prn|aux|nul|(com|lpt)[0-9])$`)

// parseAgreementName parses an identifier that is also used as a file name.
func parseAgreementName(v value) (string, bool) {
	name, ok := v.identifier()
	if ok && deviceName.MatchString(name) {
		v.error("reserved-name", v.quoted()+" is the name of a device on Windows, where no file can be called so", "name it otherwise, e.g. "+name+"-sla")
	}
	return name, ok
}

// nonASCII names the first character that is not ASCII, since it may look like an allowed
// one.
func nonASCII(name string) string {
	for _, c := range name {
		if c >= utf8.RuneSelf {
			return fmt.Sprintf(": it has the character %U", c)
		}
	}
	return ""
}
