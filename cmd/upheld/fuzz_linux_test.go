package main

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"
)

// What a specification of 100 kB may cost, whatever is in it.
const (
	mostText   = 100_000
	mostCPU    = 5 * time.Second
	mostMemory = 500 << 20
)

// FuzzWorkIsBounded has check, explain and generate answer any specification. Memory is
// collected as in the program, whatever GOGC says of tests, and what tests before it have
// left does not count.
func FuzzWorkIsBounded(f *testing.F) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	debug.FreeOSMemory()
	specs, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(specs) == 0 {
		f.Fatalf("no seeds (%v)", err)
	}
	for _, path := range specs {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > mostText {
			t.Skip("larger than what is promised")
		}
		dir := t.TempDir()
		file := filepath.Join(dir, "spec.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"check", file}, {"explain", file}, {"generate", file, "-o", filepath.Join(dir, "out")}} {
			before := cpuTime(t)
			runVerb(t, args...)
			if used := cpuTime(t) - before; used > mostCPU {
				t.Errorf("%s took %s of CPU", args[0], used)
			}
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if taken := m.HeapSys - m.HeapReleased; taken > mostMemory {
			t.Errorf("%d MB were taken", taken>>20)
		}
	})
}

// cpuTime is what this process has used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
