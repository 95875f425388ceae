//go:build linux

package main

import "fmt"

// goal is a figure and its bound.
type goal struct {
	what    string
	figure  string
	reached bool
}

func (g goal) String() string {
	verdict := "not reached"
	if g.reached {
		verdict = "reached"
	}
	return fmt.Sprintf("goal: %s: %s (%s)", g.what, verdict, g.figure)
}

// atMost is a goal for a figure with an upper bound.
func atMost(what string, figure, bound float64, format string) goal {
	return goal{what: what, figure: fmt.Sprintf(format, figure), reached: figure <= bound}
}

// promise adds a goal to those printed at the end.
func (b *bench) promise(g goal) { b.goals = append(b.goals, g) }
