package spec

import (
	"gopkg.in/yaml.v3"
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

// decoder reads the values of one document and collects what is wrong.
type decoder struct {
	src      *source
	files    Files
	findings sla.Findings
	// thresholds are where those of response-time levels stand, which are
	// checked when the probe is known.
	thresholds map[sla.Indicator]sla.Position
	// probeDefaults are what was filled in for probes, for the level to tell.
	probeDefaults map[sla.Indicator][]sla.Default
	// zone is the agreement's default time zone, and periodDefaults are what was
	// filled in for calendar periods, by their place.
	zone           string
	periodDefaults map[sla.Position][]sla.Default
	windows        int // at most, of those that were read
	hours          int // that calendars begin in a week, of those that were read
	// broken are the levels with errors.
	broken map[*sla.ServiceLevel]bool
	// read and given are the witnesses of a test, where it makes them:
	// "section.key" of the keys that were asked for, and found.
	keysRead, keysGiven map[string]bool
}

func newDecoder(src *source, named Files) *decoder {
	return &decoder{
		src: src, files: named, thresholds: map[sla.Indicator]sla.Position{}, probeDefaults: map[sla.Indicator][]sla.Default{},
		periodDefaults: map[sla.Position][]sla.Default{}, broken: map[*sla.ServiceLevel]bool{},
	}
}

func (d *decoder) pos(node *yaml.Node) sla.Position {
	return d.src.position(node.Line, node.Column)
}

// aboutAddress are the rules whose findings quote addresses of what is probed,
// with whatever stands before an "@" in them.
var aboutAddress = []string{"bad-address", "bad-url", "bad-name", "no-targets", "no-variable"}

func (d *decoder) report(severity sla.Severity, pos sla.Position, rule, message, remedy string) {
	bare := slices.Contains(aboutAddress, rule)
	d.findings = append(d.findings, sla.Finding{
		Severity: severity, Rule: rule, Pos: pos, Message: sla.Mask(message, bare), Remedy: sla.Mask(remedy, bare), Snippet: sla.Mask(d.src.shown(pos.Line), bare),
	})
}

func (d *decoder) errorAt(node *yaml.Node, rule, message, remedy string) {
	d.report(sla.Error, d.pos(node), rule, message, remedy)
}
