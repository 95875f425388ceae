//go:build unix

package filetree

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Servers that run as somebody else can read what was generated, whatever the
// umask of who generated it.
func TestFilesAreReadableByAll(t *testing.T) {
	for _, mask := range []int{0, 0o022, 0o077} {
		dir := t.TempDir()
		before := syscall.Umask(mask)
		changes := put(t, dir, testOptions, map[string]string{"a/x": "x", "a/y": "y", "z": "z"})
		syscall.Umask(before)
		for _, c := range append(changes, Change{Path: ManifestName}) {
			if info, err := os.Stat(filepath.Join(dir, c.Path)); err != nil || info.Mode().Perm() != 0o644 {
				t.Errorf("with the umask %o %s is %v, %v", mask, c.Path, info.Mode(), err)
			}
		}
	}
}
