// Package testsize says how much of its matrix a test tries: a sample that holds
// each behaviour once, the same in every run; every case, which `make test-all`
// asks for; or these under many more names and on every promtool, which
// `make ci-all` asks for. It is imported by tests only.
package testsize

import (
	"maps"
	"os"
	"slices"
	"testing"
)

// All returns whether every case is tried: UPHELD_TEST_ALL is set.
func All() bool { return os.Getenv("UPHELD_TEST_ALL") != "" }

// Every returns whether every repetition of a case is tried, under more names, on an
// older program or with rules that are evaluated one by one: UPHELD_TEST_ALL is "every".
func Every() bool { return os.Getenv("UPHELD_TEST_ALL") == "every" }

// Repeats is how often a case is repeated: some in a short run, more in a run with
// every case, and all in a run that also repeats every case.
func Repeats(some, more, all int) int {
	if Every() {
		return all
	}
	return Of(some, more)
}

// Of returns all in a run with every case, and some otherwise.
func Of[T any](some, all T) T {
	if All() {
		return all
	}
	return some
}

// Cases are all cases in a run that tries every case, and those of the names
// otherwise. A name that no case has fails the test: a sample must not shrink
// when a case is renamed.
func Cases[C any](t testing.TB, all map[string]C, names ...string) map[string]C {
	t.Helper()
	some := map[string]C{}
	for _, name := range names {
		c, ok := all[name]
		if !ok {
			t.Fatalf("no case is named %q: %q", name, slices.Sorted(maps.Keys(all)))
		}
		some[name] = c
	}
	return Of(some, all)
}

// Skip skips a test that takes long, and says what only `make test-all` tries.
func Skip(t testing.TB, what string) {
	t.Helper()
	if !All() {
		t.Skipf("only make test-all tries %s", what)
	}
}
