package probe

import "io"

// wire is what a parser reads from. It keeps the error that ended it: a parser that
// finds half of a line, a chunk or a compressed body may call that malformed, while
// the real cause is that the connection broke.
type wire struct {
	from io.Reader
	err  error // that the last Read returned; nil while all is well
	next error // to be returned without reading
	// reads counts the reads. While it is the same, a buffer over the wire still
	// has the same content.
	reads int
}

// reset begins to read from another connection.
func (w *wire) reset(from io.Reader) { *w = wire{from: from} }

// Read reads. Data that comes together with an error is returned first, and the
// error only if the parser reads on.
func (w *wire) Read(b []byte) (int, error) {
	if w.next != nil {
		w.err = w.next
		return 0, w.err
	}
	w.reads++
	n, err := w.from.Read(b)
	if n > 0 && err != nil {
		w.next, err = err, nil
	}
	w.err = err
	return n, err
}

// cause returns the error of the wire if there is one, otherwise the parser's.
func (w *wire) cause(err error) error {
	if err != nil && w.err != nil {
		return w.err
	}
	return err
}
