package spec

import (
	"fmt"

	"github.com/upheld-sla/upheld/sla"
)

// maxPublicLevels is how many levels a status page may show: more, nobody reads.
const maxPublicLevels = 50

var statusPageSection = &section{
	name: "a status page",
	doc:  "What anyone may see of the agreement: these texts, and how these levels are and were. All of it is public, so write it in your customers' words.",
	fields: []field{
		{key: "title", typ: textType, required: true, example: "The shop", doc: "The heading of the page."},
		{key: "description", typ: textType, example: "How the shop is doing, as its customers meet it", doc: "A sentence below it."},
		{key: "levels", typ: valueType{name: "list of mappings", sample: "[{level: storefront/availability, name: Shop}]", sections: []*section{publicLevelSection}, shape: listOf}, required: true, doc: "The levels that it shows, in this order, at most 50. No other level is public."},
	},
}

var publicLevelSection = &section{
	name: "a public level",
	doc:  "A level as customers know it.",
	fields: []field{
		{key: "level", typ: textType, required: true, example: "storefront/availability", doc: "The level, as `level` or `service/level`. These names are not shown."},
		{key: "name", typ: textType, required: true, example: "Shop", doc: "What customers call it. Unique in the page."},
		{key: "description", typ: textType, example: "Looking at products, and the cart", doc: "A sentence for them. The level's own description is not shown."},
	},
}

// parseStatusPage parses what is public of the agreement, whose levels were read.
func parseStatusPage(v value, a *sla.Agreement) (page sla.StatusPage, ok bool) {
	o := v.object(statusPageSection)
	if o == nil {
		return page, false
	}
	before := len(v.d.findings)
	page.Title, _, _ = read(o, "title", value.text)
	page.Description, _, _ = read(o, "description", value.text)
	items, at, _ := read(o, "levels", value.list)
	if at.node != nil {
		at.within(len(items), maxPublicLevels)
	}
	levels, names := map[sla.ID]bool{}, map[string]bool{}
	for _, item := range items {
		item.name = "a public level"
		l, ok := parsePublicLevel(item, a, levels, names)
		if ok {
			page.Levels = append(page.Levels, l)
		}
	}
	return page, !v.d.findings[before:].HasErrors()
}

// parsePublicLevel parses an entry, none of whose level and name may be there before.
func parsePublicLevel(v value, a *sla.Agreement, levels map[sla.ID]bool, names map[string]bool) (l sla.PublicLevel, ok bool) {
	o := v.object(publicLevelSection)
	if o == nil {
		return l, false
	}
	of, at, known := read(o, "level", func(v value) (sla.ID, bool) { return levelName(v, []*sla.Agreement{a}) })
	if known && levels[of] {
		at.error("duplicate-public-level", fmt.Sprintf("the status page shows %s/%s twice", of.Service, of.SLO), "leave one of them out")
	}
	name, at, named := read(o, "name", value.text)
	if named && names[name] {
		at.error("duplicate-public-level", fmt.Sprintf("the status page has two levels of the name %q", name), "give one of them another name")
	}
	l = sla.PublicLevel{Level: of, Name: name}
	l.Description, _, _ = read(o, "description", value.text)
	levels[of], names[name] = true, true
	return l, known && named
}
