package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/internal/testsize"
)

// timeZones are values of TZ: with quarters of an hour, ahead of every other zone,
// of no such place, and of a file that is none.
var timeZones = []string{"Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati", "Nowhere/At-All", ":/etc/passwd", ""}

// inZone is the environment with that zone, or with none.
func inZone(zone *string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "TZ=") })
	if zone != nil {
		env = append(env, "TZ="+*zone)
	}
	return env
}

// TestTimeZoneOfTheProcessDoesNotMatter generates, explains and checks the examples
// in several zones: an agreement's own zone decides, and UTC where it has none. A short run
// has the examples that name a zone in two of them. make test-all has them in each, and all
// examples in one; make ci-all has all in each.
func TestTimeZoneOfTheProcessDoesNotMatter(t *testing.T) {
	examples, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatal(examples, err)
	}
	zoned := []string{"../../examples/calendar-periods.yaml", "../../examples/service-hours.yaml"}
	if testsize.Every() {
		zoned = examples
	}
	sameInZones(t, zoned, testsize.Of(timeZones[2:4], timeZones))
	if testsize.All() && !testsize.Every() {
		sameInZones(t, examples, timeZones[:1])
	}
}

// sameInZones demands that what the verbs write of specifications is the same in each zone.
func sameInZones(t *testing.T, specs, zones []string) {
	t.Helper()
	all := func(zone *string) map[string]string {
		dir := t.TempDir()
		run := func(args ...string) string {
			cmd := exec.Command("upheld", args...)
			cmd.Env = inZone(zone)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %v\n%s", args, err, out)
			}
			return strings.ReplaceAll(string(out), dir, "DIR")
		}
		files := map[string]string{
			"explain":  run(append([]string{"explain"}, specs...)...),
			"check":    run(append([]string{"check"}, specs...)...),
			"generate": run(append([]string{"generate", "--tests", "-o", dir}, specs...)...),
		}
		read(t, dir, files)
		return files
	}
	want := all(nil)
	if len(want) < 3+len(specs) {
		t.Fatalf("only %d files were generated", len(want))
	}
	for _, zone := range zones {
		if diff := cmp.Diff(want, all(&zone)); diff != "" {
			t.Errorf("TZ=%s:\n%.2000s", zone, diff)
		}
	}
}

// read adds the files of a directory.
func read(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestServeInAnyTimeZone has serve run in two zones: its rules are the same.
func TestServeInAnyTimeZone(t *testing.T) {
	var rules [2]map[string]string
	for i, zone := range []string{"UTC", "Asia/Kathmandu"} {
		t.Setenv("TZ", zone)
		dir := t.TempDir()
		spec := strings.Replace(servedSpec, "spec:\n", "spec:\n  period: [month, {calendar: week, timeZone: America/St_Johns}]\n", 1)
		if err := os.WriteFile(filepath.Join(dir, "shop.yaml"), []byte(spec), 0o600); err != nil {
			t.Fatal(err)
		}
		s := startServe(t, dir)
		s.signal(syscall.SIGTERM)
		if err := s.cmd.Wait(); err != nil {
			t.Errorf("after SIGTERM: %v", err)
		}
		rules[i] = map[string]string{}
		read(t, filepath.Join(dir, "data", "rules"), rules[i])
	}
	if len(rules[0]) == 0 {
		t.Fatal("there are no rules")
	}
	if diff := cmp.Diff(rules[0], rules[1]); diff != "" {
		t.Errorf("in other zones rules differ:\n%.2000s", diff)
	}
}
