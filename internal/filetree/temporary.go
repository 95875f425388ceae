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

// leftBehind are names of temporary files. Nobody else gives a file such a name: it holds
// 130 random bits.
var leftBehind = regexp.MustCompile(`^` + regexp.QuoteMeta(temporaryPrefix) + `[A-Z2-7]{26}-[0-9]+$`)

// temporaryName is the name of the nth temporary file that somebody unique makes.
func temporaryName(unique string, n int) string {
	return fmt.Sprintf("%s%s-%d", temporaryPrefix, unique, n)
}

// createTemporary creates a new file in a folder, which only its owner may read.
func createTemporary(folder string) (*os.File, error) {
	return os.OpenFile(filepath.Join(folder, temporaryName(rand.Text(), 1)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

// writingTakes is longer than any temporary file of Write is written to.
const writingTakes = time.Hour

// Sweep removes temporary files that processes left in a folder when they were killed.
// One that was written to within the hour stays: its process may be at work. A folder that
// is not there has none.
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
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // else it was put into place meanwhile
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, err)...)
}
