package emit

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// MergeAlertmanager writes what agreements need into somebody else's
// Alertmanager configuration: blocks of lines between markers, in its route,
// receivers and time intervals. Every other line stays as it is, byte for byte,
// because the text is edited and not printed again; only a missing newline at
// the end is added. Blocks of an earlier merge are removed first, so merging
// again changes nothing, and what is no longer wanted is gone.
//
// A receiver that the file defines itself is not defined again: so a receiver is
// filled in by defining it. Errors say what is in the way, and where in the file
// or in an agreement; the text is nil then. Warnings are about routes of the
// file that take alerts of agreements, or get none of them.
//
// empty are the receivers of agreements that nobody has filled in.
func MergeAlertmanager(file string, text []byte, agreements []*sla.Agreement) (merged []byte, empty []string, findings sla.Findings) {
	m := &merger{file: file, eol: "\n"}
	if bytes.Contains(text, []byte("\r\n")) {
		m.eol = "\r\n"
	}
	m.take(text)
	n := notifyingOf(agreements)
	for _, check := range []func(){m.read, m.duplicateKeys, func() { m.lists(n) }, func() { m.names(n) }} {
		if len(m.findings) > 0 {
			return nil, nil, m.findings
		}
		check()
	}
	if len(m.findings) > 0 {
		return nil, nil, m.findings
	}
	blocks := m.blocks(n)
	withThem := m.insert(blocks)
	if m.prove(withThem, blocks); len(m.findings) > 0 {
		return nil, nil, m.findings
	}
	m.foreignRoutes(blocks[0].index, agreements)
	return []byte(withThem), m.empty(n.receivers), m.findings
}

// MergedAgreements are the agreements that were merged into an Alertmanager
// configuration: those whose alerts the generated route takes. The text may be
// anything; nil if it has no such route.
func MergedAgreements(text []byte) []string {
	all := yamlLines(string(text))
	begin := slices.IndexFunc(all, func(line string) bool {
		found := beginBlock.FindStringSubmatch(line)
		return found != nil && found[1] == routesBlock
	})
	if begin < 0 {
		return nil
	}
	end := slices.IndexFunc(all[begin:], endBlock.MatchString)
	if end < 0 {
		return nil
	}
	body := []byte(strings.Join(all[begin+1:begin+end], ""))
	var routes []alertmanagerRoute
	if yaml.Unmarshal(body, &routes) != nil { // the block brings the key of the list too
		var in struct{ Routes []alertmanagerRoute }
		if yaml.Unmarshal(body, &in) != nil {
			return nil
		}
		routes = in.Routes
	}
	if len(routes) == 0 {
		return nil
	}
	for _, matcher := range routes[0].Matchers {
		if names := valuesOf(metricnames.SLA, matcher); names != nil {
			return names
		}
	}
	return nil
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

var (
	beginBlock = regexp.MustCompile(`^[ \t]*# BEGIN upheld ([a-z ]+) \(generated; do not edit; ([0-9a-f]{16})\)\r?\n?$`)
	endBlock   = regexp.MustCompile(`^[ \t]*# END upheld ([a-z ]+)\r?\n?$`)
)

// seal is a short hash of a block that shows edits. Indentation and line ends,
// which editors change, do not count.
func seal(body []string) string {
	sum := sha256.New()
	for _, line := range body {
		fmt.Fprintln(sum, strings.TrimSpace(line))
	}
	return fmt.Sprintf("%x", sum.Sum(nil))[:16]
}

// take removes the blocks of an earlier merge from the text. A block that
// somebody has edited is not thrown away but reported.
func (m *merger) take(text []byte) {
	m.stood = map[string]int{}
	all := yamlLines(string(text))
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
		if line, ok := replacedLine(all[i+1 : i+end]); ok {
			m.lines = append(m.lines, line)
		} else {
			m.stood[begin[1]] = len(m.lines) + 1
		}
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

// insert puts the blocks into the file.
func (m *merger) insert(blocks []mergedBlock) string {
	blocks = slices.Clone(blocks)
	slices.SortStableFunc(blocks, func(a, b mergedBlock) int { return a.before - b.before })
	var out strings.Builder
	for i := 0; i <= len(m.lines); i++ {
		replaced := false
		for _, b := range blocks {
			if b.before != i+1 {
				continue
			}
			if replaced = replaced || b.replaces != ""; out.Len() > 0 && !ended(out.String()) {
				out.WriteString(m.eol)
			}
			out.WriteString(b.text(m.eol))
		}
		if i < len(m.lines) && !replaced {
			out.WriteString(m.lines[i])
		}
	}
	return out.String()
}

// ended reports whether a line has its end; the last one of a file may have none.
func ended(line string) bool { return strings.HasSuffix(line, "\n") }

// prove reads the merged text again: without the blocks it must be the file as
// it was, and the blocks must add what was wanted, where it was wanted. A file
// whose layout cannot take more lines is refused here at the latest.
func (m *merger) prove(merged string, blocks []mergedBlock) {
	again := &merger{file: m.file, eol: m.eol}
	again.take([]byte(merged))
	was := m.text()
	if len(m.lines) > 0 && !ended(m.lines[len(m.lines)-1]) && again.text() != was {
		was += m.eol // which blocks at the end need
	}
	if len(again.findings) > 0 || again.text() != was {
		m.wrong(1, 1, "lines of this file would change", "write it with a key a line, and end it with a newline")
		return
	}
	plainly := func(b mergedBlock) {
		name := b.under[len(b.under)-1]
		line, column := 1, 1
		for _, in := range []*yaml.Node{m.root, m.route()} {
			if k, _ := find(in, name); k != nil {
				line, column = k.Line, k.Column
			}
		}
		m.wrong(line, column, name+" is written in a way that nothing can be put into", "write "+name+": on a line of its own, and each item below it after a dash; end the file with a newline")
	}
	root, err := parseMapping(merged)
	if err != nil {
		plainly(blocks[0])
		return
	}
	for _, b := range blocks {
		if !b.remove(root) {
			plainly(b)
			return
		}
	}
	if !sameNode(root, m.root) {
		plainly(blocks[len(blocks)-1])
	}
}
