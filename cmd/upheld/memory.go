package main

import (
	"os"
	"runtime/debug"
)

// collectLess lets a short-running verb use memory up to a bound before the garbage
// collector runs often, which would take a quarter of its time. Settings in the
// environment take precedence.
func collectLess() {
	const percent, bound = 400, 224 << 20
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(bound)
	}
}
