package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

// alertmanagerPath is the path of the complete configuration, unless it is merged into
// an existing one.
const alertmanagerPath = "alertmanager/alertmanager.yml"

// mergedFile is the configuration that agreements are merged into.
type mergedFile struct {
	path  string
	want  []byte
	stale bool     // the current file differs
	empty []string // receivers of agreements that notify nobody
	had   []string // the agreements that the file has now
}

// merge prepares the merged configuration, if one is requested and the agreements are
// good.
func (o generateOptions) merge(agreements []*sla.Agreement, good bool) (mergedFile, sla.Findings, error) {
	m := mergedFile{path: o.merged}
	if o.merged == "" || !good {
		return m, nil, nil
	}
	have, err := readConfiguration(o.merged)
	if err != nil {
		return m, nil, fmt.Errorf("--alertmanager.merge: %w", err)
	}
	want, empty, findings := emit.MergeAlertmanager(o.merged, have, agreements)
	m.empty, m.had = empty, emit.MergedAgreements(have)
	if findings.HasErrors() || bytes.Equal(have, want) {
		return m, findings, nil
	}
	m.stale, m.want = true, want
	return m, findings, nil
}

// maxConfiguration, in bytes, is far above what people write.
const maxConfiguration = 16 << 20

// readConfiguration reads a file that can be edited in place.
func readConfiguration(file string) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file, and so cannot be edited", file)
	case err == nil && info.Size() > maxConfiguration:
		return nil, fmt.Errorf("%s is larger than %d MiB, which is the most for a configuration", file, maxConfiguration>>20)
	}
	return os.ReadFile(file) // its error says what is wrong with the file
}

// mergedPath is the path of the configuration in the directory's manifest: relative to
// the directory, so that both can be moved.
func (o generateOptions) mergedPath() string {
	dir, err := filepath.Abs(o.dir)
	if err == nil {
		var path string
		if path, err = filepath.Abs(o.merged); err == nil {
			path, err = filepath.Rel(dir, path)
		}
		if err == nil {
			return filepath.ToSlash(path)
		}
	}
	return filepath.ToSlash(o.merged)
}

// receiversHint says which receivers you must fill in: all of them in the complete
// configuration, since that is generated again each time.
func (o generateOptions) receiversHint(agreements []*sla.Agreement, merged mergedFile) (string, error) {
	switch {
	case o.dry() || !o.writes("alertmanager"):
		return "", nil
	case o.merged != "":
		if len(merged.empty) == 0 {
			return "", nil
		}
		receivers, each := "receivers", "each"
		if len(merged.empty) == 1 {
			receivers, each = "receiver", "it"
		}
		return fmt.Sprintf("%s: nobody is notified by the empty %s %s; copy %s out of the block of upheld, fill the copy in, and generate again\n",
			o.merged, receivers, few(merged.empty), each), nil
	}
	_, empty, err := emit.Alertmanager(agreements)
	receivers, are := "receivers", "are"
	if len(empty) == 1 {
		receivers, are = "receiver", "is"
	}
	return fmt.Sprintf("%s/%s: nobody is notified yet, its %s %s %s empty; write into a configuration that you have with --alertmanager.merge=FILE, or fill in a copy\n",
		o.dir, alertmanagerPath, receivers, few(empty), are), err
}

// few lists names, or the first of many.
func few(names []string) string {
	const most = 6
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// ready writes the new content beside the file; it is nil if nothing changes.
func (m mergedFile) ready() (*filetree.Replacement, error) {
	if !m.stale {
		return nil, nil //nolint:nilnil // see above
	}
	r, err := filetree.Replace(m.path, m.want)
	if err != nil {
		return nil, fmt.Errorf("--alertmanager.merge: %w", err)
	}
	return r, nil
}
