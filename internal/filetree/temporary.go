package filetree

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// temporaryPrefix begins the names of files that are not in place yet.
const temporaryPrefix = ".upheld-"

// leftBehind matches the names of temporary files. Nobody else uses such a name, since
// it contains 130 random bits.
var leftBehind = regexp.MustCompile(`^` + regexp.QuoteMeta(temporaryPrefix) + `[A-Z2-7]{26}-[0-9]+$`)

// temporaryName is the name of the nth temporary file of a stage or process.
func temporaryName(unique string, n int) string {
	return fmt.Sprintf("%s%s-%d", temporaryPrefix, unique, n)
}

// createTemporary creates a new file in a folder, which only its owner may read.
func createTemporary(folder string) (*os.File, error) {
	return os.OpenFile(filepath.Join(folder, temporaryName(rand.Text(), 1)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

// writingTakes is longer than Write ever needs for a temporary file.
const writingTakes = time.Hour

// Sweep removes temporary files that killed processes left in a folder. A file that was
// written to within the hour stays, since its process may still be running. A missing
// folder has none.
func Sweep(folder string, now time.Time) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var errs []error
	for _, e := range entries {
		if !e.Type().IsRegular() || !leftBehind.MatchString(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err == nil && now.Sub(info.ModTime()) > writingTakes {
			err = os.Remove(filepath.Join(folder, e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // otherwise it was put into place meanwhile
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, err)...)
}
