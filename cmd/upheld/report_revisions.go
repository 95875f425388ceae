package main

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// judgement is one period of an agreement that is to be judged, or a part of one that
// another revision splits.
type judgement struct {
	agreement  *sla.Agreement // the revision that judges it
	period     sla.Period
	name       sla.PeriodName
	title      string
	start, end time.Time
	inForce    sla.Spans // nil: all of it
	spec       verdict.Document
	also       []verdict.Document // other files that the verdict depends on
}

// partWord stands between the name of a period and the revision that judges a part of
// it: "2026-10 revision 2".
const partWord = " revision "

// judgementsOf are the periods to judge. Agreements that promise nothing over the named
// kind of period are left out, if others do.
func judgementsOf(agreements []*sla.Agreement, name *sla.PeriodName, now time.Time) ([]judgement, error) {
	var all []judgement
	for _, a := range agreements {
		all = append(all, judgementsOfRevisions(a, name, now)...)
	}
	if len(all) == 0 {
		if len(agreements) > 0 && name != nil {
			return nil, fmt.Errorf("--period=%s: no level is judged over such a period; %s has %s", name, agreements[0].Name, periodsWords(periodsOf(agreements[0])))
		}
		return nil, fmt.Errorf("there is no level to judge")
	}
	for i := range all {
		j := &all[i]
		j.spec, j.also = specDocuments(agreements, j.agreement)
		if !j.start.Before(now) {
			return nil, fmt.Errorf("%s: the period %s begins at %s, which is to come", j.agreement.Name, j.name, j.start.Format(time.RFC3339))
		}
	}
	return all, nil
}

// judgementsOfRevisions are what is to be judged of one agreement: the period by the
// revision in force at its start, or its parts, each by its own revision.
func judgementsOfRevisions(a *sla.Agreement, name *sla.PeriodName, now time.Time) []judgement {
	first, ok := judgementOf(a, name, now)
	for _, r := range a.AllRevisions() {
		if !ok {
			first, ok = judgementOf(r, name, now)
		}
	}
	if !ok {
		return nil
	}
	var all []judgement
	inForce := false
	start := first.start
	for _, part := range sla.Parts(a.AllRevisions(), first.start, first.end) {
		if part.Agreement == nil {
			continue // start stays at the beginning of the period
		}
		inForce = true
		j, ok := judgementOf(part.Agreement, &first.name, now)
		if !ok || len(all) > 0 && !part.From.Before(now) { // a later part that is to come
			continue
		}
		if !start.Equal(part.From) {
			j.inForce = sla.Union(part.Span)
		}
		j.start, j.end = start, part.To
		start = part.To
		all = append(all, j)
	}
	if !inForce {
		first.inForce = sla.Spans{}
		return []judgement{first}
	}
	if len(all) > 1 {
		for i := range all {
			all[i].title = fmt.Sprintf("%s%s%d", all[i].name, partWord, all[i].agreement.Terms.Revision)
		}
	}
	return all
}

// judgementOf is the named period of a revision, or its last one that is over. ok is
// false if it promises nothing over such a period.
func judgementOf(a *sla.Agreement, name *sla.PeriodName, now time.Time) (judgement, bool) {
	for _, p := range periodsOf(a) {
		of := p.LastClosed(now)
		if name != nil {
			of = *name
		}
		if of.Of(p) {
			start, end := of.Bounds(p)
			return judgement{agreement: a, period: p, name: of, title: of.String(), start: start, end: end}, true
		}
	}
	return judgement{}, false
}
