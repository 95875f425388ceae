package closing

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/internal/samples"
	"github.com/upheld-sla/upheld/internal/signature"
	"github.com/upheld-sla/upheld/internal/verdict"
)

// evidenceSuffix ends the names of files of evidence.
const evidenceSuffix = ".evidence.json.gz"

// StoredEvidence begins the source of a report made from stored evidence.
const StoredEvidence = "stored evidence"

// EvidencePath is the path of a report's evidence, beside its JSON.
func EvidencePath(json string) string { return strings.TrimSuffix(json, ".json") + evidenceSuffix }

// SignaturePath is the path of a report's signature, beside its JSON.
func SignaturePath(json string) string { return json + signature.Suffix }

// EvidenceFile is the file with the evidence of a report.
func EvidenceFile(r *verdict.Report, e verdict.Evidence) (report.File, error) {
	var packed bytes.Buffer
	if err := verdict.WriteEvidence(&packed, e); err != nil {
		return report.File{}, err
	}
	return report.File{Name: EvidencePath(jsonFormat().FileName(r)), MediaType: "application/gzip", Bytes: packed.Bytes()}, nil
}

// ReadEvidence reads a file of evidence, for a new report.
func ReadEvidence(path string) (verdict.Evidence, error) {
	file, err := os.Open(path)
	if err != nil {
		return verdict.Evidence{}, err
	}
	defer file.Close()
	e, err := verdict.ReadEvidence(file)
	if err != nil {
		return e, fmt.Errorf("%s: %w", path, err)
	}
	e.Sources = []string{StoredEvidence + ", " + filepath.Base(path)}
	return e, nil
}

// EvidenceOf reads a file of evidence, which must be the report's own.
func EvidenceOf(r *verdict.Report, path string) (verdict.Evidence, error) {
	e, err := ReadEvidence(path)
	if err != nil {
		return e, err
	}
	digest, err := e.Digest()
	if err != nil {
		return e, err
	}
	if digest != r.Inputs.SHA256 {
		return e, fmt.Errorf("%s is not the evidence of the report of %s, %s, version %d: its SHA-256 is %s, and the report says %s", path, r.Agreement, r.Period.Name, r.Version, digest, r.Inputs.SHA256)
	}
	return e, nil
}

// JudgeEvidence judges the period from stored evidence, without samples.
func (j Judgement) JudgeEvidence(e verdict.Evidence, previous []*verdict.Report, now time.Time) (*verdict.Report, error) {
	if err := samples.Covers(e, j.Agreement); err != nil {
		return nil, err
	}
	if from, to, found := spanOf(e); found && (!from.Before(j.End) || !to.After(j.Start)) {
		return nil, fmt.Errorf("the evidence is of %s to %s, and not of %s", from.Format(time.DateTime), to.Format(time.DateTime), j.Title)
	}
	return j.of(e, previous, now)
}

// spanOf is the time from the first to the last measurement; found is false if there is
// none.
func spanOf(e verdict.Evidence) (from, to time.Time, found bool) {
	for _, l := range e.Levels {
		for _, g := range l.Groups {
			for _, p := range g.Places {
				if n := len(p.Stretches); n > 0 {
					first, last := p.Stretches[0].From, p.Stretches[n-1].To
					if !found || first.Before(from) {
						from = first
					}
					if !found || last.After(to) {
						to = last
					}
					found = true
				}
			}
		}
	}
	return from, to, found
}
