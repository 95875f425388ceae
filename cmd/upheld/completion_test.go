package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Every value that a shell offers for a flag is one that the flag takes, and
// every line of the table is of a flag.
func TestShellsOfferValuesThatFlagsTake(t *testing.T) {
	used := map[string]bool{}
	root := newRoot(io.Discard, io.Discard)
	for _, cmd := range root.Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			used[f.Name] = true
			words, how := valuesOf(f)(cmd, nil, "")
			if how&(cobra.ShellCompDirectiveFilterDirs|cobra.ShellCompDirectiveFilterFileExt) != 0 {
				return
			}
			if len(words) == 0 && (f.Name == "format" || slices.ContainsFunc(flagValues, func(v flagValue) bool { return v.flag == f.Name })) {
				t.Errorf("%s --%s: nothing is offered", cmd.Name(), f.Name)
			}
			for _, word := range words {
				if err := f.Value.Set(word); err != nil {
					t.Errorf("%s --%s: %q is offered and refused: %v", cmd.Name(), f.Name, word, err)
				}
				if !strings.Contains(f.Usage, word) && !strings.Contains(f.DefValue, word) {
					t.Errorf("%s --%s: the help does not name %q", cmd.Name(), f.Name, word)
				}
			}
		})
	}
	for _, f := range flagValues {
		if !used[f.flag] {
			t.Errorf("no verb has a flag --%s", f.flag)
		}
	}
}
