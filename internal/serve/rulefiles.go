package serve

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/upheld-sla/upheld/rulegen"
)

// rulesDir is where, within the storage path, the rule files are. The database
// does not look at directories that are not named like its blocks.
const rulesDir = "rules"

// writeRuleFiles makes dir hold exactly files and returns their paths, sorted.
// Each file is replaced in one step, and only if it changed: the rule manager
// knows groups by the path of their file, and keeps the state of those that
// stay. Files that this program did not make are left alone.
func writeRuleFiles(dir string, files map[string][]byte) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("directory for rule files: %w", err)
	}
	paths := []string{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		if err := replaceFile(path, files[name]); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, removeStale(dir, files)
}

func replaceFile(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("rule file %s: %w", path, err)
	}
	defer os.Remove(temp.Name()) // fails once it has been renamed
	_, err = temp.Write(content)
	err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("rule file %s: %w", path, err)
	}
	return nil
}

// removeStale removes the files of agreements that are gone, and what a crash
// in the middle of replaceFile has left.
func removeStale(dir string, keep map[string][]byte) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("directory for rule files: %w", err)
	}
	for _, e := range entries {
		if _, wanted := keep[e.Name()]; wanted || !e.Type().IsRegular() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		leftover, _ := filepath.Match(".new-*", e.Name())
		if !leftover {
			content, err := os.ReadFile(path)
			if err != nil {
				return fmt.Errorf("rule file %s: %w", path, err)
			}
			if !bytes.Contains(content, []byte(rulegen.Marker)) {
				continue
			}
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("rule file of an agreement that is gone: %w", err)
		}
	}
	return nil
}
