package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/upheld-sla/upheld/internal/golden"
)

const cliDoc = "../../docs/cli.md"

// TestCommandLineReference demands that docs/cli.md is what the commands' own
// help says.
func TestCommandLineReference(t *testing.T) {
	golden.Equal(t, cliDoc, []byte(commandLineReference()))
}

// TestVerbsAreExplained demands of every verb what its user needs: what it does
// in a line and at length, and a worked example that calls it.
func TestVerbsAreExplained(t *testing.T) {
	for _, cmd := range newRoot(io.Discard, io.Discard).Commands() {
		if cmd.Short == "" || cmd.Long == "" {
			t.Errorf("%s does not say what it does", cmd.Name())
		}
		if !strings.Contains(cmd.Example, "upheld "+cmd.Name()) {
			t.Errorf("%s has no example that calls it", cmd.Name())
		}
		for _, below := range cmd.Commands() {
			if cmd.Name() != "completion" && (below.Short == "" || below.Long == "" || !strings.Contains(below.Example, below.CommandPath())) {
				t.Errorf("%s does not say what it does, or has no example that calls it", below.CommandPath())
			}
		}
	}
}

func commandLineReference() string {
	var b strings.Builder
	b.WriteString(`# The command line

Made from the commands' own help by ` + "`go test ./cmd/upheld -run TestCommandLineReference -update`" + `.

Results go to standard output, notes to standard error. SPEC is a file, a directory (every \*.yaml and \*.yml directly in it), a glob in quotes, or - for standard
input. A symbolic link in a directory is followed only inside of it. "upheld completion SHELL" makes shells complete verbs, flags and their values.

`)
	b.WriteString(exitReference())
	b.WriteString("| command | |\n|---|---|\n")
	commands := newRoot(io.Discard, io.Discard).Commands()
	for _, cmd := range commands {
		fmt.Fprintf(&b, "| [`upheld %s`](#upheld-%s) | %s |\n", cmd.Name(), cmd.Name(), cmd.Short)
	}
	for _, cmd := range commands {
		writeCommand(&b, cmd)
		if cmd.Name() == "completion" {
			continue // whose commands are shells
		}
		for _, below := range cmd.Commands() {
			writeCommand(&b, below)
		}
	}
	return b.String()
}

// exitReference are the tables of exit codes, of the verbs that there are.
func exitReference() string {
	var b strings.Builder
	b.WriteString("| exit code | means |\n|---|---|\n")
	for _, c := range exitCodes {
		fmt.Fprintf(&b, "| %d | %s |\n", c.code, c.means)
	}
	b.WriteString("\n| verb | exit code | when |\n|---|---|---|\n")
	for _, e := range verbExits {
		if cmd, rest, err := newRoot(io.Discard, io.Discard).Find([]string{e.verb}); err == nil && len(rest) == 0 {
			fmt.Fprintf(&b, "| `%s` | %d | %s |\n", cmd.Name(), e.code, e.when)
		}
	}
	b.WriteString("\nA reader that closes standard output early, as `head` does, changes no exit code, and nothing that is written to files.\n\n")
	return b.String()
}

// TestEveryVerbHasExitCodes demands a line of the table for each verb.
func TestEveryVerbHasExitCodes(t *testing.T) {
	listed := map[string]bool{}
	for _, e := range verbExits {
		listed[e.verb] = true
		if !slices.ContainsFunc(exitCodes, func(c exitCode) bool { return c.code == e.code }) {
			t.Errorf("the exit code %d of %s is in no table", e.code, e.verb)
		}
	}
	for _, cmd := range newRoot(io.Discard, io.Discard).Commands() {
		if !listed[cmd.Name()] {
			t.Errorf("%s has no exit codes in the table", cmd.Name())
		}
	}
}

func writeCommand(b *strings.Builder, cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n```\n%s\n```\n", cmd.CommandPath(), strings.ReplaceAll(strings.TrimSpace(cmd.Long), "*", `\*`), cmd.UseLine())
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
