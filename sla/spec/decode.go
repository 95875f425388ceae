package spec

import (
	"cmp"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec/foreign"
)

// decoder reads one document and collects the findings.
type decoder struct {
	src      *source
	files    Files
	findings sla.Findings
	// thresholds are the places of the thresholds of response-time levels. They are
	// checked once the probe is known.
	thresholds map[sla.Indicator]sla.Position
	// probeDefaults are the defaults that were filled in for probes. The level lists
	// them.
	probeDefaults map[sla.Indicator][]sla.Default
	// zone is the agreement's default time zone. periodDefaults are the defaults that
	// were filled in for calendar periods, by the place of the period.
	zone           string
	periodDefaults map[sla.Position][]sla.Default
	windows        int                    // upper bound for the number of windows that were read
	hours          int                    // periods of hours a week, of the calendars that were read
	fixedMinutes   map[sla.Position]int64 // of periods with a fixed length, by the place of the period
	verdictOnly    []sla.VerdictKey       // keys that were given and that only verdicts follow
	feeGiven       bool                   // some level or the agreement has a fee
	currency       string                 // of the amounts that were read; "" if there was none
	// borrowed are the nodes of agreements that this one inherits from, with their files.
	borrowed map[*yaml.Node]*source
	// origins are where the nodes of a converted document are from.
	origins map[*yaml.Node]foreign.Origin
	// parent is whether another document inherits from this one, which then may be
	// without levels.
	parent bool
	// broken are the levels with errors.
	broken map[*sla.ServiceLevel]bool
	// keysRead and keysGiven are set by a test. They record, as "section.key", which
	// keys the decoder asked for and which of them were given.
	keysRead, keysGiven map[string]bool
}

func newDecoder(src *source, named Files) *decoder {
	return &decoder{
		src: src, files: named, thresholds: map[sla.Indicator]sla.Position{}, probeDefaults: map[sla.Indicator][]sla.Default{},
		periodDefaults: map[sla.Position][]sla.Default{}, broken: map[*sla.ServiceLevel]bool{}, fixedMinutes: map[sla.Position]int64{},
		borrowed: map[*yaml.Node]*source{},
	}
}

// noteVerdictOnly remembers a key that only verdicts follow. Some mappings are read
// twice.
func (d *decoder) noteVerdictOnly(v value) {
	key := sla.VerdictKey{Key: v.name, Pos: d.pos(v.key)}
	if !slices.Contains(d.verdictOnly, key) {
		d.verdictOnly = append(d.verdictOnly, key)
	}
}

// verdictOnlyKeys are those keys in the order of the file.
func (d *decoder) verdictOnlyKeys() []sla.VerdictKey {
	return slices.SortedFunc(slices.Values(d.verdictOnly), func(a, b sla.VerdictKey) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
}

func (d *decoder) pos(node *yaml.Node) sla.Position {
	return d.sourceOf(node).position(node.Line, node.Column)
}

// sourceOf is the file that a node is in: another one than the document's if the node is
// of an agreement that it inherits from.
func (d *decoder) sourceOf(node *yaml.Node) *source {
	if src, borrowed := d.borrowed[node]; borrowed {
		return src
	}
	return d.src
}

// borrow notes that nodes, and what is below them, are in another file.
func (d *decoder) borrow(from *source, nodes ...*yaml.Node) {
	for _, node := range nodes {
		d.borrowed[node] = from
		d.borrow(from, node.Content...)
	}
}

// sourceAt is the file of a place.
func (d *decoder) sourceAt(pos sla.Position) *source {
	if pos.File == d.src.file {
		return d.src
	}
	for _, src := range d.borrowed {
		if src.file == pos.File {
			return src
		}
	}
	return d.src
}

// src is the file that the value is in.
func (v value) src() *source { return v.d.sourceOf(v.node) }

// aboutAddress are the rules whose findings quote addresses of targets. In them a bare
// token before an "@" is hidden too.
var aboutAddress = []string{"bad-address", "bad-url", "bad-name", "no-targets", "no-variable"}

func (d *decoder) report(severity sla.Severity, pos sla.Position, rule, message, remedy string) {
	bare := slices.Contains(aboutAddress, rule)
	d.findings = append(d.findings, sla.Finding{
		Severity: severity, Rule: rule, Pos: pos, Message: sla.Mask(message, bare), Remedy: sla.Mask(remedy, bare), Snippet: sla.Mask(d.sourceAt(pos).shown(pos.Line), bare),
	})
}

func (d *decoder) errorAt(node *yaml.Node, rule, message, remedy string) {
	d.report(sla.Error, d.pos(node), rule, message, remedy)
}
