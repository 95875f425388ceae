package main

import "testing"

// Of more than a screen holds, the worst levels stay in sight.
func TestFirstLinesOfAScreen(t *testing.T) {
	const text = "1\n2\n3\n4\n5\n6\n7\n"
	for most, want := range map[int]string{-1: text, 4: text, 5: "1\n2\n3\n4\n... and 3 more lines\n", 6: "1\n2\n3\n4\n5\n... and 2 more lines\n", 7: text, 30: text} {
		if got := firstLines(text, most); got != want {
			t.Errorf("%d: %q", most, got)
		}
	}
}
