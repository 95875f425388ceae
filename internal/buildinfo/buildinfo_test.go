package buildinfo

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/prometheus/common/version"
)

func TestVersionOf(t *testing.T) {
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "ffd61c5a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e"}
	for _, test := range []struct {
		name, want string
		info       *debug.BuildInfo
	}{
		{"no information", "devel", nil},
		{"go install of a release", "1.2.3", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}},
		{"go build of a checkout", "0.0.0-20261129131416-ffd61c5a0b1c+dirty", &debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-20261129131416-ffd61c5a0b1c+dirty"}}},
		{"before versions were recorded", "devel-ffd61c5a0b1c", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{revision}}},
		{"with changes", "devel-ffd61c5a0b1c-dirty", &debug.BuildInfo{Settings: []debug.BuildSetting{revision, {Key: "vcs.modified", Value: "true"}}}},
		{"a short revision", "devel-7", &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "7"}}}},
	} {
		if got := versionOf(test.info); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// A build without the linker's flags, as this test is one, says what it is.
func TestNothingIsEmpty(t *testing.T) {
	Complete()
	for _, text := range []string{version.Info(), version.BuildContext(), version.Print("upheld")} {
		for _, empty := range []string{"version=,", "branch=,", "revision=)", "user=,", "date=,", "branch: ,", "revision: )", "user:       \n", "date:       \n"} {
			if strings.Contains(text, empty) {
				t.Errorf("%q has an empty %q", text, empty)
			}
		}
	}
}
