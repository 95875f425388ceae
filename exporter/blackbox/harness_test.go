package blackbox

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	oracleconfig "github.com/prometheus/blackbox_exporter/config"
	oracle "github.com/prometheus/blackbox_exporter/prober"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/promslog"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/exporter/guard"
)

// pair is blackbox_exporter's own handler and ours, with the same modules.
type pair struct {
	ours    *Prober
	handler http.Handler
	theirs  http.Handler
}

// newPair loads the modules into both.
func newPair(t *testing.T, modules string) *pair {
	t.Helper()
	file := filepath.Join(t.TempDir(), "blackbox.yml")
	if err := os.WriteFile(file, []byte(modules), 0o600); err != nil {
		t.Fatal(err)
	}
	p := oursAlone(t, file)
	theirs := oracleconfig.NewSafeConfig(prometheus.NewRegistry())
	logger := slog.New(slog.DiscardHandler)
	if err := theirs.ReloadConfig(file, logger); err != nil {
		t.Fatal(err)
	}
	history := &oracle.ResultHistory{MaxResults: DefaultHistoryLimit}
	p.theirs = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		oracle.Handler(w, r, theirs.C, logger, history, DefaultTimeoutOffset.Seconds(), nil, nil, &promslog.Config{Level: debugLevel(t), Writer: io.Discard})
	})
	return p
}

// denying are limits that deny addresses.
func denying(t *testing.T, prefixes ...string) *guard.Guard {
	t.Helper()
	limits, err := guard.New(guard.Options{DenyCIDR: prefixes})
	if err != nil {
		t.Fatal(err)
	}
	return limits
}

// network is what ours reaches its targets by.
func (p *pair) network() *guard.Network { return p.ours.opts.Network.(*guard.Network) }

// oursWith loads modules that the version beside ours cannot read.
func oursWith(t *testing.T, modules string) *pair {
	t.Helper()
	file := filepath.Join(t.TempDir(), "blackbox.yml")
	writePlain(t, file, modules)
	return oursAlone(t, file)
}

// oursAlone loads the modules of a file into ours alone.
func oursAlone(t *testing.T, file string) *pair {
	t.Helper()
	p := &pair{ours: New(Options{
		Network: new(guard.Network), UserAgent: "Blackbox-Exporter/", ConfigFile: file, TimeoutOffset: DefaultTimeoutOffset, HistoryLimit: DefaultHistoryLimit,
		ProbeLog: promslog.Config{Level: debugLevel(t)},
	})}
	if err := p.ours.Reload(); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	p.ours.Mount(mux)
	p.handler = mux
	return p
}

func debugLevel(t *testing.T) *promslog.Level {
	t.Helper()
	level := promslog.NewLevel()
	if err := level.Set("debug"); err != nil {
		t.Fatal(err)
	}
	return level
}

// answer is what a handler answered.
type answer struct {
	status int
	header http.Header
	text   string
}

