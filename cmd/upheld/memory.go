package main

import (
	"os"
	"runtime/debug"
)

// collectLess lets a verb that soon ends use memory up to a bound before the
// garbage collector runs often, which is a quarter of the time otherwise.
// What the environment says about it counts more.
func collectLess() {
	const percent, bound = 400, 224 << 20
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(bound)
	}
}
