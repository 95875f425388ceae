package main

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla/spec"
)

// Nothing that explain prints of an example is wider than a terminal; and what it says
// briefly, of any example, has no query in it.
func TestExplainFitsTheTerminal(t *testing.T) {
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	files := 0
	err := filepath.WalkDir("../../examples", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		agreements, findings := checkSpecs(spec.Files{}, []string{path}, rulegen.Options{}, func(rulegen.LevelPlan) {})
		if findings.HasErrors() {
			return nil
		}
		files++
		for _, a := range agreements {
			var long, brief strings.Builder
			explainAgreement(&long, a, now)
			explainBriefly(&brief, a, now)
			for line := range strings.Lines(fitted(long.String()) + fitted(brief.String())) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > explainWidth {
					t.Errorf("%s: %d columns: %s", path, n, line)
				}
			}
			for _, l := range a.Levels {
				for _, q := range l.Indicator.Queries() {
					if len(q.Text) > 3 && strings.Contains(brief.String(), q.Text) {
						t.Errorf("%s: %s has a query in --brief: %s", path, l.ID, q.Text)
					}
				}
			}
		}
		return nil
	})
	if err != nil || files < 15 {
		t.Fatalf("%d examples: %v", files, err)
	}
}

// Breaking lines loses no word, whatever the text.
func TestFittedLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text string
		for range rapid.IntRange(1, 4).Draw(t, "lines") {
			text += strings.Repeat(" ", rapid.IntRange(0, 12).Draw(t, "indent")) + rapid.StringMatching(`[a-zA-Zä{},="~├]{1,150}`).Draw(t, "long")
			for range rapid.IntRange(0, 20).Draw(t, "words") {
				text += strings.Repeat(" ", rapid.IntRange(1, 3).Draw(t, "gap")) + rapid.StringMatching(`[a-z,]{1,30}`).Draw(t, "word")
			}
			text += "\n"
		}
		got := fitted(text)
		if strings.Join(strings.Fields(got), "") != strings.Join(strings.Fields(text), "") {
			t.Fatalf("from\n%s\nto\n%s", text, got)
		}
		for line := range strings.Lines(got) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > explainWidth {
				t.Fatalf("%d columns: %s", n, line)
			}
		}
	})
}

// A table that does not fit becomes lines that say the same.
func TestTablesThatDoNotFit(t *testing.T) {
	long := strings.Repeat("x", 60)
	var b strings.Builder
	writeTable(&b, [][]string{{"", "promises", "needed"}, {"a", "99 %", long}, {"├ b"}, {"└ c", "98 %", long + "y"}})
	wide := b.String()
	if !strings.Contains(wide, "├ b\n    └ c  98 %      "+long+"y\n") {
		t.Errorf("it is no table:\n%s", wide)
	}
	b.Reset()
	writeTable(&b, [][]string{{"", "promises", "needed"}, {"a", "99 %", long + long}, {"├ b"}, {"└ c", "98 %", "nothing"}})
	if got, want := b.String(), "    a\n          promises: 99 %; needed: "+long+long+"\n    ├ b\n    └ c\n          promises: 98 %; needed: nothing\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
