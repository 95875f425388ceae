package spec

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

// linkRevisions puts the revisions of each agreement in order, and marks those that are
// not in force. It reports agreements with the same name that are no revisions.
func (l *loader) linkRevisions() {
	var names []string
	byName := map[string][]*document{}
	for _, doc := range l.docs {
		name := doc.agreement.Name
		if byName[name] == nil {
			names = append(names, name)
		}
		byName[name] = append(byName[name], doc)
	}
	for _, name := range names {
		if docs := byName[name]; name != "" && len(docs) > 1 {
			l.orderRevisions(docs)
		}
	}
}

func (l *loader) orderRevisions(docs []*document) {
	if !distinctRevisions(docs) {
		return
	}
	slices.SortStableFunc(docs, func(a, b *document) int {
		return cmp.Compare(a.agreement.Terms.Revision, b.agreement.Terms.Revision)
	})
	var all []*sla.Agreement
	for i, doc := range docs {
		a := doc.agreement
		all = append(all, a)
		if i == 0 {
			continue
		}
		before := docs[i-1].agreement
		switch from := a.Terms.EffectiveFrom; {
		case from.IsZero():
			doc.report(sla.Error, a.Pos, "bad-revision", fmt.Sprintf("revision %d says not when it takes effect, and revision %d is loaded too, from %s", a.Terms.Revision, before.Terms.Revision, before.Pos),
				`add effectiveFrom: "…" to its metadata`)
		case !before.InForceFrom().Before(a.InForceFrom()):
			doc.report(sla.Error, a.Pos, "bad-revision", fmt.Sprintf("revision %d takes effect on %s, not after revision %d, which takes effect on %s", a.Terms.Revision, from, before.Terms.Revision, before.Terms.EffectiveFrom),
				"revisions with greater numbers take effect later: correct one of them")
		}
	}
	in := sla.InForce(all, l.now)
	if in == nil {
		in = all[0]
	}
	for _, doc := range docs {
		doc.agreement.Revisions = all
		doc.replaced = doc.agreement != in
	}
}

// distinctRevisions returns whether agreements of the same name differ in their
// revisions. It reports those that do not.
func distinctRevisions(docs []*document) bool {
	first := map[int]*document{}
	distinct := true
	for _, doc := range docs {
		a := doc.agreement
		if other, taken := first[a.Terms.Revision]; taken {
			doc.report(sla.Error, a.Pos, "duplicate-agreement", fmt.Sprintf("the agreement %q is already defined at %s", a.Name, other.agreement.Pos),
				"give one of them another name, put its levels into the other, or number them as revisions")
			distinct = false
			continue
		}
		first[a.Terms.Revision] = doc
	}
	return distinct
}
