package emit

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// MergeAlertmanager writes what agreements need into an Alertmanager
// configuration that is somebody else's: blocks of lines between markers, in its
// route, receivers, inhibit rules and time intervals. Every other line stays as
// it is, byte for byte, because the text is edited and not printed anew; only a
// newline that lacks at the end is added. What was merged before is taken out
// first, so merging again changes nothing, and what is no longer wanted is gone.
//
// A receiver that the file defines itself is not defined again: that is how one
// is filled in. Findings say where in the file, or in an agreement, something
// stands in the way; the text is nil then.
func MergeAlertmanager(file string, text []byte, agreements []*sla.Agreement) ([]byte, sla.Findings) {
	m := &merger{file: file, eol: "\n"}
	if bytes.Contains(text, []byte("\r\n")) {
		m.eol = "\r\n"
	}
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		text = append(slices.Clone(text), m.eol...)
	}
	m.take(text)
	n := notifyingOf(agreements)
	if len(m.findings) == 0 {
		m.read()
	}
	if len(m.findings) == 0 {
		m.names(n)
	}
	if len(m.findings) > 0 {
		return nil, m.findings
	}
	blocks := m.blocks(n)
	merged := m.insert(blocks)
	m.prove(merged, blocks)
	if len(m.findings) > 0 {
		return nil, m.findings
	}
	return []byte(merged), nil
}

// merger is one merge. Lines are counted from 1, as yaml.v3 does.
type merger struct {
	file     string
	eol      string
	lines    []string       // of the file without what was merged before, each with its end
	stood    map[string]int // the line before which a block stood
	root     *yaml.Node     // the document's mapping
	findings sla.Findings
}

func (m *merger) wrong(line, column int, message, remedy string) {
	f := sla.Finding{
		Severity: sla.Error, Rule: "alertmanager-merge", Message: message, Remedy: remedy,
		Pos: sla.Position{File: m.file, Line: line, Column: column},
	}
	if line > 0 && line <= len(m.lines) {
		f.Snippet = strings.TrimRight(m.lines[line-1], "\r\n")
	}
	m.findings = append(m.findings, f)
}

func (m *merger) at(node *yaml.Node, message, remedy string) {
	m.wrong(node.Line, node.Column, message, remedy)
}

var (
	beginBlock = regexp.MustCompile(`^[ \t]*# BEGIN upheld ([a-z ]+) \(generated; do not edit; ([0-9a-f]{16})\)\r?\n$`)
	endBlock   = regexp.MustCompile(`^[ \t]*# END upheld ([a-z ]+)\r?\n$`)
)

// seal is a short hash of a block, by which an edit is seen. Indentation and
// ends of lines, which editors change, do not count.
func seal(body []string) string {
	sum := sha256.New()
	for _, line := range body {
		fmt.Fprintln(sum, strings.TrimSpace(line))
	}
	return fmt.Sprintf("%x", sum.Sum(nil))[:16]
}

// take takes the blocks of an earlier merge out of the text. A block that
// somebody wrote in is not thrown away but reported.
func (m *merger) take(text []byte) {
	m.stood = map[string]int{}
	all := slices.Collect(strings.Lines(string(text)))
	for i := 0; i < len(all); i++ {
		begin := beginBlock.FindStringSubmatch(all[i])
		if begin == nil {
			if end := endBlock.FindStringSubmatch(all[i]); end != nil {
				m.reportLine(all, i, "the end of the "+end[1]+" of upheld, which nothing begins", "remove the line, and what is left of the block above it")
			}
			m.lines = append(m.lines, all[i])
			continue
		}
		end := slices.IndexFunc(all[i:], func(line string) bool {
			found := endBlock.FindStringSubmatch(line)
			return found != nil && found[1] == begin[1]
		})
		if end < 0 {
			m.reportLine(all, i, "the beginning of the "+begin[1]+" of upheld, which nothing ends", "put the line \"# END upheld "+begin[1]+"\" back where they end")
			return
		}
		if seal(all[i+1:i+end]) != begin[2] {
			m.reportLine(all, i, "the "+begin[1]+" of upheld were edited by hand, which merging again would undo",
				"move what you wrote out of the block, which ends in line "+fmt.Sprint(i+end+1)+": a receiver of the same name outside of it is used instead; then remove the block")
			return
		}
		m.stood[begin[1]] = len(m.lines) + 1
		i += end
	}
}

