package filetree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A process that is killed in the middle of a write leaves a file that Sweep knows, and
// removes when no write can be under way any more. What a person put there stays.
func TestSweepRemovesWhatAKilledProcessLeft(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	kill := func(age time.Duration) (left string) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Fatal("nothing was written")
			}
			then := now.Add(-age)
			if err := os.Chtimes(left, then, then); err != nil {
				t.Fatal(err)
			}
		}()
		_ = writeThen(filepath.Join(dir, "report.json"), []byte("half"), func(temporary, _ string) error {
			left = temporary
			panic("killed")
		})
		return left
	}
	old, young := []string{kill(2 * time.Hour), kill(25 * time.Hour)}, kill(time.Minute)
	var theirs []string
	for _, name := range []string{".upheld-123", ".upheld-notes", ".upheld-manifest", ".upheld-ABCDEFGHIJKLMNOPQRSTUVWXYZ-7.bak", ".upheld-ABCDEFGHIJKLMNOPQRSTUVWXYZ", "report.json"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("a person's"), 0o600); err != nil {
			t.Fatal(err)
		}
		then := now.AddDate(-1, 0, 0)
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
		theirs = append(theirs, path)
	}
	folder, link := filepath.Join(dir, ".upheld-ABCDEFGHIJKLMNOPQRSTUVWXYZ-8"), filepath.Join(dir, ".upheld-ABCDEFGHIJKLMNOPQRSTUVWXYZ-9")
	if err := errors.Join(os.Mkdir(folder, 0o700), os.Symlink("report.json", link)); err != nil {
		t.Fatal(err)
	}
	if err := Sweep(dir, now); err != nil {
		t.Fatal(err)
	}
	for _, path := range append(theirs, folder, link, young) {
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("removed: %v", err)
		}
	}
	for _, path := range old {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
	if err := Sweep(filepath.Join(dir, "none"), now); err != nil {
		t.Errorf("a folder that is not there: %v", err)
	}
}
