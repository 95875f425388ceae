package sla

import "slices"

// Default is a value that the specification left out and the reader filled in.
type Default struct {
	Key   string // dotted, below the level: "objective", "indicator.probe.timeout"
	Value string // as it would be written
}

// Defaulted is " (default)" if the level's key was left out, otherwise "".
func (l *ServiceLevel) Defaulted(key string) string {
	if slices.ContainsFunc(l.Defaults, func(d Default) bool { return d.Key == key }) {
		return " (default)"
	}
	return ""
}
