package web

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plural is a number with its noun.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// lower begins words with a small letter, as within a sentence.
func lower(words string) string {
	first, size := utf8.DecodeRuneInString(words)
	return string(unicode.ToLower(first)) + words[size:]
}

// trimTarget is "missed" of "Target missed".
func trimTarget(words string) string { return strings.TrimPrefix(words, "Target ") }

// and lists things as a sentence does: "a, b and c"; of more than most of them it says
// how many there are besides.
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
