package verdict

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// mostEvidence bounds what a file of evidence may unpack to, in bytes: about five
// hundred levels of minutes over a year.
const mostEvidence = 2 << 30

// Digest is the SHA-256 of everything that was measured, in hex. It is the hash of the
// unpacked file that WriteEvidence writes.
func (e Evidence) Digest() (string, error) {
	hash := sha256.New()
	if err := e.encode(hash); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func (e Evidence) encode(w io.Writer) error {
	e.Sources = nil // the same samples from another server are the same evidence
	if err := json.NewEncoder(w).Encode(e); err != nil {
		return fmt.Errorf("evidence cannot be written: %w", err)
	}
	return nil
}

// WriteEvidence writes evidence as JSON, packed by gzip.
func WriteEvidence(w io.Writer, e Evidence) error {
	packed := gzip.NewWriter(w)
	if err := e.encode(packed); err != nil {
		return err
	}
	return packed.Close()
}

// ReadEvidence reads what WriteEvidence wrote.
func ReadEvidence(r io.Reader) (Evidence, error) {
	unpacked, err := gzip.NewReader(r)
	if err != nil {
		return Evidence{}, fmt.Errorf("this is no file of evidence: %w", err)
	}
	limited := &io.LimitedReader{R: unpacked, N: mostEvidence}
	d := json.NewDecoder(limited)
	d.DisallowUnknownFields()
	var e Evidence
	if err := d.Decode(&e); err != nil {
		if limited.N <= 0 {
			return Evidence{}, fmt.Errorf("evidence of more than %d bytes is not read", mostEvidence)
		}
		return Evidence{}, fmt.Errorf("this is no file of evidence: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Evidence{}, errors.New("something follows the evidence in its file")
	}
	for _, l := range e.Levels {
		if err := l.check(); err != nil {
			return Evidence{}, fmt.Errorf("evidence of %s: %w", l.Level, err)
		}
	}
	return e, nil
}
