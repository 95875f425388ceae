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
		s := stage(t, dir, false, 100, map[string]string{"a/x": marker, "a/y": marker, "z": marker})
		changes, err := s.Changes()
		if err == nil {
			err = s.Commit(changes)
		}
		syscall.Umask(before)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if info, err := os.Stat(filepath.Join(dir, c.Path)); err != nil || info.Mode().Perm() != 0o644 {
				t.Errorf("with the umask %o %s is %v, %v", mask, c.Path, info.Mode(), err)
			}
		}
	}
}
