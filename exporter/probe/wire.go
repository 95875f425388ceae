package probe

import "io"

// wire is what a parser reads from, and keeps the error that ended it. A parser
// that finds half of a line, of a chunk or of a compressed body may call that
// malformed: what it is was said by the wire, and by nothing that had come over
// it until then.
type wire struct {
	from io.Reader
	err  error // that the last Read returned; nil while all is well
	next error // to be returned without reading
	// reads is how often something was read: a buffer over it is as it was while
	// this is.
	reads int
}

// reset begins to read from another connection.
func (w *wire) reset(from io.Reader) { *w = wire{from: from} }

// Read reads. What comes together with an error is returned first: only a parser
// that wants more than that sees the error.
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

// cause is the error of the wire if there is one, and else that of the parser.
func (w *wire) cause(err error) error {
	if err != nil && w.err != nil {
		return w.err
	}
	return err
}
