package spec

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/upheld-sla/upheld/internal/regular"
)

// Files says what is done with files that specifications name. The zero value opens
// none but iCalendar files beside the specification or below: specifications may come
// from strangers, and where they are checked their files are not.
type Files struct {
	// Allow are folders that files may be in, besides the one of the specification that
	// names them. Without any, secrets, certificates and lists of targets may be
	// anywhere; iCalendar files may not.
	Allow []string
	// Open is for those that use the files: each is opened, and told if it cannot be.
	Open bool
}

// folders are those that files of a specification may be in.
func (f Files) folders(spec string) []string {
	return append([]string{filepath.Dir(spec)}, f.Allow...)
}

// within are folders for sla.Secret.
func (f Files) within(spec string) string {
	if len(f.Allow) == 0 {
		return ""
	}
	return strings.Join(f.folders(spec), string(filepath.ListSeparator))
}

// parseFile is the name of a file, beside the specification if it is not absolute. It is
// looked at only by those that use it. One that is not there is worth a warning, since
// it may come; what is no file, or is where none may be, is an error.
func parseFile(v value) (string, bool) {
	name, ok := v.text()
	if !ok {
		return "", false
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(v.d.src.file), name)
	}
	if !v.d.files.Open {
		return name, true
	}
	f, err := regular.Open(name, filepath.SplitList(v.d.files.within(v.d.src.file))...)
	switch {
	case err == nil:
		f.Close()
	case errors.Is(err, regular.ErrOutside):
		reportOutside(v)
	case errors.Is(err, regular.ErrKind):
		v.error("unreadable-file", v.quoted()+" is no regular file", "name a file; a FIFO or a device could be waited for without end")
	default:
		v.warn("unreadable-file", v.quoted()+" cannot be read: "+withoutPath(err), "probes are inconclusive until it can be; names that are not absolute are beside the specification")
	}
	return name, true
}

// reportOutside reports a file that is where none may be.
func reportOutside(v value) {
	v.error("unreadable-file", v.quoted()+" is not in the directory of this file, nor in one of --files.allow", "put it there, or name its directory by --files.allow")
}
