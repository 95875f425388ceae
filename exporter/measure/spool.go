package measure

import "encoding/binary"

// spool holds the histograms of a family, in order, until the size of all is
// known: for each the number of its view, of the value of its extra label and of
// the bytes of its message, and that.
//
// It is in pieces, which are the system's memory and not the collector's where
// there is such: they are given back as they are sent. On the heap 5 MB for the
// time of a scrape would make the heap larger by half as much again, and for
// longer.
type spool struct {
	pieces []piece
	values []string
	number map[string]uint64 // of values
}

// piece is memory, filled from its beginning, and how to give it back.
type piece struct {
	filled []byte
	free   func()
}

// spoolPiece is the size of a piece in bytes, unless a single entry is larger.
const spoolPiece = 256 << 10

func (s *spool) add(view int, value string, message []byte) {
	number, known := s.number[value]
	if !known {
		if s.number == nil {
			s.number = map[string]uint64{}
		}
		number = uint64(len(s.values))
		s.number[value] = number
		s.values = append(s.values, value)
	}
	last := s.room(len(message) + 3*binary.MaxVarintLen64)
	for _, n := range [...]uint64{uint64(view), number, uint64(len(message))} {
		last.filled = binary.AppendUvarint(last.filled, n)
	}
	last.filled = append(last.filled, message...)
}

// room is a piece that has room for so many bytes.
func (s *spool) room(need int) *piece {
	if n := len(s.pieces); n > 0 && cap(s.pieces[n-1].filled)-len(s.pieces[n-1].filled) >= need {
		return &s.pieces[n-1]
	}
	memory, free := borrow(max(spoolPiece, need))
	s.pieces = append(s.pieces, piece{memory[:0], free})
	return &s.pieces[len(s.pieces)-1]
}

// drain visits what was added, in order, and empties the spool. A message is
// valid until visit returns.
func (s *spool) drain(visit func(view int, value string, message []byte)) {
	for len(s.pieces) > 0 {
		for rest := s.pieces[0].filled; len(rest) > 0; {
			var head [3]int
			for i := range head {
				n, size := binary.Uvarint(rest)
				head[i], rest = int(n), rest[size:]
			}
			visit(head[0], s.values[head[1]], rest[:head[2]])
			rest = rest[head[2]:]
		}
		s.pieces[0].free()
		s.pieces = s.pieces[1:]
	}
	s.number, s.values = nil, nil
}

// free empties the spool, also of what was not visited.
func (s *spool) free() {
	for _, p := range s.pieces {
		p.free()
	}
	s.pieces = nil
}
