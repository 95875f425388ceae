package closing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/buildinfo"
	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// Judgement is a period of an agreement to be judged, or the part of it that one
// revision judges.
type Judgement struct {
	Agreement  *sla.Agreement // the revision that judges it
	Period     sla.Period
	Name       sla.PeriodName
	Title      string
	Start, End time.Time
	InForce    sla.Spans // nil: all of it
	Spec       verdict.Document
	Also       []verdict.Document // other files that the verdict depends on
	// Before is evidence from before the first samples, in addition to what Judge
	// reads.
	Before verdict.Evidence
}

// Judgements returns the periods to judge: the one with a name, or for each agreement
// its last one that is over. It leaves out agreements that promise nothing over the
// named kind of period, unless none does.
func Judgements(agreements []*sla.Agreement, name *sla.PeriodName, now time.Time) ([]Judgement, error) {
	var all []Judgement
	for _, a := range agreements {
		all = append(all, ofRevisions(a, name, now)...)
	}
	if len(all) == 0 {
		if len(agreements) > 0 && name != nil {
			return nil, fmt.Errorf("%s: no level is judged over such a period; %s has %s", name, agreements[0].Name, periodsWords(PeriodsOf(agreements[0])))
		}
		return nil, fmt.Errorf("there is no level to judge")
	}
	for _, j := range all {
		if !j.Start.Before(now) {
			return nil, fmt.Errorf("%s: the period %s begins at %s, which is to come", j.Agreement.Name, j.Name, j.Start.Format(time.RFC3339))
		}
	}
	return withDocuments(agreements, all), nil
}

// LeftOut says why agreements have no judgement, for each of these.
func LeftOut(agreements []*sla.Agreement, judgements []Judgement, name *sla.PeriodName) []string {
	var all []string
	for _, a := range agreements {
		judged := func(j Judgement) bool { return j.Agreement.Name == a.Name }
		if name != nil && !slices.ContainsFunc(judgements, judged) {
			all = append(all, fmt.Sprintf("%s, %s: left out: no level is judged over such a period; it has %s", a.Name, name, periodsWords(PeriodsOf(a))))
		}
	}
	return all
}

// JudgementsOf returns the judgements of one agreement and period. agreements has all
// agreements that may depend on each other.
func JudgementsOf(agreements []*sla.Agreement, agreement string, name sla.PeriodName, now time.Time) ([]Judgement, error) {
	for _, a := range agreements {
		if a.Name != agreement {
			continue
		}
		all := ofRevisions(a, &name, now)
		if len(all) == 0 {
			return nil, fmt.Errorf("the agreement %s is not judged over a period such as %s any more", agreement, name)
		}
		return withDocuments(agreements, all), nil
	}
	return nil, fmt.Errorf("the specification has no agreement %s any more; put it back, and its report follows", agreement)
}

// ofRevisions returns what to judge of one agreement: the period by the revision in
// force at its start, or its parts, each by its own revision.
func ofRevisions(a *sla.Agreement, name *sla.PeriodName, now time.Time) []Judgement {
	first, ok := judgementOf(a, name, now)
	for _, r := range a.AllRevisions() {
		if !ok {
			first, ok = judgementOf(r, name, now)
		}
	}
	if !ok {
		return nil
	}
	var all []Judgement
	inForce := false
	start := first.Start
	for _, part := range sla.Parts(a.AllRevisions(), first.Start, first.End) {
		if part.Agreement == nil {
			continue // start remains the beginning of the period
		}
		inForce = true
		j, ok := judgementOf(part.Agreement, &first.Name, now)
		if !ok || len(all) > 0 && !part.From.Before(now) { // a later part that has not begun
			continue
		}
		if !start.Equal(part.From) {
			j.InForce = sla.Union(part.Span)
		}
		j.Start, j.End = start, part.To
		start = part.To
		all = append(all, j)
	}
	if !inForce {
		first.InForce = sla.Spans{}
		return []Judgement{first}
	}
	if len(all) > 1 {
		for i := range all {
			all[i].Title = fmt.Sprintf("%s%s%d", all[i].Name, report.PartWord, all[i].Agreement.Terms.Revision)
		}
	}
	return all
}

// judgementOf returns the named period by a revision, or its last one that is over. ok
// is false if the revision promises nothing over such a period.
func judgementOf(a *sla.Agreement, name *sla.PeriodName, now time.Time) (Judgement, bool) {
	for _, p := range PeriodsOf(a) {
		of := p.LastClosed(now)
		if name != nil {
			of = *name
		}
		if of.Of(p) {
			start, end := of.Bounds(p)
			return Judgement{Agreement: a, Period: p, Name: of, Title: of.String(), Start: start, End: end}, true
		}
	}
	return Judgement{}, false
}

// PeriodsOf returns the kinds of periods of an agreement's levels, in order.
func PeriodsOf(a *sla.Agreement) []sla.Period {
	var all []sla.Period
	for _, l := range a.Levels {
		for _, p := range l.Periods() {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	return all
}

func periodsWords(periods []sla.Period) string {
	var all []string
	for _, p := range periods {
		all = append(all, p.Words())
	}
	return strings.Join(all, " and ")
}

// Judge reads the samples of the period and judges it.
func (j Judgement) Judge(ctx context.Context, from samples.Source, previous []*verdict.Report, now time.Time, progress func(float64)) (*verdict.Report, verdict.Evidence, error) {
	first, last := j.Start, j.End
	for _, p := range PeriodsOf(j.Agreement) { // for levels in other zones
		if j.Name.Of(p) {
			from, to := j.Name.Bounds(p)
			first, last = earliest(first, from), latest(last, to)
		}
	}
	evidence, err := samples.Load(ctx, from, samples.Request{Agreement: j.Agreement, From: first, To: last, Now: now, Progress: progress})
	if err != nil {
		return nil, evidence, err
	}
	evidence = evidence.After(j.Before)
	r, err := j.of(evidence, previous, now)
	return r, evidence, err
}

// of judges the period from evidence.
func (j Judgement) of(evidence verdict.Evidence, previous []*verdict.Report, now time.Time) (*verdict.Report, error) {
	loc := j.Period.Location()
	var own []*verdict.Report
	for _, r := range previous {
		if r.Agreement == j.Agreement.Name {
			own = append(own, r)
		}
	}
	return verdict.Judge(verdict.Input{
		Agreement: j.Agreement, Period: j.Period, Name: j.Title, Start: j.Start.In(loc), End: j.End.In(loc), Now: now, InForce: j.InForce,
		By: "upheld " + buildinfo.Version(), Spec: j.Spec, Also: j.Also, Evidence: evidence,
		Previous: own,
	})
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
