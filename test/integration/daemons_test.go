//go:build integration

package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestDaemons probes servers that others wrote, as distributions ship them:
// what a prober takes for right must be right with them, too, and what is wrong
// must be found for its own reason.
func TestDaemons(t *testing.T) {
	w := newDaemons(t)
	w.nginx(t)
	w.nsd(t)
	w.dovecot(t)
	w.redis(t)
	built := build(t)
	t.Setenv("SSL_CERT_FILE", w.path("ca.pem"))
	specFile := w.write(t, "daemons.yaml", w.spec())
	address := freeAddress(t)
	exporter := start(t, "upheld-exporter", built.exporter, "--spec.file="+specFile, "--web.listen-address="+address)
	awaitReady(t, exporter, address)
	await(t, 30*time.Second, "every level has the result that it should", func() error { return w.check(address) })
}

// daemons are servers of several kinds, and the levels that are to be probed.
type daemons struct {
	dir    string
	levels []daemonLevel
}

// daemonLevel is a probe and why it must fail; "" if it must not.
type daemonLevel struct{ name, probe, reason string }

func newDaemons(t *testing.T) *daemons {
	t.Helper()
	w := &daemons{dir: t.TempDir()}
	// Servers give up their privileges for accounts of their own, which have to
	// read what lies here.
	for dir := w.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.certificates(t)
	return w
}

func (w *daemons) path(name string) string { return filepath.Join(w.dir, name) }

