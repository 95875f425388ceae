package sla

import (
	"regexp"
	"strings"
)

// variable is ${name}; $${ is a dollar and a brace.
var variable = regexp.MustCompile(`\$?\$\{([^}]*)\}`)

// Variables are the names that a text refers to as ${name}, in order.
func Variables(text string) []string {
	var names []string
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[0], "$$") {
			names = append(names, m[1])
		}
	}
	return names
}

// Substitute puts values in the place of variables, and a dollar in that of two
// before a brace.
func Substitute(text string, value func(name string) string) string {
	return variable.ReplaceAllStringFunc(text, func(m string) string {
		if strings.HasPrefix(m, "$$") {
			return m[1:]
		}
		return value(m[2 : len(m)-1])
	})
}
