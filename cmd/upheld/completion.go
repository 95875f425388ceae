package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/promslog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/upheld-sla/upheld/rulegen/emit"
)

// values returns what a shell offers for a flag.
type values func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective)

type flagValue struct {
	flag  string
	offer values
}

// flagValues says what shells offer for flags, by name, as a name means the same with
// every verb. Flags that are not here take free text.
var flagValues = []flagValue{
	{"samples", filesOf("om", "prom", "txt")},
	{"outputs", listOf(allOutputs)},
	{"rules.format", oneOf(emit.RuleFormats())},
	{"log.level", oneOf(promslog.LevelFlagOptions)},
	{"log.format", oneOf(promslog.FormatFlagOptions)},
	{"output-dir", folders},
	{"files.allow", folders},
	{"storage.path", folders},
	{"alertmanager.merge", filesOf("yml", "yaml")},
	{"http.config.file", filesOf("yml", "yaml")},
	{"alertmanager.http.config.file", filesOf("yml", "yaml")},
	{"web.config.file", filesOf("yml", "yaml")},
	{"scrape.config.file", filesOf("yml", "yaml")},
}

// valuesOf returns what shells offer for a flag.
func valuesOf(f *pflag.Flag) values {
	switch v := f.Value.(type) {
	case choice:
		return oneOf(v.words)
	case choices:
		return listOf(v.words)
	}
	for _, known := range flagValues {
		if known.flag == f.Name {
			return known.offer
		}
	}
	return nothing
}

// oneOf offers some words.
func oneOf(words []string) values {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// listOf offers words for a list separated by commas.
func listOf(words []string) values {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndex(typed, ",")+1]
		var offered []string
		for _, word := range words {
			if !slices.Contains(strings.Split(before, ","), word) {
				offered = append(offered, before+word)
			}
		}
		return offered, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// filesOf offers folders, and files with certain endings.
func filesOf(endings ...string) values {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return endings, cobra.ShellCompDirectiveFilterFileExt
	}
}

func nothing(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// completeFlags makes shells complete the flags and arguments of verbs.
func completeFlags(root *cobra.Command) {
	all := root.Commands()
	for _, cmd := range root.Commands() {
		all = append(all, cmd.Commands()...)
	}
	for _, cmd := range all {
		cmd.ValidArgsFunction = nothing
		if strings.Contains(cmd.Use, "SPEC") {
			cmd.ValidArgsFunction = filesOf("yaml", "yml")
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			offer := valuesOf(f)
			if f.NoOptDefVal != "" { // a flag without a value
				return
			}
			if err := cmd.RegisterFlagCompletionFunc(f.Name, offer); err != nil {
				panic(err) // registered twice
			}
		})
	}
}

// tameCompletion makes cobra's completion verb report mistakes in its call like all
// other verbs.
func tameCompletion(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Example = "  upheld completion bash > /etc/bash_completion.d/upheld"
		var shells []string
		for _, shell := range cmd.Commands() {
			shells = append(shells, shell.Name())
			shell.Args = noArguments
		}
		cmd.Args = func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("completion needs a shell: %s", strings.Join(shells, ", "))}
			}
			return usageError{fmt.Errorf("completion knows no shell %q; it is one of %s", args[0], strings.Join(shells, ", "))}
		}
		cmd.RunE = func(*cobra.Command, []string) error { return nil }
	}
}
