package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// gridWidth is the number of columns that Grafana divides a dashboard into.
const gridWidth = 24

// grid places panels from left to right and from top to bottom, and numbers
// them.
type grid struct {
	panels    []dashboard.PanelOrRowPanel
	x, y, low uint32 // the place of the next panel, and the lower end of its line
	nextID    uint32
	taken     slots
}

// idsPerSection is how many panels a section can hold.
const idsPerSection = 100

// section begins a range of panel ids that depends on the name only, so that links to a
// panel survive when other sections are added or removed.
func (g *grid) section(name string) {
	if g.taken == nil {
		g.taken = slots{}
	}
	g.nextID = g.taken.firstID(name)
}

// slots are the ranges of panel ids that sections have taken.
type slots map[uint32]bool

// firstID takes the range of a section, or the next one that is free.
func (s slots) firstID(name string) uint32 {
	const sections = 20_000_000 // × idsPerSection stays below 2^31
	slot := sum32(name) % sections
	for s[slot] {
		slot = (slot + 1) % sections
	}
	s[slot] = true
	return slot*idsPerSection + 1
}

func (g *grid) id() *uint32 {
	id := g.nextID
	g.nextID++
	return &id
}

// newLine continues below everything placed so far.
func (g *grid) newLine() { g.x, g.y = 0, g.low }

// add places panels of one height in a line; widths are columns.
func (g *grid) add(height uint32, panels ...sized) {
	g.newLine()
	for _, s := range panels {
		if g.x+s.width > gridWidth {
			g.newLine()
		}
		s.panel.Id = g.id()
		s.panel.GridPos = &dashboard.GridPos{X: g.x, Y: g.y, W: s.width, H: height}
		g.x += s.width
		g.low = max(g.low, g.y+height)
		g.panels = append(g.panels, dashboard.PanelOrRowPanel{Panel: &s.panel.Panel})
	}
}

// sized is a panel with its width.
type sized struct {
	width uint32
	panel *panel
}
