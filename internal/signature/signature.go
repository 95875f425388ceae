// Package signature signs files and checks signatures, in the formats of ssh-keygen and
// minisign, so that each side can check with its own tool.
package signature

import (
	"bytes"
	"errors"
	"fmt"
)

// Namespace is the namespace of SSH signatures, ssh-keygen's option -n. It says that a
// report is signed, so that signatures made for other purposes do not count.
const Namespace = "upheld-report"

// mostBytes bounds the files of keys and signatures.
const mostBytes = 1 << 20

// Suffix is added to the name of a signed file to get its signature's name.
const Suffix = ".sig"

// format is everything about a format of signatures.
type format struct {
	name string
	// signed and key return whether a signature, or a private key, has the format, by
	// its beginning.
	signed, key func(text []byte) bool
	// open decrypts a private key, and returns a function that signs with it.
	open   func(key, passphrase []byte) (func(message []byte) ([]byte, error), error)
	verify func(message, signature, signers []byte) (string, error)
}

// formats is the table of all formats.
var formats = [...]format{
	{
		name:   "ssh",
		signed: func(text []byte) bool { return bytes.HasPrefix(text, []byte("-----BEGIN SSH SIGNATURE-----")) },
		key: func(text []byte) bool {
			return bytes.HasPrefix(text, []byte("-----BEGIN ")) && bytes.Contains(text, []byte("PRIVATE KEY-----"))
		},
		open: openSSH, verify: verifySSH,
	},
	{
		name:   "minisign",
		signed: func(text []byte) bool { return bytes.HasPrefix(text, []byte("untrusted comment:")) },
		key:    func(text []byte) bool { return bytes.HasPrefix(text, []byte("untrusted comment:")) },
		open:   openMinisign, verify: verifyMinisign,
	},
}

// ErrNoMatch is returned if no signer made the signature, or the signed file has
// changed.
var ErrNoMatch = errors.New("no signer that you named made this signature of this file")

// Verify checks a signature of a message, and says who made it. signers is a file of
// allowed signers (ssh-keygen) or public SSH keys, or a minisign public key.
func Verify(message, signature, signers []byte) (who string, err error) {
	for _, part := range [][]byte{signature, signers} {
		if len(part) > mostBytes {
			return "", fmt.Errorf("a signature or list of signers of %d bytes is not read, at most %d are", len(part), mostBytes)
		}
	}
	for _, f := range formats {
		if f.signed(signature) {
			return f.verify(message, signature, signers)
		}
	}
	return "", errors.New("this is no signature; ssh-keygen -Y sign and minisign -S write some that are")
}
