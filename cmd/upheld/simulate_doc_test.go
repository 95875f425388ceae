package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
)

// TestSimulatePageShowsARun runs the command that docs/simulate.md shows, and compares
// what it prints. With -update it writes it there.
func TestSimulatePageShowsARun(t *testing.T) {
	page := repository + "/docs/simulate.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), "```console\n$ upheld ")
	command, rest, _ := strings.Cut(rest, "\n")
	shown, after, closed := strings.Cut(rest, "```\n")
	if !found || !closed {
		t.Fatalf("%s shows no run", page)
	}
	t.Chdir(repository)
	var stdout, stderr bytes.Buffer
	if code := run(strings.Fields(command), &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	if stdout.String() == shown {
		return
	}
	if flag.Lookup("update").Value.String() != "true" {
		t.Fatalf("%s is stale: go test ./cmd/upheld -run %s -update; it prints\n%s", page, t.Name(), &stdout)
	}
	if err := os.WriteFile("docs/simulate.md", []byte(before+"```console\n$ upheld "+command+"\n"+stdout.String()+"```\n"+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
