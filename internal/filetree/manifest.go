package filetree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
)

// ManifestName is the file in a directory that lists what was written there. No glob
// for rule files or dashboards matches its name.
const ManifestName = ".upheld-manifest"

// pendingName is the next manifest. It exists from before the first file is renamed
// until after the last, so after a crash in between, one of the two manifests lists
// each file.
const pendingName = ManifestName + ".new"

// manifestVersion is the version of the format below: a line of JSON with the version,
// and one for each file, by path.
const manifestVersion = 1

const manifestAbout = "What upheld generate wrote here: it replaces and removes these files while they are as it wrote them, and no others. Keep it with the files."

const (
	maxManifest = 64 << 20 // bytes: 10,000 agreements take 4 MB
	maxPath     = 4 << 10  // bytes
)

type (
	manifestHead struct {
		Version int    `json:"upheldManifest"`
		About   string `json:"about"`
	}
	entry struct {
		Path    string   `json:"path"`             // slash-separated, below the directory
		SHA256  string   `json:"sha256,omitempty"` // "": somebody else's file with a generated part, relative to the directory
		Sources []string `json:"from"`             // sorted
	}
)

func newEntry(path, sum string, sources []string) entry {
	sources = slices.Clone(sources)
	slices.Sort(sources)
	return entry{path, sum, slices.Compact(sources)}
}

// without returns the sources of an entry that are not among these.
func (e entry) without(sources map[string]bool) []string {
	return slices.DeleteFunc(slices.Clone(e.Sources), func(s string) bool { return sources[s] })
}

// manifest is what a directory records about itself.
type manifest struct {
	missing bool
	text    []byte
	entries map[string]entry
	pending map[string]entry // of a run that did not finish
}

// readManifest reads the manifest of a directory, if it has one.
func readManifest(dir string) (manifest, error) {
	var m manifest
	name := filepath.Join(dir, ManifestName)
	text, err := readManifestFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		m.missing = true
	case err == nil:
		m.text = text
		m.entries, err = parseManifest(text)
	}
	if err != nil && !m.missing {
		return m, fmt.Errorf("%s%w; put it back as it was, or delete it: files with upheld's header are then taken for generated, and none is removed", name, err)
	}
	if text, err := readManifestFile(filepath.Join(dir, pendingName)); err == nil {
		// It is complete, since it was on disk before the first file was renamed;
		// otherwise none was renamed.
		m.pending, _ = parseManifest(text)
	}
	return m, nil
}

// readManifestFile reads a regular file; errors begin with ": ".
func readManifestFile(name string) ([]byte, error) {
	info, err := os.Lstat(name)
	switch {
	case err != nil:
		return nil, fmt.Errorf(": %w", err)
	case !info.Mode().IsRegular():
		return nil, errors.New(": it is no regular file")
	case info.Size() > maxManifest:
		return nil, fmt.Errorf(": it is larger than %d MiB, which is the most for a manifest", maxManifest>>20)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf(": %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err != nil {
		return nil, fmt.Errorf(": %w", err)
	}
	return text, nil
}

// parseManifest reads the lines of a manifest; errors begin with ":LINE: ".
func parseManifest(text []byte) (map[string]entry, error) {
	entries := map[string]entry{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimRight(line, "\r\n")
		if number == 1 {
			var head manifestHead
			if err := decodeLine(line, &head); err != nil || head.Version == 0 {
				return nil, errors.New(":1: this is no manifest of upheld generate")
			}
			if head.Version != manifestVersion {
				return nil, fmt.Errorf(":1: this manifest is of another version of upheld (%d, not %d)", head.Version, manifestVersion)
			}
			continue
		}
		var e entry
		if err := decodeLine(line, &e); err != nil {
			return nil, fmt.Errorf(":%d: this line is damaged: %w", number, err)
		}
		if err := e.check(); err != nil {
			return nil, fmt.Errorf(":%d: %w", number, err)
		}
		if _, twice := entries[e.Path]; twice {
			return nil, fmt.Errorf(":%d: %q is listed twice", number, e.Path)
		}
		entries[e.Path] = e
	}
	if number == 0 {
		return nil, errors.New(": it is empty")
	}
	return entries, nil
}

// decodeLine reads one JSON value and nothing else.
func decodeLine(line []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("it goes on after its value")
	}
	return nil
}

var sha256Text = regexp.MustCompile(`^[0-9a-f]{64}$`)

// check returns an error for an entry that no stage can have written, in particular for
// a file outside of the directory.
func (e entry) check() error {
	switch {
	case e.Path == "" || len(e.Path) > maxPath:
		return fmt.Errorf("a path has 1 to %d bytes", maxPath)
	case e.SHA256 == "": // never written or removed
	case !sha256Text.MatchString(e.SHA256):
		return fmt.Errorf("%q is no SHA-256 in hexadecimal", e.SHA256)
	case !filepath.IsLocal(filepath.FromSlash(e.Path)) || path.Clean(e.Path) != e.Path:
		return fmt.Errorf("%q does not lie inside the directory", e.Path)
	}
	if len(e.Sources) == 0 {
		return fmt.Errorf("%q is from nothing", e.Path)
	}
	return nil
}

// manifestText is the manifest of some files.
func manifestText(entries map[string]entry) ([]byte, error) {
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	lines.SetEscapeHTML(false)
	err := lines.Encode(manifestHead{manifestVersion, manifestAbout})
	for _, path := range slices.Sorted(maps.Keys(entries)) {
		err = errors.Join(err, lines.Encode(entries[path]))
	}
	return b.Bytes(), err
}
