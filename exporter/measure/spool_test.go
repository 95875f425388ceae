package measure

import (
	"bytes"
	"fmt"
	"testing"
)

// TestASpoolGivesWhatItTook puts in messages of all sizes, also of more than a
// piece, and looks whether all memory is given back.
func TestASpoolGivesWhatItTook(t *testing.T) {
	message := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, i*i*i%(spoolPiece+spoolPiece/3)) }
	var s spool
	for range 2 {
		const n = 150
		for i := range n {
			s.add(i/2, fmt.Sprint("value ", i%7), message(i))
		}
		pieces, freed := len(s.pieces), 0
		for i := range s.pieces {
			free := s.pieces[i].free
			s.pieces[i].free = func() { freed++; free() }
		}
		next := 0
		s.drain(func(view int, value string, got []byte) {
			if view != next/2 || value != fmt.Sprint("value ", next%7) || !bytes.Equal(got, message(next)) {
				t.Errorf("entry %d: view %d, %q, %d bytes", next, view, value, len(got))
			}
			next++
		})
		if next != n || pieces < 3 || freed != pieces || len(s.pieces) != 0 {
			t.Errorf("%d of %d entries, %d of %d pieces given back", next, n, freed, pieces)
		}
	}
	s.add(0, "", message(9))
	s.free()
	s.drain(func(int, string, []byte) { t.Error("what was given back is visited") })
}
