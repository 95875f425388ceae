package maintenance_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/internal/maintenance"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// examples are the files of all examples that are read alone.
func examples(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir("../../examples", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".yaml") {
			if agreements, findings := spec.Load(path); len(agreements) > 0 && !findings.HasErrors() && agreements[0].Format == "" {
				all = append(all, path)
			}
		}
		return err
	})
	if err != nil || len(all) < 15 {
		t.Fatalf("%d examples: %v", len(all), err)
	}
	return all
}

// addedOnly are the lines of a text that are new, and whether all others are still there.
func addedOnly(before, after string) (added []string, ok bool) {
	rest := strings.SplitAfter(before, "\n")
	for line := range strings.Lines(after) {
		if len(rest) > 0 && line == rest[0] {
			rest = rest[1:]
			continue
		}
		added = append(added, line)
	}
	return added, len(strings.Join(rest, "")) == 0
}

// Whatever the example and the window: the result reads, means what it meant with that
// window more, and consists of the lines that were there and of new ones. Only a list that
// stands in one line gets longer.
func TestAddedWindowsOnlyAddLines(t *testing.T) {
	files := examples(t)
	at := time.Date(2026, 12, 1, 22, 0, 0, 0, time.UTC)
	for _, file := range files {
		check(t, file, read(t, file), maintenance.Window{Span: sla.Span{From: at, To: at.Add(time.Hour)}, Reason: "Database upgrade"})
	}
	rapid.Check(t, func(t *rapid.T) {
		file := rapid.SampledFrom(files).Draw(t, "file")
		from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 500_000).Draw(t, "from")) * time.Minute)
		w := maintenance.Window{
			Span:   sla.Span{From: from, To: from.Add(time.Duration(rapid.IntRange(1, 3000).Draw(t, "minutes")) * time.Minute)},
			Reason: rapid.StringMatching(`[a-zA-Z"'#:{}\[\], \\ä漢-]{0,20}x`).Draw(t, "reason"), ApprovedBy: rapid.SampledFrom([]string{"", "A. Provider"}).Draw(t, "by"),
			Emergency: rapid.Bool().Draw(t, "emergency"),
		}
		text := read(t, file)
		if rapid.Bool().Draw(t, "crlf") {
			text = strings.ReplaceAll(text, "\n", "\r\n")
		}
		check(t, file, text, w)
	})
}

func read(t failer, file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(text)
}

type failer interface{ Fatalf(string, ...any) }

func check(t failer, file, text string, w maintenance.Window) {
	files := spec.Files{Instead: map[string]string{file: text}}
	before, findings := files.Load(file)
	if findings.HasErrors() {
		t.Fatalf("%s: %v", file, findings)
	}
	a := before[0]
	edited, err := maintenance.Add([]byte(text), maintenance.Place{Agreement: a.Pos, Zone: a.Zone, Exclusion: sla.MaintenanceName, Effect: sla.TreatAsUp}, w)
	if err != nil {
		t.Fatalf("%v", err)
	}
	files.Instead[file] = string(edited.Text)
	after, findings := files.Load(file)
	if findings.HasErrors() {
		t.Fatalf("%s: %v\n%s", file, findings, edited.Text)
	}
	if err := maintenance.Prove(before, after, a, sla.MaintenanceName, w); err != nil {
		t.Fatalf("%s: %v\n%s", file, err, edited.Text)
	}
	added, ok := addedOnly(text, string(edited.Text))
	if ok == edited.Changed {
		t.Fatalf("%s: added only: %v, changed a line: %v\n%s", file, ok, edited.Changed, strings.Join(added, ""))
	}
	if line := strings.Split(string(edited.Text), "\n")[edited.Line-1]; !strings.Contains(line, "from: ") {
		t.Fatalf("%s: line %d is %q", file, edited.Line, line)
	}
}

// shop is the name of a file for texts that are read in its place.
func shop(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const head = "apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec:\n"

const levels = "  serviceLevels:\n    - {name: up, target: '99', indicator: {probe: {tcp: 'a.example:1'}}}\n"

// Lists of windows in every way in which people write them.
func TestEveryWayToWriteAList(t *testing.T) {
	const one, two = `{from: "2026-01-01T01:00", to: "2026-01-01T02:00"}`, `{from: "2026-01-02T01:00", to: "2026-01-02T02:00"}`
	for _, test := range []struct{ name, spec, want string }{
		{"items", "  maintenance:\n    effect: treat_as_up\n    windows:\n      - " + one + "\n      # later\n\n", "      - NEW"},
		{"items below their key", "  maintenance:\n    effect: treat_as_up\n    windows:\n    - " + one + "\n", "    - NEW"},
		{"items of several lines", "  maintenance:\n    windows:\n      - from: '2026-01-01T01:00'\n        # until then\n        to: '2026-01-01T02:00'\n    effect: treat_as_up\n", "      - NEW"},
		{"one line", "  maintenance: {effect: treat_as_up, windows: [" + one + "]}   # [a comment]\n", "  maintenance: {effect: treat_as_up, windows: [" + one + ", NEW]}   # [a comment]"},
		{"a comma at the end", "  maintenance: {effect: treat_as_up, windows: [" + one + ",]}\n", "  maintenance: {effect: treat_as_up, windows: [" + one + ",NEW]}"},
		{"brackets in several lines", "  maintenance:\n    effect: treat_as_up\n    windows: [\n      " + one + ", # ]\n      " + two + "\n    ]\n", "      , NEW"},
		{"the last bracket behind an item", "  maintenance:\n    effect: treat_as_up\n    windows: [" + one + ",\n      " + two + "]\n", "      " + two + ", NEW]"},
		{"a quoted bracket", "  maintenance:\n    effect: treat_as_up\n    windows: [{from: \"2026-01-01T01:00\", to: '2026-01-01T02:00', reason: \"a \\\"] it's\"}]\n", `    windows: [{from: "2026-01-01T01:00", to: '2026-01-01T02:00', reason: "a \"] it's"}, NEW]`},
		{"none yet", "", "      - NEW"},
		{"none yet, below a comment", "  period: month\n\n  # What is promised\n", "      - NEW"},
	} {
		at := time.Date(2026, 12, 1, 22, 0, 0, 0, time.UTC)
		w := maintenance.Window{Span: sla.Span{From: at, To: at.Add(time.Hour)}, Reason: "r"}
		text := head + test.spec + levels
		check(t, shop(t), text, w)
		edited, err := maintenance.Add([]byte(text), maintenance.Place{Agreement: sla.Position{Line: 3}, Exclusion: "maintenance", Effect: sla.TreatAsUp}, w)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(test.want, "NEW", `{from: "2026-12-01T22:00", to: "2026-12-01T23:00", reason: "r"}`)
		if got := strings.Split(string(edited.Text), "\n")[edited.Line-1]; got != want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, want)
		}
	}
}