// reportLine reports a line of the file as it is.
func (m *merger) reportLine(all []string, i int, message, remedy string) {
	m.findings = append(m.findings, sla.Finding{
		Severity: sla.Error, Rule: "alertmanager-merge", Message: message, Remedy: remedy,
		Pos:     sla.Position{File: m.file, Line: i + 1, Column: len(all[i]) - len(strings.TrimLeft(all[i], " \t")) + 1},
		Snippet: strings.TrimRight(all[i], "\r\n"),
	})
}

func (m *merger) text() string { return strings.Join(m.lines, "") }

// read parses the file and reports what is no configuration that lines can be
// put into.
func (m *merger) read() {
	root, err := parseMapping(m.text())
	if err != nil {
		m.findings = append(m.findings, yamlFinding(m.file, err))
		return
	}
	m.root = root
	if root.Kind != yaml.MappingNode || root.Style&yaml.FlowStyle != 0 {
		m.at(root, "this is no Alertmanager configuration that lines can be put into: a mapping with a key a line is", "write it with route: and receivers: on lines of their own")
		return
	}
	for _, key := range []string{"route", "receivers"} {
		if k, v := find(root, key); k == nil {
			m.wrong(1, 1, "this Alertmanager configuration has no "+key, "give a complete configuration; without --alertmanager.merge one is written to the output directory")
		} else if v.ShortTag() == "!!null" && key == "route" {
			m.at(k, "route has no value", "give it a receiver: route: {receiver: …}, on lines of its own")
		}
	}
	if len(m.findings) > 0 {
		return
	}
	_, route := find(root, "route")
	if m.block(route, "route") {
		m.list(route, "routes")
	}
	for _, key := range []string{"receivers", "inhibit_rules", "time_intervals"} {
		m.list(root, key)
	}
}

// block reports a mapping that is not written with a key a line.
func (m *merger) block(node *yaml.Node, name string) bool {
	ok := node.Kind == yaml.MappingNode && node.Style&yaml.FlowStyle == 0
	if !ok {
		m.at(node, name+" is not written with a key a line, so none can be put into it", "write its keys on lines of their own")
	}
	return ok
}

// list reports a list that is not written with dashes.
func (m *merger) list(in *yaml.Node, name string) {
	key, value := find(in, name)
	if key == nil || value.Kind == yaml.SequenceNode && value.Style&yaml.FlowStyle == 0 || value.ShortTag() == "!!null" && value.Value == "" {
		return
	}
	remedy := "write each item on a line of its own, after a dash"
	if value.Kind != yaml.AliasNode && len(value.Content) == 0 {
		remedy = "leave the value out: " + name + ":"
	}
	m.at(value, name+" is not a list with dashes, so nothing can be put into it", remedy)
}

// insert puts the blocks into the file.
func (m *merger) insert(blocks []mergedBlock) string {
	blocks = slices.Clone(blocks)
	slices.SortStableFunc(blocks, func(a, b mergedBlock) int { return a.before - b.before })
	var out strings.Builder
	for i := 0; i <= len(m.lines); i++ {
		for _, b := range blocks {
			if b.before == i+1 {
				out.WriteString(b.text(m.eol))
			}
		}
		if i < len(m.lines) {
			out.WriteString(m.lines[i])
		}
	}
	return out.String()
}

// prove reads the merged text again: without the blocks it is the file as it
// was, and in the blocks stands what was to be added, where it was to be.
func (m *merger) prove(merged string, blocks []mergedBlock) {
	again := &merger{file: m.file, eol: m.eol}
	again.take([]byte(merged))
	fault := func(what string) {
		m.wrong(1, 1, "the merged configuration would not be what it has to be: "+what, "this is a fault in upheld, or the file is written in a way that it does not know; please report it with the file")
	}
	if len(again.findings) > 0 || again.text() != m.text() {
		fault("lines of the file would change")
		return
	}
	root, err := parseMapping(merged)
	if err != nil {
		fault(err.Error())
		return
	}
	for _, b := range blocks {
		if !b.remove(root) {
			fault("the " + b.kind + " would not stand where they belong")
			return
		}
	}
	if !sameNode(root, m.root) {
		fault("something else of it would change")
	}
}
