package spec

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/upheld-sla/upheld/sla"
)

// maxFileSize is far above any agreement that people write; it keeps a wrong
// path from filling the memory.
const maxFileSize = 8 << 20

// Load reads the agreements of every path: a file, a directory (all *.yaml and
// *.yml directly in it, by name) or a glob. It returns every agreement that it
// could make something of, also when there are errors, and every finding in
// order of place. The agreements are fit for use only if findings.Err() is nil.
func Load(paths ...string) ([]*sla.Agreement, sla.Findings) {
	l := &loader{}
	for _, file := range l.expand(paths) {
		l.load(file)
	}
	return l.finish()
}

// LoadText reads one document of the given name from memory.
func LoadText(file, text string) ([]*sla.Agreement, sla.Findings) {
	l := &loader{}
	l.read(file, []byte(text))
	return l.finish()
}

// loader gathers what the files of one Load hold.
type loader struct {
	docs     []*document
	findings sla.Findings
}

// document is one agreement with the decoder that knows its places.
type document struct {
	*decoder
	agreement *sla.Agreement
}

func (l *loader) failed(file, rule, message, remedy string) {
	l.findings = append(l.findings, sla.Finding{
		Severity: sla.Error, Rule: rule, Pos: sla.Position{File: file}, Message: message, Remedy: remedy,
	})
}

// expand turns paths into files, each once, in the order of the paths.
func (l *loader) expand(paths []string) []string {
	var files []string
	seen := map[string]bool{}
	for _, path := range paths {
		for _, file := range l.filesOf(path) {
			if !seen[file] {
				seen[file] = true
				files = append(files, file)
			}
		}
	}
	return files
}

func (l *loader) filesOf(path string) []string {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return l.filesIn(path)
	case err == nil:
		return []string{filepath.Clean(path)}
	case !errors.Is(err, fs.ErrNotExist):
		l.failed(path, "unreadable-file", "cannot be read: "+reason(err), "")
		return nil
	}
	matches, err := filepath.Glob(path)
	if err != nil {
		l.failed(path, "no-such-file", "is not a file, and not a valid glob either", "quote [ and ] in it with a backslash")
		return nil
	}
	if len(matches) == 0 {
		l.failed(path, "no-such-file", "no such file or directory, and as a glob it matches nothing", "")
	}
	var files []string
	for _, match := range matches {
		if info, err := os.Stat(match); err == nil && info.IsDir() {
			continue
		}
		files = append(files, match)
	}
	return files
}

func (l *loader) filesIn(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		l.failed(dir, "unreadable-file", "cannot be read: "+reason(err), "")
		return nil
	}
	var files []string
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if !e.IsDir() && (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if len(files) == 0 {
		l.failed(dir, "no-such-file", "this directory holds no *.yaml or *.yml file", "name a file, or the directory that holds them (subdirectories are not searched)")
	}
	return files
}

func (l *loader) load(file string) {
	text, size, err := readFile(file)
	switch {
	case err != nil:
		l.failed(file, "unreadable-file", "cannot be read: "+reason(err), "")
		return
	case size > maxFileSize:
		l.failed(file, "unreadable-file", fmt.Sprintf("is %d MiB large; a specification has at most %d", size>>20, maxFileSize>>20), "")
		return
	}
	l.read(file, text)
}

// readFile is the content of a file, unless it is larger than maxFileSize.
func readFile(file string) (text []byte, size int64, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if info.Size() > maxFileSize {
		return nil, info.Size(), nil
	}
	buffer := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	size, err = buffer.ReadFrom(io.LimitReader(f, maxFileSize+1)) // it may grow, or be a pipe
	return buffer.Bytes(), size, err
}

// reason is the cause of a file error without the path, which is printed
// before it anyway.
func reason(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
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
	roots, syntax := parseYAML(src, text)
	sum := sha256.Sum256(text)
	digest := hex.EncodeToString(sum[:])
	for _, root := range roots {
		d := &decoder{src: src, thresholds: map[sla.Indicator]sla.Position{}, probeDefaults: map[sla.Indicator][]sla.Default{}, periodDefaults: map[sla.Position][]sla.Default{}}
		if resolved := d.resolve(root); resolved != nil {
			if a := decodeDocument(value{d: d, node: resolved}); a != nil {
				a.Digest = digest
				l.docs = append(l.docs, &document{decoder: d, agreement: a})
				continue
			}
		}
		l.findings = append(l.findings, d.findings...)
	}
	if syntax != nil {
		l.findings = append(l.findings, *syntax)
	} else if len(roots) == 0 {
		l.failed(file, "empty-file", "holds no document", "the smallest agreement is in the introduction of docs/spec.md")
	}
}

// invalidUTF8 is the offset of the first byte that is no UTF-8, or -1.
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

// finish does what needs all documents, and puts the findings into order.
func (l *loader) finish() ([]*sla.Agreement, sla.Findings) {
	l.link()
	var agreements []*sla.Agreement
	for _, doc := range l.docs {
		agreements = append(agreements, doc.agreement)
		l.findings = append(l.findings, doc.findings...)
	}
	l.findings.Sort()
	return agreements, slices.CompactFunc(l.findings, func(a, b sla.Finding) bool { return a == b })
}
