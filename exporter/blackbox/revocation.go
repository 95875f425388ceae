package blackbox

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	pconfig "github.com/prometheus/common/config"
)

const (
	// maxRevocationList bounds a list, in bytes. A longer one counts as not available.
	maxRevocationList = 10 << 20
	// maxRevocationChecks bounds how many certificates of a chain are checked: each
	// has its own series, and the server chooses the chain.
	maxRevocationChecks = 10
)

var errListTooLong = errors.New("the list is longer than 10 MiB")

// reportRevocation checks the certificates of the last TLS session against the
// revocation lists that they name, and reports what it finds. It never makes a
// probe fail. It fetches lists within the probe's timeout and limits, and through
// the proxy of client, which is nil for probers without one.
func (a *attempt) reportRevocation(ctx context.Context, client *pconfig.HTTPClientConfig) {
	a.mu.Lock()
	h := a.handshake
	a.mu.Unlock()
	for _, name := range []string{"revoked", "stale", "available", "next_update_timestamp_seconds"} {
		delete(a.out, "probe_ssl_crl_"+name) // of a session before
	}
	lists := &revocationLists{attempt: a, client: a.listClient(client)}
	if h != nil {
		chain := h.state.PeerCertificates
		if len(h.chains) > 0 {
			chain = h.chains[0]
		}
		for i, cert := range chain[:min(len(chain), maxRevocationChecks)] {
			issuer := cert // of the last one, which has signed itself
			if i+1 < len(chain) {
				issuer = chain[i+1]
			}
			lists.check(ctx, i, cert, issuer)
		}
	}
	a.out.set("probe_ssl_crl_fetch_time_seconds", lists.took.Seconds())
}

// revocationLists fetches the lists of one chain.
type revocationLists struct {
	*attempt
	client *http.Client
	took   time.Duration
}

// check reports one certificate. The first of its lists that is valid counts.
func (l *revocationLists) check(ctx context.Context, position int, cert, issuer *x509.Certificate) {
	var list *x509.RevocationList
	at := ""
	for _, at = range cert.CRLDistributionPoints {
		var err error
		if list, err = l.fetch(ctx, at, issuer); err == nil {
			break
		}
		l.log.Warn("Failed to fetch CRL", "url", at, "subject", cert.Subject.String(), "err", err)
	}
	fingerprint := sha256.Sum256(cert.Raw)
	report := func(name string, value float64) {
		l.out.set("probe_ssl_crl_"+name, value, hex.EncodeToString(fingerprint[:]), cert.Subject.String(), cert.Issuer.String(),
			strings.Join(cert.DNSNames, ","), fmt.Sprintf("%x", cert.SerialNumber.Bytes()), strconv.Itoa(position), at)
	}
	revoked, stale := false, false
	if list != nil {
		for _, entry := range list.RevokedCertificateEntries {
			revoked = revoked || entry.SerialNumber.Cmp(cert.SerialNumber) == 0
		}
		if !list.NextUpdate.IsZero() {
			stale = list.NextUpdate.Before(time.Now())
			report("next_update_timestamp_seconds", float64(list.NextUpdate.Unix()))
		}
	}
	report("available", oneIf(list != nil))
	report("revoked", oneIf(revoked))
	report("stale", oneIf(stale))
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// fetch gets a list, which the issuer must have signed and which must be valid by
// now.
func (l *revocationLists) fetch(ctx context.Context, at string, issuer *x509.Certificate) (*x509.RevocationList, error) {
	start := time.Now()
	text, err := l.get(ctx, at)
	l.took += time.Since(start)
	if err != nil {
		return nil, err
	}
	list, err := x509.ParseRevocationList(text)
	if err != nil {
		return nil, err
	}
	if err := list.CheckSignatureFrom(issuer); err != nil {
		return nil, err
	}
	if list.ThisUpdate.After(time.Now()) {
		return nil, fmt.Errorf("the list is not valid before %s", list.ThisUpdate.UTC().Format(time.RFC3339))
	}
	return list, nil
}

func (l *revocationLists) get(ctx context.Context, at string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", l.opts.UserAgent)
	response, err := l.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the response has the status %d", response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxRevocationList+1))
	if err == nil && len(text) > maxRevocationList {
		err = errListTooLong
	}
	return text, err
}

// listClient is the client that fetches lists.
func (a *attempt) listClient(c *pconfig.HTTPClientConfig) *http.Client {
	transport := &http.Transport{DialContext: a.dialHost, DisableKeepAlives: true, TLSHandshakeTimeout: tlsHandshakeTimeout}
	if c == nil || c.ProxyURL.URL == nil && !c.ProxyFromEnvironment {
		return &http.Client{Transport: transport}
	}
	transport.Proxy = c.Proxy()
	transport.ProxyConnectHeader = c.GetProxyConnectHeader()
	return &http.Client{Transport: &guardedByName{a, transport}}
}

// guardedByName checks the host of each request before a proxy is told to connect
// to it.
type guardedByName struct {
	attempt *attempt
	next    http.RoundTripper
}

// RoundTrip sends a request.
func (g *guardedByName) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := g.attempt.mayRedirect(r.Context(), r.URL.Hostname(), g.attempt.module.HTTP.SkipResolvePhaseWithProxy); err != nil {
		return nil, err
	}
	return g.next.RoundTrip(r)
}
