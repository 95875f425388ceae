package signature

import "errors"

// Signer signs files with one private key. The zero value has no key.
type Signer struct {
	sign func(message []byte) ([]byte, error)
}

// NewSigner makes a signer with a private key of OpenSSH (ssh-keygen) or minisign. An
// encrypted key needs its passphrase. NewSigner reads, decrypts and tries the key once,
// so that problems appear before there is anything to sign: decrypting a key takes
// seconds and up to a gigabyte of memory, on purpose.
func NewSigner(key, passphrase []byte) (Signer, error) {
	for _, f := range formats {
		if !f.key(key) {
			continue
		}
		sign, err := f.open(key, passphrase)
		if err != nil {
			return Signer{}, err
		}
		if _, err := sign(nil); err != nil {
			return Signer{}, err
		}
		return Signer{sign}, nil
	}
	return Signer{}, errors.New("this is no private key; make one with ssh-keygen -t ed25519, or with minisign -G")
}

// Signs returns whether there is a key.
func (s Signer) Signs() bool { return s.sign != nil }

// Sign signs a message.
func (s Signer) Sign(message []byte) ([]byte, error) { return s.sign(message) }
