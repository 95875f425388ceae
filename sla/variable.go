package sla

import (
	"regexp"
	"strings"
)

// variable matches ${name}. $${ is an escaped ${.
var variable = regexp.MustCompile(`\$?\$\{([^}]*)\}`)

// Variables returns the names in a text's ${name}, in order.
func Variables(text string) []string {
	var names []string
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[0], "$$") {
			names = append(names, m[1])
		}
	}
	return names
}

// Substitute replaces variables by values, and $${ by ${.
func Substitute(text string, value func(name string) string) string {
	return variable.ReplaceAllStringFunc(text, func(m string) string {
		if strings.HasPrefix(m, "$$") {
			return m[1:]
		}
		return value(m[2 : len(m)-1])
	})
}
