package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// choice is the value of a flag that accepts one of several words. The flag refuses
// other words, its help lists them, and shells complete them.
type choice struct {
	chosen *string
	words  []string
}

// bindChoice adds such a flag; does describes its effect.
func bindChoice(f *pflag.FlagSet, chosen *string, name, first, does string, words []string) {
	*chosen = first
	f.Var(choice{chosen, words}, name, does+": "+strings.Join(words, ", "))
}

// Formats in which verbs print, for people and for programs.
const (
	textFormat = "text"
	jsonFormat = "json"
)

// bindFormat adds the flag --format to a verb that prints both; does says what it
// prints.
func bindFormat(f *pflag.FlagSet, chosen *string, does string) {
	bindChoice(f, chosen, "format", textFormat, does, []string{textFormat, jsonFormat})
}

func (c choice) String() string {
	if c.chosen == nil { // pflag calls String on a zero value of each type
		return ""
	}
	return *c.chosen
}

func (c choice) Set(word string) error {
	if !slices.Contains(c.words, word) {
		return fmt.Errorf("it is one of %s", strings.Join(c.words, ", "))
	}
	*c.chosen = word
	return nil
}

func (c choice) Type() string { return "string" }

// choices accepts several of some words, separated by commas.
type choices struct {
	chosen *[]string
	words  []string
}

func (c choices) String() string {
	if c.chosen == nil {
		return ""
	}
	return strings.Join(*c.chosen, ",")
}

func (c choices) Set(list string) error {
	for word := range strings.SplitSeq(list, ",") {
		if !slices.Contains(c.words, word) {
			return fmt.Errorf("it is one or more of %s", strings.Join(c.words, ", "))
		}
		*c.chosen = append(*c.chosen, word)
	}
	return nil
}

func (c choices) Type() string { return "strings" }
