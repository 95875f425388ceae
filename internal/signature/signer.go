package signature

// Signer signs files with one private key. The zero value has none.
type Signer struct{ key, passphrase []byte }

// NewSigner is a signer with a private key, which is tried once: a key that cannot sign,
// or that the passphrase does not open, is found before there is anything to sign.
func NewSigner(key, passphrase []byte) (Signer, error) {
	if _, err := Sign(nil, key, passphrase); err != nil {
		return Signer{}, err
	}
	return Signer{key, passphrase}, nil
}

// Signs returns whether there is a key.
func (s Signer) Signs() bool { return s.key != nil }

// Sign signs a message.
func (s Signer) Sign(message []byte) ([]byte, error) { return Sign(message, s.key, s.passphrase) }
