package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

const cliDoc = "../../docs/cli.md"

// TestCommandLineReference demands that docs/cli.md is what the commands' own
// help says.
func TestCommandLineReference(t *testing.T) {
	want := commandLineReference()
	if *update {
		if err := os.WriteFile(cliDoc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(cliDoc)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale: run go test ./cmd/upheld -run TestCommandLineReference -update", cliDoc)
	}
}

// TestVerbsAreExplained demands of every verb what its user needs: what it does
// in a line and at length, and a worked example that calls it.
func TestVerbsAreExplained(t *testing.T) {
	for _, cmd := range newRoot().Commands() {
		if cmd.Short == "" || cmd.Long == "" {
			t.Errorf("%s does not say what it does", cmd.Name())
		}
		if !strings.Contains(cmd.Example, "upheld "+cmd.Name()) {
			t.Errorf("%s has no example that calls it", cmd.Name())
		}
	}
}

func commandLineReference() string {
	var b strings.Builder
	b.WriteString(`# The command line

Made from the commands' own help by ` + "`go test ./cmd/upheld -run TestCommandLineReference -update`" + `.

Results go to standard output, notes to standard error.

| exit code | means |
|---|---|
`)
	fmt.Fprintf(&b, "| 0 | done |\n| %d | errors in a specification, stale output, a server that could not run |\n| %d | the call itself is wrong: unknown flags, missing arguments |\n\n", exitFailed, exitUsage)
	b.WriteString("| command | |\n|---|---|\n")
	commands := newRoot().Commands()
	for _, cmd := range commands {
		fmt.Fprintf(&b, "| [`upheld %s`](#upheld-%s) | %s |\n", cmd.Name(), cmd.Name(), cmd.Short)
	}
	for _, cmd := range commands {
		writeCommand(&b, cmd)
	}
	return b.String()
}

func writeCommand(b *strings.Builder, cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	fmt.Fprintf(b, "\n## upheld %s\n\n%s\n\n```\n%s\n```\n", cmd.Name(), strings.ReplaceAll(strings.TrimSpace(cmd.Long), "*", `\*`), cmd.UseLine())
	if cmd.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", unindent(cmd.Example))
	}
	if flags := cmd.NonInheritedFlags(); flags.HasAvailableFlags() {
		fmt.Fprintf(b, "\n```\n%s```\n", flags.FlagUsagesWrapped(110))
	}
}

// unindent takes the indentation of help texts off an example.
func unindent(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(line, "  "), " ")
	}
	return strings.Join(lines, "\n")
}
