package serve

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/rulegen"
)

// rulesDir is where, within the storage path, the rule files are. The database
// does not look at directories that are not named like its blocks.
const rulesDir = "rules"

// RuleFile is the path of an agreement's rules in a storage path. The moments of their
// evaluation depend on it.
func RuleFile(storage, agreement string) string {
	return filepath.Join(storage, rulesDir, agreement+".yaml")
}

// writeRuleFiles puts the rule files of agreements into a folder of the storage path
// and returns their paths. It removes the files of agreements that are gone, and leaves
// unchanged files alone, so that the rule manager keeps the state of their groups.
func writeRuleFiles(storage string, files map[string][]byte) ([]string, error) {
	agreements := slices.Sorted(maps.Keys(files))
	stage, err := filetree.Open(context.Background(), storage, filetree.Options{
		Marker: rulegen.Marker, Folders: []string{rulesDir}, Sources: agreements, Force: true, Prune: true,
	})
	if err != nil {
		return nil, fmt.Errorf("rule files: %w", err)
	}
	defer stage.Discard()
	paths := []string{}
	for _, name := range agreements {
		file := rulesDir + "/" + name + ".yaml"
		if err := stage.Put(file, files[name], name); err != nil {
			return nil, fmt.Errorf("rule files: %w", err)
		}
		paths = append(paths, RuleFile(storage, name))
	}
	changes, err := stage.Changes()
	if err == nil {
		err = stage.Commit(changes)
	}
	if err != nil {
		return nil, fmt.Errorf("rule files: %w", err)
	}
	return paths, nil
}
