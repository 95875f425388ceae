package signature

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

func openSSH(key, passphrase []byte) (func(message []byte) ([]byte, error), error) {
	parse := func() (ssh.Signer, error) { return ssh.ParsePrivateKey(key) }
	if len(passphrase) > 0 {
		parse = func() (ssh.Signer, error) { return ssh.ParsePrivateKeyWithPassphrase(key, passphrase) }
	}
	signer, err := parse()
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return nil, errors.New("the key is encrypted; give its passphrase in a file")
	case err != nil:
		return nil, fmt.Errorf("the private key cannot be read: %w", err)
	}
	return func(message []byte) ([]byte, error) {
		signature, err := sshsig.Sign(bytes.NewReader(message), signer, sshsig.HashSHA512, Namespace)
		if err != nil {
			return nil, err
		}
		return sshsig.Armor(signature), nil
	}, nil
}

func verifySSH(message, signature, signers []byte) (string, error) {
	parsed, err := sshsig.Unarmor(signature)
	if err != nil {
		return "", fmt.Errorf("the signature cannot be read: %w", err)
	}
	if parsed.Namespace != Namespace {
		return "", fmt.Errorf("the signature is for %q and not for %q; sign with ssh-keygen -Y sign -n %s", parsed.Namespace, Namespace, Namespace)
	}
	allowed, err := parseSigners(signers)
	if err != nil {
		return "", err
	}
	for _, s := range allowed {
		if bytes.Equal(s.key.Marshal(), parsed.PublicKey.Marshal()) {
			if err := sshsig.Verify(bytes.NewReader(message), parsed, s.key, parsed.HashAlgorithm, Namespace); err != nil {
				return "", ErrNoMatch
			}
			return s.name, nil
		}
	}
	return "", ErrNoMatch
}

// signer is a line of a file of allowed signers.
type signer struct {
	name string
	key  ssh.PublicKey
}

// parseSigners reads the format ALLOWED SIGNERS of ssh-keygen(1): principals, options,
// key. A line may also be a public key alone; then its comment is the name.
func parseSigners(text []byte) ([]signer, error) {
	var all []signer
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s, err := parseSigner(line)
		if err != nil {
			return nil, fmt.Errorf("line %d of the signers: %w", i+1, err)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no signer in the file; each line names one and his public key")
	}
	return all, nil
}

func parseSigner(line string) (signer, error) {
	if key, comment, options, _, err := ssh.ParseAuthorizedKey([]byte(line)); err == nil && len(options) == 0 {
		if comment == "" {
			comment = ssh.FingerprintSHA256(key)
		}
		return signer{comment, key}, nil
	}
	principals, rest, _ := strings.Cut(line, " ")
	key, _, options, _, err := ssh.ParseAuthorizedKey([]byte(strings.TrimSpace(rest)))
	if err != nil {
		return signer{}, errors.New("it is neither a public key nor an allowed signer, as ssh-keygen(1) says")
	}
	for _, o := range options {
		if err := checkOption(o); err != nil {
			return signer{}, err
		}
	}
	return signer{principals, key}, nil
}

// checkOption refuses unsupported options, since ignoring them would ignore what they
// restrict.
func checkOption(option string) error {
	name, value, _ := strings.Cut(option, "=")
	if strings.EqualFold(name, "namespaces") {
		if slices.Contains(strings.Split(strings.Trim(value, `"`), ","), Namespace) {
			return nil
		}
		return fmt.Errorf("the signer is not allowed for %q; add it to namespaces", Namespace)
	}
	return fmt.Errorf("the option %q is not followed; leave it out, or check with ssh-keygen -Y verify", name)
}
