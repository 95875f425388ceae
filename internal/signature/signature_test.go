package signature_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aead.dev/minisign"
	"golang.org/x/crypto/ssh"

	"github.com/upheld-sla/upheld/internal/signature"
)

var message = []byte(`{"agreement": "shop", "verdict": "met"}`)

// keys are a private key and what verifies its signatures.
type keys struct{ private, passphrase, signers []byte }

func sshKeys(t *testing.T, passphrase string) keys {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return keys{pem.EncodeToMemory(block), []byte(passphrase), append([]byte("provider@example "), ssh.MarshalAuthorizedKey(key)...)}
}

func minisignKeys(t *testing.T, passphrase string) keys {
	t.Helper()
	public, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := private.MarshalText()
	if passphrase != "" {
		text, err = minisign.EncryptKey(passphrase, private)
	}
	if err != nil {
		t.Fatal(err)
	}
	signers, err := public.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	return keys{text, []byte(passphrase), signers}
}

func TestSignaturesHoldOnlyForTheSignerAndTheText(t *testing.T) {
	for name, generate := range map[string]func(*testing.T, string) keys{"ssh": sshKeys, "minisign": minisignKeys} {
		for _, passphrase := range []string{"", "open sesame"} {
			t.Run(name+" "+passphrase, func(t *testing.T) {
				if name == "minisign" && passphrase != "" && os.Getenv("UPHELD_TEST_ALL") == "" {
					t.Skip("minisign's encryption of keys takes a gigabyte and some seconds, on purpose")
				}
				own, other := generate(t, passphrase), generate(t, "")
				signed, err := signature.Sign(message, own.private, own.passphrase)
				if err != nil {
					t.Fatal(err)
				}
				if who, err := signature.Verify(message, signed, own.signers); err != nil || who == "" {
					t.Errorf("the signature does not hold: %q, %v", who, err)
				}
				if _, err := signature.Verify(append(bytes.Clone(message), ' '), signed, own.signers); !errors.Is(err, signature.ErrNoMatch) {
					t.Errorf("of a changed text: %v", err)
				}
				if _, err := signature.Verify(message, signed, other.signers); !errors.Is(err, signature.ErrNoMatch) {
					t.Errorf("by another signer: %v", err)
				}
				if passphrase != "" {
					if _, err := signature.Sign(message, own.private, nil); err == nil || !strings.Contains(err.Error(), "passphrase") {
						t.Errorf("an encrypted key without its passphrase: %v", err)
					}
				}
			})
		}
	}
}

func TestVerifyRefusesWhatItCannotFollow(t *testing.T) {
	own := sshKeys(t, "")
	signed, err := signature.Sign(message, own.private, nil)
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimPrefix(string(own.signers), "provider@example ")
	tests := []struct{ name, signed, signers, want string }{
		{"no signature", "hello", string(own.signers), "this is no signature"},
		{"half a signature", string(signed[:len(signed)/2]), string(own.signers), "cannot be read"},
		{"no signers", string(signed), "\n# nobody\n", "there is no signer"},
		{"no key", string(signed), "provider@example hello\n", "line 1 of the signers"},
		{"another namespace", string(signed), `provider@example namespaces="git" ` + key, "namespaces"},
		{"a time limit", string(signed), `provider@example valid-before="20200101" ` + key, "valid-before"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := signature.Verify(message, []byte(test.signed), []byte(test.signers)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
	for _, signers := range []string{key, `provider@example namespaces="git,upheld-report" ` + key} {
		if _, err := signature.Verify(message, signed, []byte(signers)); err != nil {
			t.Errorf("%q: %v", signers, err)
		}
	}
}

// Either side may check with ssh-keygen what was signed here, and the reverse.
func TestSSHKeygenAgrees(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen is not there")
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	run := func(input []byte, args ...string) {
		t.Helper()
		cmd := exec.Command(keygen, args...)
		cmd.Stdin = bytes.NewReader(input)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	read := func(name string) []byte {
		t.Helper()
		text, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	write := func(name string, text []byte) {
		t.Helper()
		if err := os.WriteFile(path(name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(nil, "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path("key"))
	signers := append([]byte("provider@example "), read("key.pub")...)
	write("signers", signers)
	write("report.json", message)

	signed, err := signature.Sign(message, read("key"), nil)
	if err != nil {
		t.Fatal(err)
	}
	write("ours.sig", signed)
	run(message, "-Y", "verify", "-f", path("signers"), "-I", "provider@example", "-n", signature.Namespace, "-s", path("ours.sig"))

	run(nil, "-Y", "sign", "-f", path("key"), "-n", signature.Namespace, path("report.json"))
	if who, err := signature.Verify(message, read("report.json.sig"), signers); err != nil || who != "provider@example" {
		t.Errorf("the signature of ssh-keygen: %q, %v", who, err)
	}
	run(nil, "-Y", "sign", "-f", path("key"), "-n", "file", path("signers"))
	if _, err := signature.Verify(signers, read("signers.sig"), signers); err == nil || !strings.Contains(err.Error(), "upheld-report") {
		t.Errorf("a signature made for something else: %v", err)
	}
}
