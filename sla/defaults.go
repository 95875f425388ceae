package sla

import (
	"slices"
	"strings"
)

// Default is a value that the specification left out and the reader filled in.
type Default struct {
	Key   string // dotted, below the level: "objective", "indicator.probe.timeout"
	Value string // as one would write it
}

// Defaulted is " (default)" if the level's key was filled in, else "".
func (l *ServiceLevel) Defaulted(key string) string {
	if slices.ContainsFunc(l.Defaults, func(d Default) bool { return d.Key == key }) {
		return " (default)"
	}
	return ""
}

// FilledIn lists what was filled in as "key: value, key: value".
func (l *ServiceLevel) FilledIn() string {
	parts := make([]string, len(l.Defaults))
	for i, d := range l.Defaults {
		parts[i] = d.Key + ": " + d.Value
	}
	return strings.Join(parts, ", ")
}
