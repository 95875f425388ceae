package web

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plural prints a number with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// lower begins words with a small letter, for the middle of a sentence.
func lower(words string) string {
	first, size := utf8.DecodeRuneInString(words)
	return string(unicode.ToLower(first)) + words[size:]
}

// trimTarget prints "missed" for "Target missed".
func trimTarget(words string) string { return strings.TrimPrefix(words, "Target ") }

// and lists things as in a sentence: "a, b and c". If there are more than most it
// counts the rest.
func and(things []string, most int) string {
	if n := len(things) - most; n > 0 {
		things = append(append([]string(nil), things[:most]...), strconv.Itoa(n)+" more")
	}
	switch n := len(things); n {
	case 0:
		return ""
	case 1:
		return things[0]
	default:
		return strings.Join(things[:n-1], ", ") + " and " + things[n-1]
	}
}