// What cannot be edited is refused with its place; nothing is guessed.
func TestWhatCannotBeEdited(t *testing.T) {
	for _, test := range []struct{ spec, want string }{
		{"  x: &w [{from: a}]\n  maintenance: {effect: treat_as_up, windows: *w}\n", "shop.yaml:6:47: the window cannot be added: its windows are an alias of a list that stands elsewhere; "},
		{"  maintenance: {effect: treat_as_up}\n", "shop.yaml:5:16: the window cannot be added: maintenance has no windows in this file; "},
	} {
		_, err := maintenance.Add([]byte(head+test.spec+levels), maintenance.Place{Agreement: sla.Position{File: "shop.yaml", Line: 3}, Exclusion: "maintenance"}, maintenance.Window{})
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
	_, err := maintenance.Add([]byte("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: shop}\nspec: {serviceLevels: []}\n"), maintenance.Place{Agreement: sla.Position{File: "shop.yaml", Line: 3}, Exclusion: "maintenance"}, maintenance.Window{})
	if err == nil || !strings.Contains(err.Error(), "its spec is in braces") {
		t.Error(err)
	}
}

// The proof sees what else an edit changes.
func TestProofSeesOtherChanges(t *testing.T) {
	at := time.Date(2026, 12, 1, 22, 0, 0, 0, time.UTC)
	w := maintenance.Window{Span: sla.Span{From: at, To: at.Add(time.Hour)}}
	maintained := "  maintenance: {effect: treat_as_up, windows: [{from: '2026-12-01T22:00', to: '2026-12-01T23:00'}]}\n"
	for name, after := range map[string]string{
		"another target":  maintained + strings.ReplaceAll(levels, "'99'", "'98'"),
		"another window":  strings.ReplaceAll(maintained, "23:00", "23:01") + levels,
		"one more window": strings.ReplaceAll(maintained, "]", ", {from: '2026-12-02T22:00', to: '2026-12-02T23:00'}]") + levels,
		"another level":   maintained + levels + "    - {name: more, target: '99', indicator: {probe: {tcp: 'a.example:1'}}}\n",
		"no window":       levels,
	} {
		before, _ := spec.LoadText("shop.yaml", head+levels)
		changed, findings := spec.LoadText("shop.yaml", head+after)
		if findings.HasErrors() {
			t.Fatal(findings)
		}
		if err := maintenance.Prove(before, changed, before[0], "maintenance", w); err == nil {
			t.Errorf("%s: it proves", name)
		}
	}
}

// Times that a clock shows twice are written so that they mean one of them.
func TestWallTimesThatComeTwice(t *testing.T) {
	for _, at := range []time.Time{
		time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC), // 02:30, twice
		time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), // 03:00, after an hour that is skipped
	} {
		w := maintenance.Window{Span: sla.Span{From: at, To: at.Add(10 * time.Minute)}, Announced: at.Add(-time.Hour)}
		check(t, shop(t), head+"  timeZone: Europe/Berlin\n"+levels, w)
	}
}

// A silence holds back the alerts of these levels, and of no other.
func TestSilencesMatchTheLevelsAlone(t *testing.T) {
	at := time.Date(2026, 12, 1, 22, 0, 0, 0, time.UTC)
	w := maintenance.Window{Span: sla.Span{From: at, To: at.Add(time.Hour)}}
	all := maintenance.Silences([]sla.ID{{SLA: "shop", Service: "web", SLO: "up"}, {SLA: "shop", Service: "api", SLO: "e.x"}, {SLA: "shop", Service: "web", SLO: "fast"}}, w, "me", "it's \"new\"")
	var got []string
	for _, s := range all {
		got = append(got, s.Amtool("http://127.0.0.1:9093"))
	}
	const call = `amtool silence add --alertmanager.url=http://127.0.0.1:9093 --start=2026-12-01T22:00:00Z --end=2026-12-01T23:00:00Z --author='me' --comment='it'\''s "new"' 'sla="shop"' `
	want := call + `'service="web"' 'slo=~"up|fast"'` + "\n" + call + `'service="api"' 'slo="e.x"'`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}
