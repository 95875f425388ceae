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

// signFlags are the flags that say with which key reports are signed.
type signFlags struct{ key, passphrase string }

func (o *signFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&o.key, "sign.key", "", "sign each report's JSON with the private key in this `file`: one of ssh-keygen or of minisign")
	f.StringVar(&o.passphrase, "sign.passphrase-file", "", "the passphrase of the private key is the first line of this `file`")
}

// signer signs files. Its zero value signs none.
type signer struct{ key, passphrase []byte }

// signer reads the key, before anything is asked of a server.
func (o signFlags) signer(dir string) (signer, error) {
	if o.key == "" {
		if o.passphrase != "" {
			return signer{}, usageError{errors.New("--sign.passphrase-file without --sign.key: name the key that it opens")}
		}
		return signer{}, nil
	}
	if dir == "" {
		return signer{}, usageError{errors.New("--sign.key without -o: a signature is a file beside the report, so name a directory")}
	}
	key, err := os.ReadFile(o.key)
	if err != nil {
		return signer{}, err
	}
	var passphrase []byte
	if o.passphrase != "" {
		text, err := os.ReadFile(o.passphrase)
		if err != nil {
			return signer{}, err
		}
		passphrase, _, _ = bytes.Cut(text, []byte("\n"))
		passphrase = bytes.TrimSuffix(passphrase, []byte("\r"))
	}
	s := signer{key, passphrase}
	if _, err := signature.Sign(nil, key, passphrase); err != nil {
		return signer{}, fmt.Errorf("%s: %w", o.key, err)
	}
	return s, nil
}

// add adds the signature of each report to the files.
func (s signer) add(files []report.File) ([]report.File, error) {
	if s.key == nil {
		return files, nil
	}
	for _, f := range files {
		if filepath.Ext(f.Name) != ".json" {
			continue
		}
		signed, err := signature.Sign(f.Bytes, s.key, s.passphrase)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		files = append(files, report.File{Name: f.Name + signature.Suffix, MediaType: "application/octet-stream", Bytes: signed})
	}
	return files, nil
}
