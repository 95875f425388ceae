package dashboards

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// skeleton is the text of a dashboard without the names: holes[i] stands before
// texts[i+1].
type skeleton struct {
	texts []string
	holes []hole
}

// hole is where a name or a panel's id goes.
type hole struct {
	kind  holeKind
	index int    // of the level, or of the section
	plus  uint32 // what an id is above the first of its section
}

type holeKind string

// The kinds of hole; those of names are spelt as placeholders are.
const (
	holeSLA         holeKind = "sla"
	holeDescription holeKind = "description"
	holeService     holeKind = "service"
	holeSLO         holeKind = "slo"
	holeID          holeKind = "id"
)

// Placeholders stand between these, which no text of a shape may hold. Neither
// PromQL nor JSON escapes them.
const opening, closing = "⟪", "⟫"

func placeholder(kind holeKind, index int) string {
	return opening + string(kind) + " " + strconv.Itoa(index) + closing
}

// nextID is where the number of the next panel stands, or -1. Other ids are
// texts, and inside of a text the quotes of the key would be escaped.
func nextID(text string) int {
	const key = `"id": `
	at := 0
	for {
		next := strings.Index(text[at:], key)
		if next < 0 {
			return -1
		}
		if at += next + len(key); text[at] != '"' {
			return at
		}
	}
}

// newSkeleton takes the dashboard of an agreement whose names are placeholders
// apart. It is an error if a panel's id is of no section.
func newSkeleton(bare *sla.Agreement, text string) (*skeleton, error) {
	s, first := &skeleton{}, firstIDs(bare)
	for {
		id, name := nextID(text), strings.Index(text, opening)
		var h hole
		var from, to int
		var err error
		switch {
		case id < 0 && name < 0:
			s.texts = append(s.texts, text)
			return s, nil
		case name < 0 || id >= 0 && id < name:
			from, to = id, id+strings.IndexByte(text[id:], ',')
			h, err = holeOfID(first, text[from:to])
		default:
			from = name
			to = from + strings.Index(text[from:], closing) + len(closing)
			h, err = holeOfName(text[from+len(opening) : to-len(closing)])
		}
		if err != nil {
			return nil, err
		}
		s.texts, s.holes = append(s.texts, text[:from]), append(s.holes, h)
		text = text[to:]
	}
}

func holeOfName(text string) (hole, error) {
	kind, number, _ := strings.Cut(text, " ")
	index, err := strconv.Atoi(number)
	return hole{kind: holeKind(kind), index: index}, err
}

func holeOfID(first []uint32, text string) (hole, error) {
	id, err := strconv.ParseUint(text, 10, 32)
	for i, f := range first {
		if n := uint32(id); n >= f && n-f < idsPerSection {
			return hole{holeID, i, n - f}, err
		}
	}
	return hole{}, fmt.Errorf("the panel id %s belongs to no section", text)
}

// firstIDs are those of the sections of an agreement's dashboard.
func firstIDs(a *sla.Agreement) []uint32 {
	taken := slots{}
	ids := []uint32{taken.firstID(sectionSummary)}
	for _, l := range a.Levels {
		ids = append(ids, taken.firstID(sectionOf(l.ID)))
	}
	return ids
}

// fill writes the dashboard of an agreement of the skeleton's shape.
func (s *skeleton) fill(out []byte, a *sla.Agreement) ([]byte, error) {
	description, err := json.Marshal(a.Description)
	if err != nil {
		return out, err
	}
	description = description[1 : len(description)-1]
	first := firstIDs(a)
	for i, h := range s.holes {
		out = append(out, s.texts[i]...)
		switch h.kind {
		case holeSLA:
			out = append(out, a.Name...)
		case holeDescription:
			out = append(out, description...)
		case holeService:
			out = append(out, a.Levels[h.index].ID.Service...)
		case holeSLO:
			out = append(out, a.Levels[h.index].ID.SLO...)
		case holeID:
			out = strconv.AppendUint(out, uint64(first[h.index]+h.plus), 10)
		}
	}
	return append(out, s.texts[len(s.holes)]...), nil
}
