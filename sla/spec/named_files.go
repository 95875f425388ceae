package spec

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/upheld-sla/upheld/internal/regular"
	"github.com/upheld-sla/upheld/sla/spec/foreign"
)

// Files says how to treat files that specifications name. The zero value opens only
// iCalendar files, and those only in the specification's directory and below:
// specifications may come from strangers, and the machine that checks them does not have
// their files.
type Files struct {
	// Allow are directories that files may be in, besides the specification's own. If it
	// is empty, secrets, certificates and lists of targets may be anywhere; iCalendar
	// files may not.
	Allow []string
	// Open makes Load open each file once, and report those that cannot be opened. Set
	// it in programs that use the files.
	Open bool
	// Instead are texts that are read in place of specifications' files, by their names: to
	// see what a file would mean before it is written.
	Instead map[string]string
	// Queries takes the PromQL of specifications of other tools apart. Programs that read
	// no queries need none.
	Queries foreign.Queries
}

// folders are the directories that files of a specification may be in.
func (f Files) folders(spec string) []string {
	return append([]string{filepath.Dir(spec)}, f.Allow...)
}

// within is the same as a list of paths, for sla.Secret. "" is anywhere.
func (f Files) within(spec string) string {
	if len(f.Allow) == 0 {
		return ""
	}
	return strings.Join(f.folders(spec), string(filepath.ListSeparator))
}

// parseFile parses the name of a file, relative to the specification. With Files.Open it
// opens the file: a missing file is a warning, since it may be created later; one that
// is no regular file or in another directory is an error.
func parseFile(v value) (string, bool) {
	name, ok := v.text()
	if !ok {
		return "", false
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(v.src().file), name)
	}
	if !v.d.files.Open {
		return name, true
	}
	f, err := regular.Open(name, filepath.SplitList(v.d.files.within(v.src().file))...)
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

// reportOutside reports a file outside of the allowed directories.
func reportOutside(v value) {
	v.error("unreadable-file", v.quoted()+" is not in the directory of this file, nor in one of --files.allow", "put it there, or name its directory by --files.allow")
}
