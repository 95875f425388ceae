package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/internal/signature"
)

// signFlags say with which key reports are signed.
type signFlags struct{ key, passphrase string }

func (o *signFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&o.key, "sign.key", "", "sign each report's JSON with the private key in this `file`: one of ssh-keygen or of minisign")
	f.StringVar(&o.passphrase, "sign.passphrase-file", "", "the passphrase of the private key is the first line of this `file`")
}

// signer reads the key, before any measurement or request.
func (o signFlags) signer() (signature.Signer, error) {
	if o.key == "" {
		if o.passphrase != "" {
			return signature.Signer{}, usageError{errors.New("--sign.passphrase-file without --sign.key: name the key that it opens")}
		}
		return signature.Signer{}, nil
	}
	key, err := os.ReadFile(o.key)
	if err != nil {
		return signature.Signer{}, fmt.Errorf("--sign.key: %w", err)
	}
	var passphrase []byte
	if o.passphrase != "" {
		text, err := os.ReadFile(o.passphrase)
		if err != nil {
			return signature.Signer{}, fmt.Errorf("--sign.passphrase-file: %w", err)
		}
		passphrase, _, _ = bytes.Cut(text, []byte("\n"))
		passphrase = bytes.TrimSuffix(passphrase, []byte("\r"))
	}
	s, err := signature.NewSigner(key, passphrase)
	if err != nil {
		err = fmt.Errorf("%s: %w", o.key, err)
	}
	return s, err
}

// withSignatures adds the signature of each report to the files.
func withSignatures(files []report.File, by signature.Signer) ([]report.File, error) {
	if !by.Signs() {
		return files, nil
	}
	for _, f := range files {
		if filepath.Ext(f.Name) != ".json" {
			continue
		}
		signed, err := by.Sign(f.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		files = append(files, report.File{Name: f.Name + signature.Suffix, MediaType: "application/octet-stream", Bytes: signed})
	}
	return files, nil
}
