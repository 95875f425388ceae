package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/internal/testsize"
)

// peerRules are the rule files of other tools that docs/migrating.md reads, which those
// tools made: internal/imports holds them to the programs.
var peerRules = map[string]string{
	"sloth-rules.yaml":       "sloth-example-rules.yaml",
	"pyrra/shop-orders.yaml": "pyrra-rules/shop-orders.yaml",
}

// TestMigratingPageShowsSimulations runs the simulations that docs/migrating.md shows,
// over the series that it shows, and compares the tables. With -update it writes them. A
// short run has those of Sloth's rules and of what became of them, which are the first.
func TestMigratingPageShowsSimulations(t *testing.T) {
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(root, "docs/migrating.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for name, made := range peerRules {
		rules, err := os.ReadFile(filepath.Join(root, "internal/imports/testdata/peers", made))
		if err != nil {
			t.Fatal(err)
		}
		writeIn(t, name, string(rules))
	}
	examples := filepath.Join(root, "examples/imported")
	printedBy(t, "generate", examples+"/sloth/sloth.yaml", examples+"/pyrra/pyrra.yaml", "-o", "generated")
	shown := strings.SplitAfter(string(text), "```console\n")
	runs := 0
	for i, part := range shown[1:] {
		block, after, _ := strings.Cut(part, "```\n")
		if !strings.Contains(block, "$ upheld simulate ") || runs > 1 && !testsize.All() && !golden.Updating() {
			continue
		}
		var b strings.Builder
		for command := range strings.SplitSeq(block, "$ ") {
			line, output, _ := strings.Cut(command, "\n")
			if file, ok := strings.CutPrefix(line, "cat "); ok {
				writeIn(t, file, output)
			}
			if args, ok := strings.CutPrefix(line, "upheld "); ok {
				output = alertTable(t, printedBy(t, strings.Fields(args)...))
				runs++
			}
			if line != "" {
				b.WriteString("$ " + line + "\n" + output)
			}
		}
		shown[i+1] = b.String() + "```\n" + after
	}
	if runs < testsize.Of(2, 4) {
		t.Fatalf("only %d simulations are shown", runs)
	}
	golden.Equal(t, page, []byte(strings.Join(shown, "")))
}

func writeIn(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// printedBy is what a verb prints.
func printedBy(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(args, &stdout, &stderr); code != 0 {
		t.Fatalf("%v: exit code %d: %s", args, code, &stderr)
	}
	return stdout.String()
}

// alertTable is the table of alerts in what simulate prints.
func alertTable(t *testing.T, printed string) string {
	t.Helper()
	_, table, found := strings.Cut(printed, "\n  alert ")
	table, _, ends := strings.Cut(table, "\n\n")
	if !found || !ends {
		t.Fatalf("no table of alerts:\n%s", printed)
	}
	return "  alert " + table + "\n"
}
