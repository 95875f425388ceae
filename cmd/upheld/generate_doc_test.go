package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/golden"
)

// TestPagesShowWhatGeneratePrints runs each generate of examples/smallest.yaml that a page
// shows, and compares what it prints. A line of three dots stands for any number of lines.
// smallest.yaml is the example with another target, as docs/generate.md says. With -update
// the pages are written.
func TestPagesShowWhatGeneratePrints(t *testing.T) {
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	for page, commands := range map[string]int{"generate.md": 5, "dashboards.md": 2} {
		t.Run(page, func(t *testing.T) {
			path := filepath.Join(root, "docs", page)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.SplitAfter(string(text), "```console\n")
			runs := 0
			for i, part := range parts[1:] {
				block, after, _ := strings.Cut(part, "```\n")
				shown, n := shownAgain(t, root, block)
				parts[i+1] = shown + "```\n" + after
				runs += n
			}
			if runs != commands {
				t.Errorf("%d commands were run, want %d", runs, commands)
			}
			golden.Equal(t, path, []byte(strings.Join(parts, "")))
		})
	}
}

// shownAgain is a block of commands with what those that are run here print now, and how
// many these are. Each block begins in a folder of its own.
func shownAgain(t *testing.T, root, block string) (shown string, runs int) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.Symlink(filepath.Join(root, "examples"), "examples"); err != nil {
		t.Fatal(err)
	}
	changed := false
	var b strings.Builder
	for part := range strings.SplitSeq(block, "$ ") {
		command, output, _ := strings.Cut(part, "\n")
		args, ours := strings.CutPrefix(command, "upheld ")
		words := strings.Fields(args)
		switch {
		case !ours || words[0] != "generate":
		case words[1] == "smallest.yaml":
			if !changed {
				changeSmallest(t)
				changed = true
			}
			fallthrough
		case words[1] == "examples/smallest.yaml":
			printed := onTerminal(t, words)
			if strings.TrimSpace(output) != "" {
				output = elided(output, printed)
			}
			runs++
		}
		if command != "" {
			b.WriteString("$ " + command + "\n" + output)
		}
	}
	return b.String(), runs
}

// changeSmallest generates from the example, and then changes its target.
func changeSmallest(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile("examples/smallest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	writeIn(t, "smallest.yaml", string(text))
	printedBy(t, "generate", "smallest.yaml", "-o", "generated")
	stricter := strings.Replace(string(text), `"99.9"`, `"99.95"`, 1)
	if stricter == string(text) {
		t.Fatal("the example has another target")
	}
	writeIn(t, "smallest.yaml", stricter)
}

// onTerminal is what a command prints to a terminal, whatever its exit code: --diff has
// one of its own.
func onTerminal(t *testing.T, args []string) string {
	t.Helper()
	var terminal bytes.Buffer
	if code := run(args, &terminal, &terminal); code != 0 && !slices.Contains(args, "--diff") {
		t.Fatalf("%v: exit code %d: %s", args, code, &terminal)
	}
	return terminal.String()
}

// elided is what was printed, with a line of dots where the page has one: as many lines
// stand before and after it.
func elided(shown, printed string) string {
	before, after, dots := strings.Cut(shown, "  ...\n")
	lines := strings.SplitAfter(printed, "\n")
	first, last := strings.Count(before, "\n"), strings.Count(after, "\n")
	if !dots || first+last > len(lines) {
		return printed
	}
	end := len(lines) - 1 - last // what was printed ends with a new line
	return strings.Join(lines[:first], "") + "  ...\n" + strings.Join(lines[end:], "")
}