func ask(t *testing.T, handler http.Handler, query url.Values, header map[string]string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/probe?"+query.Encode(), nil)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

func query(module, target string) url.Values {
	return url.Values{"module": {module}, "target": {target}}
}

// tolerance is by how much durations may differ, in seconds: the machine may be
// busy with other things during one of the two probes.
const tolerance = 2.0

// isTime reports whether a series has a duration for a value.
func isTime(series string) bool {
	return strings.Contains(series, "_duration_seconds") || strings.HasPrefix(series, "probe_dns_lookup_time_seconds")
}

// normal is an exposition with durations that are not 0 replaced, and without
// the metrics named.
func normal(t *testing.T, text string, without []string) (string, map[string]float64) {
	t.Helper()
	var kept []string
	times := map[string]float64{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		fields := strings.Fields(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "))
		name, _, _ := strings.Cut(fields[0], "{")
		if slices.Contains(without, name) {
			continue
		}
		if !strings.HasPrefix(line, "#") && isTime(line) {
			at := strings.LastIndex(line, " ")
			v, err := strconv.ParseFloat(line[at+1:], 64)
			if err != nil {
				t.Fatal(err)
			}
			times[line[:at]] = v
			if line = line[:at] + " 0"; v != 0 {
				line = line[:at] + "some time"
			}
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\n"), times
}

// since029 are metrics that a newer version than the one beside ours has: of all
// probers, or of more of them.
var since029 = []string{"probe_timeout_seconds", "probe_tls_cipher_info"}

// both probes with both, demands that the answers are the same but for the
// metrics named, and returns ours.
func (p *pair) both(t *testing.T, q url.Values, header map[string]string, without ...string) answer {
	t.Helper()
	theirs := ask(t, p.theirs, q, header)
	ours := ask(t, p.handler, q, header)
	if ours.status != theirs.status {
		t.Errorf("status %d, want %d: %s", ours.status, theirs.status, ours.text)
	}
	if got, want := ours.header.Get("Content-Type"), theirs.header.Get("Content-Type"); got != want {
		t.Errorf("Content-Type %q, want %q", got, want)
	}
	if theirs.status != http.StatusOK {
		if ours.text != theirs.text {
			t.Errorf("%q, want %q", ours.text, theirs.text)
		}
		return ours
	}
	for _, name := range since029 {
		if !strings.Contains(theirs.text, name+" ") && !strings.Contains(theirs.text, name+"{") {
			without = append(slices.Clip(without), name)
		}
	}
	got, ourTimes := normal(t, ours.text, without)
	want, theirTimes := normal(t, theirs.text, without)
	if diff := gocmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("differs from blackbox_exporter (-theirs +ours):\n%s\n%s", diff, p.lastLog())
	}
	far := farApart(ourTimes, theirTimes)
	for again := 0; again < 2 && len(far) > 0; again++ { // what the machine did to one of the two, it does not do three times
		_, theirTimes = normal(t, ask(t, p.theirs, q, header).text, without)
		_, ourTimes = normal(t, ask(t, p.handler, q, header).text, without)
		far = farApart(ourTimes, theirTimes)
	}
	if len(far) > 0 {
		t.Errorf("durations differ, three times in a row, from blackbox_exporter's:\n%s", strings.Join(far, "\n"))
	}
	return ours
}

// farApart are the durations that differ by more than the tolerance.
func farApart(ours, theirs map[string]float64) (far []string) {
	for series, want := range theirs {
		if got, ok := ours[series]; ok && (got-want > tolerance || want-got > tolerance) {
			far = append(far, fmt.Sprintf("%s: %g s, want %g s", series, got, want))
		}
	}
	return far
}

func (p *pair) lastLog() string {
	all := p.ours.history.list()
	if len(all) == 0 {
		return "no probe"
	}
	return all[0].log
}

// value is that of a series in an exposition.
func (a answer) value(series string) string {
	for line := range strings.Lines(a.text) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// authority signs certificates for tests.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its certificate in PEM
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, file: filepath.Join(t.TempDir(), "ca.pem")}
	made := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, NotAfter: time.Now().Add(2 * time.Hour),
	})
	a.cert, a.key = made.Leaf, made.PrivateKey.(*ecdsa.PrivateKey)
	writePEM(t, a.file, "CERTIFICATE", a.cert.Raw)
	return a
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := pem.Encode(&b, &pem.Block{Type: kind, Bytes: der}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// sign makes a certificate of a template, by itself until the authority has
// one.
func (a *authority) sign(template *x509.Certificate) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore = time.Now().Add(-72 * time.Hour)
	parent, by := template, key
	if a.cert != nil {
		parent, by = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		a.t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// server makes a certificate of a server that lasts for that long.
func (a *authority) server(lasts time.Duration, names ...string) tls.Certificate {
	a.t.Helper()
	c := &x509.Certificate{
		Subject: pkix.Name{CommonName: "server", Organization: []string{"Test, Inc."}}, NotAfter: time.Now().Add(lasts),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
			continue
		}
		c.DNSNames = append(c.DNSNames, name)
	}
	return a.sign(c)
}
