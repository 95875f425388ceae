package signature

import (
	"bytes"
	"fmt"

	"aead.dev/minisign"
)

func openMinisign(key, passphrase []byte) (func(message []byte) ([]byte, error), error) {
	private, err := minisign.DecryptKey(string(passphrase), key)
	if !minisign.IsEncrypted(key) {
		err = private.UnmarshalText(key)
	}
	if err != nil {
		return nil, fmt.Errorf("the private key cannot be read; if it is encrypted, give its passphrase in a file: %w", err)
	}
	return func(message []byte) ([]byte, error) {
		return minisign.SignWithComments(private, message, "namespace: "+Namespace, "signature of a report"), nil
	}, nil
}

func verifyMinisign(message, signature, signers []byte) (string, error) {
	var key minisign.PublicKey
	if err := key.UnmarshalText(bytes.TrimSpace(signers)); err != nil {
		return "", fmt.Errorf("the signers are no public key of minisign: %w", err)
	}
	if !minisign.Verify(key, message, signature) {
		return "", ErrNoMatch
	}
	return fmt.Sprintf("minisign key %016X", key.ID()), nil
}
