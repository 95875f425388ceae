package testsize

import (
	"maps"
	"slices"
	"testing"
)

func TestARunTriesASampleOrEverything(t *testing.T) {
	cases := map[string]int{"a": 1, "b": 2, "c": 3}
	all := []string{"a", "b", "c"}
	for env, want := range map[string][]string{"": {"c"}, "1": all, "every": all} {
		t.Setenv("UPHELD_TEST_ALL", env)
		if got, want := Repeats(1, 2, 3), map[string]int{"": 1, "1": 2, "every": 3}[env]; got != want {
			t.Errorf("UPHELD_TEST_ALL=%q: %d repeats, want %d", env, got, want)
		}
		if got := slices.Sorted(maps.Keys(Cases(t, cases, "c"))); !slices.Equal(got, want) {
			t.Errorf("UPHELD_TEST_ALL=%q: %v, want %v", env, got, want)
		}
		skipped := true
		t.Run("long", func(t *testing.T) {
			Skip(t, "what takes long")
			skipped = false
		})
		if skipped != (env == "") {
			t.Errorf("UPHELD_TEST_ALL=%q: skipped %t", env, skipped)
		}
	}
}
