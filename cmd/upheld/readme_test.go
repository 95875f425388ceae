package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/golden"
)

// Every console block of the README that calls upheld shows what it prints:
// standard output, then standard error. With -update it is rewritten.
func TestReadmeShowsRealOutput(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	readme := filepath.Join(root, "README.md")
	content, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(content, []byte("\n")); lines > 150 {
		t.Errorf("README.md has %d lines, want at most 150", lines)
	}
	const open, prompt = "```console\n", "$ upheld "
	parts := strings.Split(string(content), open)
	if len(parts) < 3 {
		t.Fatal("README.md has no console blocks")
	}
	t.Chdir(root)
	for i, part := range parts[1:] {
		block, rest, ok := strings.Cut(part, "```\n")
		command, _, _ := strings.Cut(block, "\n")
		args, isUpheld := strings.CutPrefix(command, prompt)
		if !ok || !isUpheld {
			continue
		}
		parts[i+1] = command + "\n" + output(t, strings.Fields(args)) + "```\n" + rest
	}
	golden.Equal(t, readme, []byte(strings.Join(parts, open)))
}

// output runs a verb; a directory to write to is redirected to a temporary one
// and named as before in what is shown.
func output(t *testing.T, args []string) string {
	t.Helper()
	dir := t.TempDir()
	shown := ""
	for i := 1; i < len(args); i++ {
		if args[i-1] == "-o" {
			shown, args[i] = args[i], dir
		}
	}
	var stdout, stderr bytes.Buffer
	root := newRoot(&stdout, &stderr)
	root.SetArgs(args)
	_ = root.ExecuteContext(t.Context()) // what it prints is compared, findings too
	text := stdout.String() + stderr.String()
	if shown != "" {
		text = strings.ReplaceAll(text, dir, shown)
	}
	return text
}
