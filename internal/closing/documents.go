package closing

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// specDocuments returns the texts that the verdict of an agreement depends on, so that
// a report can be recomputed from its own content: the agreement's file, and those of
// its adjustments and of levels that it counts or combines.
func specDocuments(all []*sla.Agreement, a *sla.Agreement) (own verdict.Document, also []verdict.Document) {
	if own = documentOf(a.Pos.File); own.SHA256 != a.Digest { // the file has changed since
		own.SHA256, own.Text = a.Digest, ""
	}
	seen := map[string]bool{a.Pos.File: true}
	add := func(file string) {
		if !seen[file] {
			seen[file] = true
			also = append(also, documentOf(file))
		}
	}
	for _, in := range a.Inherited {
		add(in.Pos.File)
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

// dependsOn returns the other levels whose measurements a level counts.
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

// documentOf is the text of a file with its hash. A file that cannot be read again,
// such as standard input, has no text.
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
