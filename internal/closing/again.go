package closing

import (
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/internal/imports"
	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// OfReport returns what a report judged, read from the texts in it.
func OfReport(kept *verdict.Report) (Judgement, error) {
	var texts []spec.Text
	for _, d := range append([]verdict.Document{kept.Spec}, kept.Also...) {
		if d.Text == "" {
			return Judgement{}, fmt.Errorf("the report does not hold the text of its specification %s, so it cannot be recomputed; make it from files, not from standard input", d.Name)
		}
		if digestOf([]byte(d.Text)) != d.SHA256 {
			return Judgement{}, fmt.Errorf("the text of the specification %s in the report does not have the SHA-256 that the report says: one of them was changed", d.Name)
		}
		texts = append(texts, spec.Text{File: d.Name, Text: d.Text})
	}
	agreements, findings := spec.Files{Queries: imports.Queries()}.LoadTexts(texts...)
	if err := findings.Err(); err != nil {
		return Judgement{}, fmt.Errorf("the specification in the report cannot be read: %w", err)
	}
	name, err := NameOf(kept)
	if err != nil {
		return Judgement{}, err
	}
	for _, a := range agreements {
		if a.Name != kept.Agreement {
			continue
		}
		for _, j := range ofRevisions(a, &name, kept.Made.At) {
			if j.Title == kept.Period.Name {
				j.Spec, j.Also = kept.Spec, kept.Also
				return j, nil
			}
		}
	}
	return Judgement{}, fmt.Errorf("the specification in the report has no agreement %q with a level that is judged over %s", kept.Agreement, kept.Period.Name)
}

// NameOf is the name of a report's period; for a part of a period, of the whole.
func NameOf(r *verdict.Report) (sla.PeriodName, error) {
	whole, _, _ := strings.Cut(r.Period.Name, report.PartWord)
	name, err := sla.ParsePeriodName(whole)
	if err != nil {
		err = fmt.Errorf("the period of the report: %w", err)
	}
	return name, err
}
