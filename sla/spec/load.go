package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// Load reads the agreements of every path: a file, a directory (all *.yaml and *.yml
// directly in it, by name), a glob, or - for standard input. It returns all agreements,
// also those with errors, and all findings in order of place. Use the agreements only if
// findings.Err() is nil; with errors they are only good for finding more of them. Of
// several revisions of an agreement it returns the one that is in force now, which has
// the others; if none is yet, the one that takes effect first.
func Load(paths ...string) ([]*sla.Agreement, sla.Findings) { return Files{}.Load(paths...) }

// Load is the function Load for specifications that may name these files.
func (f Files) Load(paths ...string) ([]*sla.Agreement, sla.Findings) {
	l := newLoader(f)
	for _, file := range l.expandPaths(paths) {
		l.load(file)
	}
	return l.finish()
}

// LoadText reads the agreements of a text. file is its name in findings.
func LoadText(file, text string) ([]*sla.Agreement, sla.Findings) {
	return LoadTexts(Text{file, text})
}

// Text is the text of a specification, and the name of the file that it is from.
type Text struct{ File, Text string }

// LoadTexts reads the agreements of several texts together, as Load does of files.
func LoadTexts(texts ...Text) ([]*sla.Agreement, sla.Findings) { return Files{}.LoadTexts(texts...) }

// LoadTexts is the function LoadTexts for specifications that may name these files.
func (f Files) LoadTexts(texts ...Text) ([]*sla.Agreement, sla.Findings) {
	l := newLoader(f)
	for _, t := range texts {
		l.read(t.File, []byte(t.Text))
	}
	return l.finish()
}

// loader collects what one Load reads.
type loader struct {
	files   Files // how to treat files that specifications name
	formats []format
	pending []*pending // documents to be decoded when all files were read
	docs    []*document
	// adjustments are documents that are read once all agreements are known.
	adjustments []value
	scenarios   []value                                 // the same, of simulations
	foreign     []*foreignDocument                      // documents of other formats, which are converted together
	levels      map[sla.ID]*sla.ServiceLevel            // of all agreements in force; the first of those with the same name
	refers      map[*sla.ServiceLevel]*sla.ServiceLevel // to the level that has its probe
	findings    sla.Findings
	written     map[*sla.Agreement]*yaml.Node // documents before they inherit; nil if nobody asks for them
	unread      []unread
	now         time.Time // decides which revision is in force
}

func newLoader(files Files) *loader {
	return &loader{files: files, formats: formats, now: time.Now()}
}

// document is one agreement with its decoder.
type document struct {
	*decoder
	agreement *sla.Agreement
	own       map[sla.ID]*sla.ServiceLevel
	replaced  bool // another revision of the agreement is in force
}

// levelError reports an error in a level, and marks the level as broken.
func (d *document) levelError(level *sla.ServiceLevel, pos sla.Position, rule, message, remedy string) {
	d.report(sla.Error, pos, rule, message, remedy)
	d.broken[level] = true
}

func (l *loader) fileError(file, rule, message, remedy string) {
	l.findings = append(l.findings, sla.Finding{
		Severity: sla.Error, Rule: rule, Pos: sla.Position{File: file}, Message: message, Remedy: remedy,
	})
}

func (l *loader) read(file string, text []byte) {
	src := newSource(file, string(text))
	if bad := invalidUTF8(text); bad >= 0 {
		before := splitLines(string(text[:bad]))
		l.findings = append(l.findings, sla.Finding{
			Severity: sla.Error, Rule: "yaml-syntax",
			Pos:     sla.Position{File: file, Line: len(before), Column: len(before[len(before)-1]) + 1},
			Message: fmt.Sprintf("this is not UTF-8 text: it has the byte 0x%02x here", text[bad]),
			Remedy:  "save the file as UTF-8", Snippet: strings.ToValidUTF8(src.shown(len(before)), "\ufffd"),
		})
		return
	}
	if found := invisibleFinding(src, string(text)); found != nil {
		l.findings = append(l.findings, *found)
		return
	}
	roots, syntax := parseYAML(src, text)
	if syntax != nil || slices.ContainsFunc(roots, hasBraces) {
		if found := unrenderedFinding(src, string(text), roots); found != nil {
			l.findings = append(l.findings, *found)
			return
		}
	}
	sum := sha256.Sum256(text)
	digest := hex.EncodeToString(sum[:])
	for _, root := range l.itemsOf(roots, src) {
		d := newDecoder(src, l.files)
		d.reportInvisible(root)
		if resolved := d.resolveAliases(root); resolved != nil {
			if at := (value{d: d, node: resolved}); isAdjustment(at) {
				l.adjustments = append(l.adjustments, at)
				continue
			} else if isScenario(at) {
				l.scenarios = append(l.scenarios, at)
				continue
			}
			if f := foreignFormat(value{d: d, node: resolved}, l.formats); f != nil {
				l.foreign = append(l.foreign, newForeignDocument(f, d, resolved, digest))
				continue
			}
			l.pending = append(l.pending, newPending(value{d: d, node: resolved}, digest))
			continue
		}
		l.findings = append(l.findings, d.findings...)
	}
	if syntax != nil {
		l.findings = append(l.findings, *syntax)
	} else if len(roots) == 0 {
		l.fileError(file, "empty-file", "holds no document", "the smallest agreement is in the introduction of docs/spec.md")
	}
}

// decode reads the documents, when all files were read: one may inherit from another.
func (l *loader) decode() {
	written := map[*pending]*yaml.Node{}
	for _, p := range l.pending {
		if l.written != nil {
			written[p] = cloned(p.root.node)
		}
	}
	taken := l.inherit()
	for _, p := range l.pending {
		d := p.root.d
		d.parent = p.needed
		a := decodeDocument(p.root, l.formats)
		if a == nil {
			l.findings = append(l.findings, d.findings...)
			continue
		}
		a.Digest, a.Inherited, a.Format = p.digest, taken[p], p.format
		if l.written != nil {
			l.written[a] = written[p]
		}
		l.docs = append(l.docs, &document{decoder: d, agreement: a})
	}
}

// decodeDocument reads a document by its format. It returns nil after an error that
// leaves nothing to return.
func decodeDocument(root value, known []format) *sla.Agreement {
	f := formatOf(root, known)
	if f == nil {
		return nil
	}
	return f.decode(root)
}

// invalidUTF8 is the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// finish links all documents, and sorts the findings.
func (l *loader) finish() ([]*sla.Agreement, sla.Findings) {
	l.convert()
	l.decode()
	l.link()
	l.splitBroken()
	l.readAdjustments()
	l.readScenarios()
	var agreements []*sla.Agreement
	for _, doc := range l.docs {
		if onlyTerms := doc.parent && len(doc.agreement.Levels)+len(doc.agreement.Broken) == 0; !doc.replaced && !onlyTerms {
			agreements = append(agreements, doc.agreement)
		}
		l.findings = append(l.findings, doc.findings...)
	}
	l.findings.Sort()
	return agreements, slices.CompactFunc(l.findings, func(a, b sla.Finding) bool { return a == b })
}
