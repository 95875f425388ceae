package signature_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aead.dev/minisign"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/scrypt"
	"golang.org/x/crypto/ssh"

	"github.com/upheld-sla/upheld/internal/signature"
	"github.com/upheld-sla/upheld/internal/testsize"
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
	if err != nil {
		t.Fatal(err)
	}
	if passphrase != "" {
		text = encrypted(t, text, passphrase)
	}
	signers, err := public.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	return keys{text, []byte(passphrase), signers}
}

// encrypted is a private key of minisign, encrypted as minisign does, but with the lowest
// cost that a key may name, rather than some seconds and a gigabyte.
func encrypted(t *testing.T, key []byte, passphrase string) []byte {
	t.Helper()
	comment, text, _ := bytes.Cut(key, []byte("\n"))
	b, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(b) != 158 {
		t.Fatalf("%d bytes of a key: %v", len(b), err)
	}
	kind, salt, secret := b[:2], b[6:38], b[54:]
	copy(b[2:], "Sc")
	copy(salt, "the salt of a key in these tests")
	binary.LittleEndian.PutUint64(b[38:], 1<<15) // operations
	binary.LittleEndian.PutUint64(b[46:], 1<<14) // bytes of memory
	sum := blake2b.Sum256(slices.Concat(kind, secret[:72]))
	copy(secret[72:], sum[:])
	stream, err := scrypt.Key([]byte(passphrase), salt, 16, 8, 64, len(secret)) // what these costs stand for
	if err != nil {
		t.Fatal(err)
	}
	subtle.XORBytes(secret, secret, stream)
	return append(append(bytes.Clone(comment), '\n'), base64.StdEncoding.EncodeToString(b)...)
}

// sign signs with a key that is read for it.
func sign(message []byte, k keys) ([]byte, error) {
	signer, err := signature.NewSigner(k.private, k.passphrase)
	if err != nil {
		return nil, err
	}
	return signer.Sign(message)
}

func TestSignaturesHoldOnlyForTheSignerAndTheText(t *testing.T) {
	for name, generate := range map[string]func(*testing.T, string) keys{"ssh": sshKeys, "minisign": minisignKeys} {
		for _, passphrase := range []string{"", "open sesame"} {
			t.Run(name+" "+passphrase, func(t *testing.T) {
				own, other := generate(t, passphrase), generate(t, "")
				signed, err := sign(message, own)
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
					for _, wrong := range []string{"", "open says me"} {
						if _, err := signature.NewSigner(own.private, []byte(wrong)); err == nil || wrong == "" && !strings.Contains(err.Error(), "passphrase") {
							t.Errorf("an encrypted key with the passphrase %q: %v", wrong, err)
						}
					}
				}
			})
		}
	}
}

// TestAKeyThatMinisignEncrypted signs with a key as minisign encrypts it, which takes a
// gigabyte and some seconds, on purpose: that of testdata, and in make ci-all one that is
// made for it.
func TestAKeyThatMinisignEncrypted(t *testing.T) {
	testsize.Skip(t, "a key that costs as much to decrypt as those of minisign")
	own := keys{passphrase: []byte("open sesame")}
	for file, text := range map[string]*[]byte{"minisign.key": &own.private, "minisign.pub": &own.signers} {
		var err error
		if *text, err = os.ReadFile(filepath.Join("testdata", file)); err != nil {
			t.Fatal(err)
		}
	}
	all := []keys{own}
	if testsize.Every() {
		public, private, err := minisign.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		signers, err := public.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		key, err := minisign.EncryptKey("open sesame", private)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, keys{key, own.passphrase, signers})
	}
	for _, k := range all {
		signed, err := sign(message, k)
		if err != nil {
			t.Fatal(err)
		}
		if who, err := signature.Verify(message, signed, k.signers); err != nil || who == "" {
			t.Errorf("the signature does not hold: %q, %v", who, err)
		}
	}
}

func TestVerifyRefusesWhatItCannotFollow(t *testing.T) {
	own := sshKeys(t, "")
	signed, err := sign(message, own)
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

	signed, err := sign(message, keys{private: read("key")})
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
