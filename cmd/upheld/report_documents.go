package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// specDocuments are the texts that the verdict of an agreement depends on, so that a
// report can be recomputed from what it holds: its own file, and those of its
// adjustments and of levels that it counts or combines.
func specDocuments(all []*sla.Agreement, a *sla.Agreement) (own verdict.Document, also []verdict.Document) {
	if own = documentOf(a.Pos.File); own.SHA256 != a.Digest { // it has changed since
		own.SHA256, own.Text = a.Digest, ""
	}
	seen := map[string]bool{a.Pos.File: true}
	add := func(file string) {
		if !seen[file] {
			seen[file] = true
			also = append(also, documentOf(file))
		}
	}
	for _, j := range a.Adjustments {
		add(j.Pos.File)
	}
	files := make(map[sla.ID]string)
	for _, other := range all {
		for _, l := range other.Levels {
			files[l.ID] = l.Pos.File
		}
	}
	for _, l := range a.Levels {
		for _, id := range dependsOn(l) {
			add(files[id])
		}
	}
	return own, also
}

// dependsOn are the levels whose measurements a level counts, and not itself.
func dependsOn(l *sla.ServiceLevel) []sla.ID {
	var ids []sla.ID
	if c, ok := l.Indicator.(*sla.Composite); ok {
		for _, component := range c.Component {
			ids = append(ids, component.Level.ID)
			ids = append(ids, dependsOn(component.Level)...)
		}
	}
	if id, _, probed := l.Probed(); probed && id != l.ID {
		ids = append(ids, id)
	}
	return ids
}

// documentOf is the text of a file with its hash. It has no text if the file cannot be
// read again, as standard input.
func documentOf(file string) verdict.Document {
	text, err := os.ReadFile(file)
	if err != nil {
		return verdict.Document{Name: filepath.Base(file)}
	}
	return verdict.Document{Name: filepath.Base(file), SHA256: digestOf(text), Text: string(text)}
}

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// evidenceSuffix ends the names of files of evidence.
const evidenceSuffix = ".evidence.json.gz"

// evidenceFile is the file with what a report was made of, beside the one with its JSON,
// if that is written.
func evidenceFile(formats []report.Format, r *verdict.Report, e verdict.Evidence) ([]report.File, error) {
	for _, f := range formats {
		if f.Name != "json" {
			continue
		}
		var packed bytes.Buffer
		if err := verdict.WriteEvidence(&packed, e); err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(f.FileName(r), ".json") + evidenceSuffix
		return []report.File{{Name: name, MediaType: "application/gzip", Bytes: packed.Bytes()}}, nil
	}
	return nil, nil
}
