// Package buildinfo says which version a program is. Without linker flags it uses
// what go build and go install record. It imports nothing of the product.
package buildinfo

import (
	"runtime/debug"
	"strings"

	"github.com/prometheus/common/version"
)

// unknown is shown for unknown values.
const unknown = "unknown"

// Version is the version of this program, such as "0.1.0" or, built from a
// checkout without tags, "devel-ffd61c5a0b1c-dirty". It is never empty.
func Version() string {
	if version.Version != "" {
		return version.Version
	}
	info, _ := debug.ReadBuildInfo()
	return versionOf(info)
}

// Complete fills in what Prometheus' version package prints and exports as metrics, if
// the linker did not set it.
func Complete() {
	version.Version = Version()
	if version.Revision == "" && version.GetRevision() == "" {
		version.Revision = unknown
	}
	for _, part := range []*string{&version.Branch, &version.BuildUser, &version.BuildDate} {
		if *part == "" {
			*part = unknown
		}
	}
}

// versionOf is the version that the Go command has recorded; info may be nil.
func versionOf(info *debug.BuildInfo) string {
	const devel = "devel"
	if info == nil {
		return devel
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return strings.TrimPrefix(v, "v")
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	v := devel
	if revision := settings["vcs.revision"]; revision != "" {
		v += "-" + revision[:min(len(revision), 12)]
	}
	if settings["vcs.modified"] == "true" {
		v += "-dirty"
	}
	return v
}
