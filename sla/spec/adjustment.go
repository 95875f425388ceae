package spec

import (
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

// adjustmentReader reads the adjustments of one agreement, whose revisions are known.
type adjustmentReader struct {
	revisions []*sla.Agreement
	zone      string
}

// isAdjustment returns whether a document is an adjustment.
func isAdjustment(root value) bool {
	return root.node.Kind == yamlMapping && headOf(root).text("kind") == adjustmentKind
}

// readAdjustments reads the adjustments, once all agreements are known, and gives them to
// every revision of their agreement.
func (l *loader) readAdjustments() {
	read := map[string][]*sla.Adjustment{}
	var disputes []func()
	for _, root := range l.adjustments {
		root.name = "a document"
		adj, check := l.adjustment(root)
		if adj != nil {
			all := read[adj.Agreement]
			if i := slices.IndexFunc(all, func(other *sla.Adjustment) bool { return other.Name == adj.Name }); i >= 0 {
				root.d.report(sla.Error, adj.Pos, "duplicate-adjustment", fmt.Sprintf("the adjustment %q is already defined at %s", adj.Name, all[i].Pos), "give one of them another name")
			}
			if len(all) == maxAdjustments {
				root.error("too-many", fmt.Sprintf("the agreement %q has more than %d adjustments", adj.Agreement, maxAdjustments), "load those of the periods that matter")
			}
			if len(all) < maxAdjustments {
				read[adj.Agreement] = append(all, adj)
				disputes = append(disputes, func() { check(read[adj.Agreement]) })
			}
		}
	}
	for _, resolve := range disputes {
		resolve()
	}
	for _, doc := range l.docs {
		doc.agreement.Adjustments = read[doc.agreement.Name]
	}
	for _, root := range l.adjustments {
		l.findings = append(l.findings, root.d.findings...)
	}
}

// adjustment reads one adjustment, nil if it cannot be used. resolve completes it with
// all adjustments of the agreement.
func (l *loader) adjustment(root value) (adj *sla.Adjustment, resolve func([]*sla.Adjustment)) {
	o := root.object(adjustmentSection)
	if o == nil {
		return nil, nil
	}
	_, _, _ = read(o, "apiVersion", word(apiVersion))
	_, _, _ = read(o, "kind", word(adjustmentKind))
	adj = &sla.Adjustment{Pos: root.pos()}
	var r adjustmentReader
	if v, given := o.get("metadata"); given {
		r = l.adjustmentOf(v, adj)
	}
	v, given := o.get("spec")
	if !given || len(r.revisions) == 0 {
		return nil, nil
	}
	s := v.object(adjustmentSpecSection)
	if s == nil {
		return nil, nil
	}
	r.decode(s, adj)
	kinds := s.given(slices.Clone(adjustmentKinds)...) // given changes its argument
	if len(kinds) != 1 {
		return nil, nil
	}
	at, _ := s.get(kinds[0])
	resolve = r.decodeKind(at, adj)
	return adj, resolve
}

// adjustmentOf reads the metadata, and finds the agreement.
func (l *loader) adjustmentOf(v value, adj *sla.Adjustment) adjustmentReader {
	var r adjustmentReader
	o := v.object(adjustmentMetadataSection)
	if o == nil {
		return r
	}
	name, at, ok := read(o, "name", value.identifier)
	if adj.Name = name; ok {
		adj.Pos = at.pos()
	}
	agreement, of, ok := read(o, "agreement", value.identifier)
	adj.Agreement = agreement
	if !ok {
		return r
	}
	r.revisions = l.revisionsOf(agreement, of)
	for _, a := range r.revisions {
		r.zone = a.Zone
	}
	if _, taken := r.exclusion(name); taken {
		at.error("duplicate-adjustment", "the agreement has an exclusion with the name "+quote(name), "give the adjustment another one")
	}
	return r
}

// revisionsOf are the revisions of the agreement that a document belongs to. It
// reports an agreement that is not loaded.
func (l *loader) revisionsOf(agreement string, at value) (revisions []*sla.Agreement) {
	var known []string
	for _, doc := range l.docs {
		if doc.agreement.Name == agreement {
			revisions = append(revisions, doc.agreement)
		}
		known = append(known, doc.agreement.Name)
	}
	if len(revisions) == 0 {
		remedy := "name the file of its specification too"
		if near := Nearest(agreement, known); near != "" {
			remedy = "did you mean " + quote(near) + "?"
		}
		at.error("unknown-agreement", "no agreement "+quote(agreement)+" is loaded", remedy)
	}
	return revisions
}

// decode reads who filed it, why, and who approved.
func (r adjustmentReader) decode(o *object, adj *sla.Adjustment) {
	adj.Filed, _, _ = read(o, "filed", parseFullDate)
	adj.By, _, _ = read(o, "by", word(sla.Parties...))
	adj.Reason, _, _ = read(o, "reason", value.text)
	adj.Evidence, _, _ = read(o, "evidence", limitedTexts(maxEvidence))
	items, _, _ := read(o, "approvals", limitedList(maxApprovals))
	for _, item := range items {
		item.name = "an approval of a party"
		x := item.object(partyApprovalSection)
		if x == nil {
			continue
		}
		var a sla.PartyApproval
		a.Party, _, _ = read(x, "party", word(sla.Parties...))
		a.Name, _, _ = read(x, "name", value.text)
		on, at, ok := read(x, "on", parseFullDate)
		if a.On = on; ok && !adj.Filed.IsZero() && on.DaysSince(adj.Filed) < 0 {
			at.error("bad-date", at.quoted()+" is before the adjustment was filed, on "+adj.Filed.String(), "correct one of the days")
		}
		a.Why, _, _ = read(x, "why", value.text)
		adj.Approvals = append(adj.Approvals, a)
	}
	withdrawn, at, ok := read(o, "withdrawn", parseFullDate)
	if adj.Withdrawn = withdrawn; ok && !adj.Filed.IsZero() && withdrawn.DaysSince(adj.Filed) < 0 {
		at.error("bad-date", at.quoted()+" is before the adjustment was filed, on "+adj.Filed.String(), "correct one of the days")
	}
}

// decodeKind reads what the adjustment says. resolve does the part that needs all
// adjustments.
func (r adjustmentReader) decodeKind(v value, adj *sla.Adjustment) (resolve func([]*sla.Adjustment)) {
	resolve = func([]*sla.Adjustment) {}
	switch v.name {
	case "exclusion":
		if o := v.object(excludedSection); o != nil {
			adj.Excluded = r.excluded(o, adj)
		}
	case "dispute":
		if o := v.object(disputeSection); o != nil {
			adj.Disputed, resolve = r.dispute(o, adj)
		}
	case "correction":
		if o := v.object(correctionSection); o != nil {
			c := &sla.Correction{Reach: r.reach(o)}
			c.State, _, _ = read(o, "state", word(sla.AllObserved...))
			c.Labels, _, _ = read(o, "places", parseLabels)
			adj.Corrected = c
			r.checkEvents(o, c)
		}
	case "obligation":
		if o := v.object(deliverySection); o != nil {
			adj.Delivered = r.delivery(o)
		}
	case "cause":
		if o := v.object(causeSection); o != nil {
			c := &sla.Cause{Reach: r.reach(o)}
			c.By, _, _ = read(o, "party", word(sla.CauseParties...))
			c.What, _, _ = read(o, "what", value.text)
			adj.Cause = c
		}
	}
	return resolve
}

// reach reads a time and the levels that it is about.
func (r adjustmentReader) reach(o *object) sla.Reach {
	from, at, fromOK := read(o, "from", instantIn(r.zone))
	to, toAt, toOK := read(o, "to", instantIn(r.zone))
	switch {
	case fromOK && toOK && !from.Before(to):
		toAt.error("bad-time", toAt.quoted()+" is not after "+at.quoted(), "write the later one as to")
	case fromOK && toOK && to.Sub(from) > maxWindow:
		toAt.error("bad-time", "this time is longer than a year", "check its years")
	}
	reach := sla.Reach{Span: sla.Span{From: from, To: to}}
	reach.Levels, _, _ = read(o, "levels", func(v value) ([]sla.ID, bool) { return levelNames(v, r.revisions) })
	return reach
}

// exclusion finds an exclusion of the agreement, in the last revision that has it.
func (r adjustmentReader) exclusion(name string) (found *sla.Exclusion, ok bool) {
	for _, a := range r.revisions {
		for _, e := range slices.Concat(a.Exclusions, a.OnClaim) {
			if e.Name == name {
				found = e
			}
		}
	}
	return found, found != nil
}

func (r adjustmentReader) excluded(o *object, adj *sla.Adjustment) *sla.ExcludedTime {
	x := &sla.ExcludedTime{Reach: r.reach(o), Claim: sla.Claim{Approval: sla.DefaultApproval}}
	x.Category, _, _ = read(o, "category", word(sla.Categories...))
	effect, at, _ := read(o, "effect", word(sla.Effects()...))
	x.Effect = effect
	name, of, ok := read(o, "exclusion", value.identifier)
	switch {
	case of.node == nil && at.node == nil:
		o.missing("category needs effect", "add effect: "+o.section.field("effect").sample())
	case of.node != nil && at.node != nil:
		o.d.errorAt(at.key, "conflicting-keys", "effect goes with category; the exclusion of the agreement says its own", "leave it out")
	}
	if !ok {
		return x
	}
	e, known := r.exclusion(name)
	switch {
	case !known:
		of.unknownName("unknown-exclusion", "exclusion", name, r.claimable(), "spec.exclusions")
	case e.Claim == nil:
		of.error("bad-exclusion", "the exclusion "+quote(name)+" has its own time, so it cannot be claimed", "name an exclusion with approval, or write category and effect instead")
	default:
		x.Exclusion, x.Category, x.Effect, x.Claim = e.Name, e.Category, e.Effect, *e.Claim
		if e.Claim.Evidence && len(adj.Evidence) == 0 {
			o.missing("the exclusion "+quote(name)+" needs evidence, and this adjustment has none", "add evidence to its spec")
		}
	}
	return x
}

// claimable are the names of exclusions that can be claimed.
func (r adjustmentReader) claimable() []string {
	var names []string
	for _, a := range r.revisions {
		for _, e := range a.OnClaim {
			if !slices.Contains(names, e.Name) {
				names = append(names, e.Name)
			}
		}
	}
	return names
}

func (r adjustmentReader) dispute(o *object, own *sla.Adjustment) (*sla.Dispute, func([]*sla.Adjustment)) {
	d := &sla.Dispute{Reach: r.reach(o)}
	name, at, ok := read(o, "of", value.identifier)
	d.Of = name
	if !ok {
		return d, func([]*sla.Adjustment) {}
	}
	return d, func(all []*sla.Adjustment) {
		i := slices.IndexFunc(all, func(adj *sla.Adjustment) bool { return adj.Name == name })
		_, isExclusion := r.exclusion(name)
		var names []string
		for _, adj := range all {
			names = append(names, adj.Name)
		}
		switch {
		case i < 0 && isExclusion:
			if given := o.given("from", "to"); len(given) != 2 {
				o.missing("a dispute of an exclusion of the agreement needs from and to", "say of which time it does not hold")
			}
			return
		case i < 0:
			at.unknownName("unknown-adjustment", "adjustment or exclusion", name, names, "an adjustment of its own")
			return
		case all[i] == own || all[i].Disputed != nil:
			at.error("bad-dispute", "the adjustment "+quote(name)+" is a dispute itself", "withdraw it instead, with the key withdrawn")
			return
		}
		d.OfAdjustment = all[i]
		for _, key := range o.given("from", "to", "levels") {
			o.d.errorAt(o.values[key].key, "conflicting-keys", quote(key)+" goes with an exclusion of the agreement; an adjustment is disputed as a whole", "leave it out")
		}
		if !own.Filed.IsZero() && !d.OfAdjustment.Filed.IsZero() && !own.InTime() {
			at.warn("late-dispute", fmt.Sprintf("this dispute has no effect: %q was filed on %s and could be disputed for %d days", name, d.OfAdjustment.Filed, d.OfAdjustment.Excluded.Claim.DisputeBy), "withdraw it, or agree on a new exclusion")
		}
	}
}

func (r adjustmentReader) delivery(o *object) *sla.DeliveryRecord {
	d := &sla.DeliveryRecord{}
	id, at, ok := read(o, "id", value.identifier)
	d.ID = id
	due, dueAt, dueOK := read(o, "due", parseFullDate)
	d.Due = due
	d.Done, _, _ = read(o, "done", instantIn(r.zone))
	if !ok {
		return d
	}
	var known []string
	fits := false
	var found *sla.Obligation
	for _, a := range r.revisions {
		for _, o := range a.Terms.Obligations {
			known = append(known, o.ID)
			if o.ID != id {
				continue
			}
			found = o
			end := due.End(a.Zone)
			fits = fits || o.By == 0 && len(o.Dates) == 0 || dueOK && len(o.Due(end, end.Add(1), a.Zone)) > 0
		}
	}
	switch {
	case found == nil:
		at.unknownName("unknown-obligation", "obligation", id, known, "spec.obligations")
	case dueOK && !fits:
		dueAt.error("bad-obligation", fmt.Sprintf("%s is no day on which %s is due, which is %s", dueAt.quoted(), id, found.Words()), "write the day at whose end it was due")
	}
	return d
}

// checkEvents reports a correction of time in which nobody knows how many events there
// were.
func (r adjustmentReader) checkEvents(o *object, c *sla.Correction) {
	if c.State == "" || c.State == sla.WasUnknown {
		return
	}
	for _, a := range r.revisions {
		for _, l := range a.Levels {
			if c.Covers(l.ID) && l.Indicator != nil && l.Aggregation.Counts() == sla.CountsEvents {
				o.error("bad-correction", fmt.Sprintf("the level %q counts events, and nobody knows how many there were", l.ID.SLO), "write state: unknown, or name the other levels")
				return
			}
		}
	}
}