func (w *daemons) write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(w.path(name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return w.path(name)
}

// level adds a probe, as YAML in one line, that must fail for a reason.
func (w *daemons) level(name, reason, probe string, args ...any) {
	w.levels = append(w.levels, daemonLevel{name, fmt.Sprintf(probe, args...), reason})
}

func (w *daemons) spec() string {
	var b strings.Builder
	b.WriteString("apiVersion: upheld/v1\nkind: ServiceLevelAgreement\nmetadata: {name: daemons}\nspec:\n  serviceLevels:\n")
	for _, l := range w.levels {
		fmt.Fprintf(&b, "    - name: %s\n      indicator: {probe: {interval: 2s, timeout: 1s, %s}}\n      target: \"99\"\n", l.name, l.probe)
	}
	return b.String()
}

// certificates are an authority's ca.pem, and a cert.pem with its key.pem for
// localhost.
func (w *daemons) certificates(t *testing.T) {
	t.Helper()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	caKey, leafKey := newKey(t), newKey(t)
	sign := func(template, parent *x509.Certificate, public *ecdsa.PublicKey) string {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, public, caKey)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	w.write(t, "ca.pem", sign(ca, ca, &caKey.PublicKey))
	w.write(t, "cert.pem", sign(leaf, ca, &leafKey.PublicKey))
	der, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// awaitListening waits until a daemon takes connections.
func awaitListening(t *testing.T, p *process, network, address string) {
	t.Helper()
	await(t, 30*time.Second, p.name+" listens", func() error {
		select {
		case <-p.done:
			t.Fatalf("%s ended: %v", p.name, p.err)
		default:
		}
		c, err := net.DialTimeout(network, address, time.Second)
		if err == nil {
			c.Close()
		}
		return err
	})
}

func (w *daemons) nginx(t *testing.T) {
	plain, tls := freeAddress(t), freeAddress(t)
	config := w.write(t, "nginx.conf", strings.NewReplacer("DIR", w.dir, "PLAIN", plain, "SECURE", tls).Replace(`
daemon off;
pid DIR/nginx.pid;
error_log stderr;
worker_processes 1;
events {}
http {
	access_log off;
	gzip on;
	gzip_types *;
	gzip_min_length 1;
	client_body_temp_path DIR/body;
	proxy_temp_path DIR/proxy;
	fastcgi_temp_path DIR/fastcgi;
	uwsgi_temp_path DIR/uwsgi;
	scgi_temp_path DIR/scgi;
	server {
		listen PLAIN;
		location /health { return 200 "all is well\n"; }
		location /moved { return 302 /health; }
		location /secure { return 301 https://SECURE/health; }
		location /silent { return 444; }
		location /busy { return 503; }
	}
	server {
		listen SECURE ssl http2;
		ssl_certificate DIR/cert.pem;
		ssl_certificate_key DIR/key.pem;
		location /health { return 200 "all is well\n"; }
	}
}
`))
	p := start(t, "nginx", program(t, "/usr/sbin/nginx", "install the package nginx-light"), "-c", config, "-e", "stderr", "-p", w.dir)
	awaitListening(t, p, "tcp", tls)
	w.level("nginx", "", `http: "http://%s/health", bodyMatches: "^all is well"`, plain)
	w.level("nginx-redirect", "", `http: "http://%s/moved"`, plain)
	w.level("nginx-redirect-to-tls", "", `http: "http://%s/secure"`, plain)
	w.level("nginx-tls", "", `http: "https://%s/health"`, tls)
	w.level("nginx-handshake", "", `tls: "%s"`, tls)
	w.level("nginx-expiring", "tls_expiring", `tls: "%s", certificateValidFor: 2d`, tls)
	w.level("nginx-other-name", "tls_name", `tls: "%s", serverName: shop.example`, tls)
	w.level("nginx-missing", "status", `http: "http://%s/missing"`, plain)
	w.level("nginx-busy", "status", `http: "http://%s/busy"`, plain)
	w.level("nginx-hangs-up", "reset", `http: "http://%s/silent"`, plain)
	w.level("nginx-other-body", "body", `http: "http://%s/health", bodyMatches: "ill"`, plain)
	w.level("nginx-plain-to-tls", "tls_other", `http: "https://%s/health"`, plain)
}

func (w *daemons) nsd(t *testing.T) {
	plain, tls := freeAddress(t), freeAddress(t)
	at := func(address string) string { return strings.Replace(address, ":", "@", 1) }
	_, tlsPort, _ := net.SplitHostPort(tls)
	w.write(t, "shop.zone", `$ORIGIN shop.test.
$TTL 300
@ IN SOA ns1 hostmaster 2026112401 3600 600 86400 300
@ IN NS ns1
ns1 IN A 192.0.2.53
www IN A 192.0.2.1
www IN A 192.0.2.2
www IN AAAA 2001:db8::1
`)
	config := w.write(t, "nsd.conf", strings.NewReplacer("DIR", w.dir, "PLAIN", at(plain), "SECURE", at(tls), "TLSPORT", tlsPort).Replace(`
server:
	ip-address: PLAIN
	ip-address: SECURE
	tls-service-key: "DIR/key.pem"
	tls-service-pem: "DIR/cert.pem"
	tls-port: TLSPORT
	username: ""
	pidfile: ""
	zonesdir: "DIR"
	xfrdfile: "DIR/xfrd.state"
	xfrdir: "DIR"
	zonelistfile: "DIR/zone.list"
	rrl-ratelimit: 0
remote-control:
	control-enable: no
zone:
	name: shop.test
	zonefile: shop.zone
`))
	p := start(t, "nsd", program(t, "/usr/sbin/nsd", "install the package nsd"), "-d", "-c", config)
	awaitListening(t, p, "tcp", tls)
	const question = "name: www.shop.test, type: A, recursion: false"
	w.level("nsd-udp", "", `dns: "%s", %s, answer: {all: ' A 192\.0\.2\.[12]$'}`, plain, question)
	w.level("nsd-tcp", "", `dns: "%s", transport: tcp, %s`, plain, question)
	w.level("nsd-tls", "", `dns: "%s", transport: tls, %s`, tls, question)
	w.level("nsd-serial", "", `dns: "%s", name: shop.test, type: SOA, recursion: false, answer: {any: ' 2026112401 '}`, plain)
	w.level("nsd-no-such-name", "rcode", `dns: "%s", name: none.shop.test, type: A, recursion: false`, plain)
	w.level("nsd-other-zone", "rcode", `dns: "%s", name: www.else.test, type: A, recursion: false`, plain)
	w.level("nsd-other-records", "records", `dns: "%s", %s, answer: {any: ' A 198\.51\.'}`, plain, question)
}

func (w *daemons) dovecot(t *testing.T) {
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	config := w.write(t, "dovecot.conf", strings.NewReplacer("DIR", w.dir, "PORT", port).Replace(`
base_dir = DIR/dovecot
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <DIR/cert.pem
ssl_key = <DIR/key.pem
mail_location = maildir:DIR/mail
passdb {
	driver = static
	args = password=unused
}
userdb {
	driver = static
	args = uid=mail gid=mail home=DIR/mail
}
service imap-login {
	chroot =
	inet_listener imap {
		port = PORT
	}
	inet_listener imaps {
		port = 0
	}
}
`))
	p := start(t, "dovecot", program(t, "/usr/sbin/dovecot", "install the package dovecot-imapd"), "-F", "-c", config)
	awaitListening(t, p, "tcp", address)
	const startTLS = `{expect: '^\* OK'}, {send: a STARTTLS}, {expect: "^a OK"}, {startTLS: true}`
	w.level("dovecot-starttls", "", `tcp: "%s", dialogue: [%s, {send: b CAPABILITY}, {expect: "^b OK"}]`, address, startTLS)
	w.level("dovecot-other-name", "tls_name", `tcp: "%s", serverName: shop.example, dialogue: [%s]`, address, startTLS)
	w.level("dovecot-refuses", "dialogue", `tcp: "%s", dialogue: [{expect: '^\* OK'}, {send: a LOGOUT}, {expect: never}]`, address)
	w.level("dovecot-hangs-up", "reset", `tcp: "%s", dialogue: [{expect: '^\* OK'}, {send: a LOGOUT}, {expect: "^a OK"}, {expect: never}]`, address)
	w.level("dovecot-silent", "timeout", `tcp: "%s", dialogue: [{expect: '^\* OK'}, {expect: never}]`, address)
}

func (w *daemons) redis(t *testing.T) {
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	socket := w.path("redis.sock")
	p := start(t, "redis", program(t, "/usr/bin/redis-server", "install the package redis-server"),
		"--bind", "127.0.0.1", "--port", port, "--unixsocket", socket, "--save", "", "--dir", w.dir)
	awaitListening(t, p, "unix", socket)
	w.level("redis-tcp", "", `tcp: "%s", dialogue: [{send: PING}, {expect: '^\+PONG'}]`, address)
	w.level("redis-unix", "", `unix: %s, dialogue: [{send: PING}, {expect: '^\+PONG'}]`, socket)
	w.level("redis-error", "timeout", `tcp: "%s", dialogue: [{send: PING no such thing}, {expect: '^\+PONG'}]`, address)
	w.level("nobody", "connect_refused", `tcp: "%s"`, freeAddress(t))
	w.level("loopback", "", `icmp: "127.0.0.1", packets: 2, packetInterval: 100ms`)
}

var lastOutcome = regexp.MustCompile(`(?m)^upheld_probe_last_outcome_good\{.*slo="([^"]+)".*\} ([01])$`)

// check compares a scrape with what every level should have become.
func (w *daemons) check(address string) error {
	resp, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	text := string(body)
	outcomes := map[string]string{}
	for _, m := range lastOutcome.FindAllStringSubmatch(text, -1) {
		outcomes[m[1]] = m[2]
	}
	for _, l := range w.levels {
		want := "1"
		if l.reason != "" {
			want = "0"
		}
		if outcomes[l.name] != want {
			return fmt.Errorf("%s: last outcome good is %q, want %q; its failures:\n%s", l.name, outcomes[l.name], want, failuresOf(text, l.name))
		}
		failures := failuresOf(text, l.name)
		if n := strings.Count(failures, "\n"); l.reason == "" && n > 0 || l.reason != "" && (n != 1 || !strings.Contains(failures, fmt.Sprintf("reason=%q", l.reason))) {
			return fmt.Errorf("%s: should fail for %q alone, but:\n%s", l.name, l.reason, failures)
		}
	}
	return nil
}

// failuresOf are the lines of a scrape that count the failures of a level.
func failuresOf(text, level string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "upheld_probe_failures_total{") && strings.Contains(line, fmt.Sprintf("slo=%q", level)) {
			b.WriteString(line)
		}
	}
	return b.String()
}
