package spec

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Columns in long lines are those that counting from the start gives, with a byte order mark and without.
func TestPlacesInLongLines(t *testing.T) {
	for _, mark := range []string{"", "\ufeff"} {
		for _, text := range []string{strings.Repeat("a", 5*stride), strings.Repeat("aé€😀", 2*stride), strings.Repeat("é", stride), strings.Repeat("x", stride-1) + "é€", ""} {
			src := newSource("a.yaml", mark+text+"\nsecond: é\n"+text)
			for _, line := range []int{1, 3} {
				want := 1
				if line == 1 {
					want += len(mark)
				}
				rest := text
				for column := 1; column <= utf8.RuneCountInString(text)+1; column++ {
					if got := src.position(line, column).Column; got != want {
						t.Fatalf("%d bytes, line %d, character %d: byte %d, want %d", len(text), line, column, got, want)
					}
					_, size := utf8.DecodeRuneInString(rest)
					rest, want = rest[size:], want+size
				}
			}
			if got := src.position(1, 100*stride+7); got.Line != 1 || got.Column > len(mark)+len(text)+1 {
				t.Errorf("a place outside of the line is %v", got)
			}
		}
	}
}
