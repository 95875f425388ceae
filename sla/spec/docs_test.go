package spec

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/upheld-sla/upheld/sla"
)

const (
	adjustmentsDoc = "../../docs/adjustments.md"
	scenariosDoc   = "../../docs/simulate.md"
	specDoc        = "../../docs/spec.md"
	beginTables    = "<!-- tables: made by go test ./sla/spec -update -->\n"
	endTables      = "<!-- end of tables -->\n"

	beginMistakes = "<!-- mistakes: made by go test ./sla/spec -update -->\n"
	endMistakes   = "<!-- end of mistakes -->\n"
)

// TestReference demands that the tables of docs/spec.md are those of the
// decoder, and that every specification shown there is read without errors.
func TestReference(t *testing.T) {
	text, err := os.ReadFile(specDoc)
	if err != nil {
		t.Fatal(err)
	}
	want := replaceBetween(t, string(text), beginTables, endTables, reference(documentSection))
	want = replaceBetween(t, want, beginMistakes, endMistakes, mistakes(t))
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(specDoc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(text) {
		t.Errorf("%s is stale: run go test ./sla/spec -update", specDoc)
	}
	shown := 0
	for i, block := range strings.Split(want, "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		if !strings.Contains(block, "kind: "+documentKind) {
			continue
		}
		shown++
		if _, findings := LoadText(fmt.Sprintf("%s, block %d", specDoc, i+1), block); len(findings) > 0 {
			t.Errorf("shown as an example, but: %v", findings)
		}
	}
	if shown < 2 {
		t.Errorf("%s shows %d whole specifications", specDoc, shown)
	}
}

// replaceBetween puts new text between two lines.
func replaceBetween(t *testing.T, text, begin, end, with string) string {
	t.Helper()
	before, rest, found := strings.Cut(text, begin)
	_, after, foundEnd := strings.Cut(rest, end)
	if !found || !foundEnd {
		t.Fatalf("%s has no lines %q and %q", specDoc, begin, end)
	}
	return before + begin + with + end + after
}

// shownMistakes are those that the page shows, the most common first.
var shownMistakes = []string{
	"target-unquoted", "target-hundred", "target-percent-sign", "unknown-keys", "duration-bare", "period-calendar", "duplicate-level",
	"reference-dangling", "threshold-above-timeout", "timeout-above-interval", "interval-long", "url-userinfo", "tcp-no-port",
	"aggregation-unsuitable", "tier-incomplete", "adapted-threshold", "coarse-probe", "syntax-promql", "tab",
}

// mistakes is a table of mistakes and what check says to them.
func mistakes(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("\n| written | what `check` says | what to do |\n|---|---|---|\n")
	cell := strings.NewReplacer("|", `\|`, "<", "&lt;")
	for _, name := range shownMistakes {
		archive, err := txtar.ParseFile("testdata/invalid/" + name + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		_, findings := LoadText(archive.Files[0].Name, string(archive.Files[0].Data))
		for _, f := range findings {
			line := strings.TrimPrefix(strings.TrimSpace(f.Snippet), "- ")
			fmt.Fprintf(&b, "| `%s` | %s: %s | %s |\n", cell.Replace(line), f.Severity, cell.Replace(f.Message), cell.Replace(f.Remedy))
		}
	}
	return b.String() + "\n"
}

// TestKeysAreDocumented demands a meaning of every key.
func TestKeysAreDocumented(t *testing.T) {
	for _, s := range sections() {
		if s.doc == "" {
			t.Errorf("section %s says nothing", s.name)
		}
		for _, f := range s.fields {
			if f.doc == "" || !strings.HasSuffix(f.doc, ".") {
				t.Errorf("%s.%s has no sentence: %q", s.name, f.key, f.doc)
			}
		}
	}
}

// TestReferencesOfDocuments demands the same of the pages of the other kinds of documents,
// and that what they show can be read.
func TestReferencesOfDocuments(t *testing.T) {
	for _, page := range []struct {
		file string
		of   *section
		read func(*sla.Agreement) int // documents
		want int                      // at least so many
	}{
		{adjustmentsDoc, adjustmentSection, func(a *sla.Agreement) int { return len(a.Adjustments) }, 5},
		{scenariosDoc, scenarioSection, func(a *sla.Agreement) int { return len(a.Scenarios) }, 1},
	} {
		text, err := os.ReadFile(page.file)
		if err != nil {
			t.Fatal(err)
		}
		want := replaceBetween(t, string(text), beginTables, endTables, reference(page.of))
		if flag.Lookup("update").Value.String() == "true" {
			if err := os.WriteFile(page.file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if want != string(text) {
			t.Errorf("%s is stale: run go test ./sla/spec -update", page.file)
		}
		var shown strings.Builder
		for _, block := range strings.Split(want, "```yaml\n")[1:] {
			block, _, _ = strings.Cut(block, "```")
			shown.WriteString("---\n" + block)
		}
		agreements, findings := LoadText(page.file, shown.String())
		if len(findings) > 0 || len(agreements) != 1 || page.read(agreements[0]) < page.want {
			t.Errorf("shown as examples in %s, but: %v", page.file, findings)
		}
	}
}

// reference is a table of keys for every section of a document.
func reference(root *section) string {
	var b strings.Builder
	cell := strings.NewReplacer("|", `\|`, "\n", " ")
	for _, s := range sectionsIn(root) {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| key | value | default | meaning |\n|---|---|---|---|\n", heading(s), s.doc)
		for _, f := range s.fields {
			def := f.def
			switch {
			case f.required:
				def = "required"
			case inGroup(s, f.key):
				def = "one of them"
			case def == "":
				def = "none"
			case !strings.Contains(def, " ") && !strings.Contains(def, "`"):
				def = "`" + def + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.key, cell.Replace(valueCell(f)), cell.Replace(def), cell.Replace(f.doc))
		}
	}
	return b.String() + "\n"
}

func heading(s *section) string {
	name := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(s.name, "the "), "an "), "a ")
	return strings.ToUpper(name[:1]) + name[1:]
}

func inGroup(s *section, key string) bool {
	for _, group := range s.oneOf {
		if slices.Contains(group, key) {
			return true
		}
	}
	return false
}

// valueCell is a field's type, with links to the sections that it may be, and
// an example where the type alone does not show one.
func valueCell(f field) string {
	cell := f.typ.name
	if len(f.typ.sections) > 0 {
		var links []string
		for _, s := range f.typ.sections {
			links = append(links, fmt.Sprintf("[%s](#%s)", heading(s), anchor(s)))
		}
		return cell + ": " + strings.Join(links, " or ")
	}
	if sample := f.sample(); !strings.Contains(sample, "…") && cell != sample && !strings.HasPrefix(cell, "one of") && cell != "boolean" {
		cell += ", e.g. `" + sample + "`"
	}
	return cell
}

// anchor is how Markdown viewers name a heading.
func anchor(s *section) string {
	keep := func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}
	return strings.Map(keep, strings.ToLower(heading(s)))
}
