package probe

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"sync"

	"github.com/upheld-sla/upheld/sla"
)

// tlsFiles caches the parsed files of a session, until they change.
type tlsFiles struct {
	from sla.TLSFiles

	mu            sync.Mutex
	ca, cert, key []byte // as last read
	pool          *x509.CertPool
	pair          *tls.Certificate
}

// load returns the authorities and the client's certificate, nil without files for
// them. It reads the files every time, and parses them if they have changed.
func (f *tlsFiles) load() (*x509.CertPool, *tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.loadCA(); err != nil {
		return nil, nil, err
	}
	if err := f.loadPair(); err != nil {
		return nil, nil, err
	}
	return f.pool, f.pair, nil
}

func (f *tlsFiles) loadCA() error {
	if f.from.CA == (sla.Secret{}) {
		return nil
	}
	ca, err := pemOf(f.from.CA)
	if err != nil || f.pool != nil && bytes.Equal(ca, f.ca) {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return errors.New("the file of authorities has no certificates in PEM: " + f.from.CA.File)
	}
	f.ca, f.pool = ca, pool
	return nil
}

func (f *tlsFiles) loadPair() error {
	if f.from.Certificate == (sla.Secret{}) {
		return nil
	}
	cert, err := pemOf(f.from.Certificate)
	if err != nil {
		return err
	}
	key, err := pemOf(f.from.Key)
	if err != nil || f.pair != nil && bytes.Equal(cert, f.cert) && bytes.Equal(key, f.key) {
		return err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return errors.New("the client's certificate and key are not a pair in PEM: " + f.from.Certificate.File + ", " + f.from.Key.File)
	}
	f.cert, f.key, f.pair = cert, key, &pair
	return nil
}

func pemOf(s sla.Secret) ([]byte, error) {
	if s.File == "" {
		return []byte(s.Text()), nil
	}
	return readSecret(s)
}
