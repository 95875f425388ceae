package probe_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

const canary = "s3cret-canary"

func basicOf(password sla.Secret) *sla.HTTPAuth {
	return &sla.HTTPAuth{Basic: &sla.BasicAuth{Username: "bob", Password: password}}
}

func bearerOf(credentials sla.Secret) *sla.HTTPAuth {
	return &sla.HTTPAuth{Authorization: &sla.Authorization{Credentials: credentials}}
}

// prober is a prober that a test probes by several times.
func prober(t *testing.T, env probe.Env, check sla.Check) probe.Prober {
	t.Helper()
	p, err := probe.NewFactory(env).New(&sla.Probe{Check: check, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAuthorization(t *testing.T) {
	var seen string
	srv := webServer(t, func(_ http.ResponseWriter, r *http.Request) {
		seen = r.Header.Get("Authorization") + "|" + r.Header.Get("X-Key")
	})
	for name, c := range map[string]struct {
		options sla.HTTPOptions
		want    string
	}{
		"basic":             {sla.HTTPOptions{Auth: basicOf(sla.SecretText("pw"))}, "Basic Ym9iOnB3|"},
		"basic of a file":   {sla.HTTPOptions{Auth: basicOf(sla.Secret{File: file(t, "pw", "pw\n")})}, "Basic Ym9iOnB3|"},
		"bearer":            {sla.HTTPOptions{Auth: bearerOf(sla.Secret{File: file(t, "token", "abc\n")})}, "Bearer abc|"},
		"another type":      {sla.HTTPOptions{Auth: &sla.HTTPAuth{Authorization: &sla.Authorization{Type: "Token", Credentials: sla.SecretText("abc")}}}, "Token abc|"},
		"headers of a file": {sla.HTTPOptions{HeaderFiles: map[string]sla.Secret{"X-Key": {File: file(t, "key", "k\n")}}}, "|k"},
	} {
		mustBeGood(t, probe.Env{}, with(srv.URL, c.options))
		if seen != c.want {
			t.Errorf("%s: %s, want %s", name, seen, c.want)
		}
	}
}

func TestFilesOfSecretsAreReadAgain(t *testing.T) {
	var seen string
	srv := webServer(t, func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Get("Authorization") })
	path := file(t, "token", "old")
	p := prober(t, probe.Env{}, with(srv.URL, sla.HTTPOptions{Auth: bearerOf(sla.Secret{File: path})}))
	p.Probe(t.Context(), time.Time{})
	if err := os.WriteFile(path, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := p.Probe(t.Context(), time.Time{}); r.Outcome != probe.Good || seen != "Bearer new" {
		t.Errorf("%s: %+v", seen, r)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if r := p.Probe(t.Context(), time.Time{}); r.Outcome != probe.Inconclusive || r.Reason != probe.Credentials || !strings.Contains(r.Detail, "no such file") {
		t.Errorf("without the file: %+v", r)
	}
	if err := os.WriteFile(path, []byte("a\r\nX-Evil: 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := p.Probe(t.Context(), time.Time{}); r.Reason != probe.Credentials || strings.Contains(r.Detail, "Evil") {
		t.Errorf("a file with line breaks: %+v", r)
	}
}

// TestSecretsStayAtTheirOrigin redirects to other hosts, ports and schemes.
func TestSecretsStayAtTheirOrigin(t *testing.T) {
	var seen []string
	note := func(r *http.Request) {
		seen = append(seen, r.URL.Path+" "+r.Header.Get("Authorization")+r.Header.Get("X-Key")+r.Header.Get("Cookie"))
	}
	other := webServer(t, func(_ http.ResponseWriter, r *http.Request) { note(r) })
	srv := webServer(t, func(w http.ResponseWriter, r *http.Request) {
		note(r)
		if r.URL.Path == "/" {
			http.SetCookie(w, &http.Cookie{Name: "c", Value: canary, Domain: "127.0.0.1"})
			http.Redirect(w, r, "/own", http.StatusFound)
			return
		}
		http.Redirect(w, r, r.URL.Query().Get("to")+"/other", http.StatusFound)
	})
	for _, to := range []string{other.URL, strings.Replace(other.URL, "127.0.0.1", "localhost", 1)} {
		for _, auth := range []*sla.HTTPAuth{basicOf(sla.SecretText(canary)), bearerOf(sla.SecretText(canary))} {
			seen = nil
			check := with(srv.URL+"/own?to="+to, sla.HTTPOptions{Auth: auth, HeaderFiles: map[string]sla.Secret{"X-Key": {File: file(t, "key", canary)}}})
			check.Headers = map[string]string{"Cookie": "d=" + canary}
			mustBeGood(t, probe.Env{}, check)
			if len(seen) != 2 || len(seen[0]) < 40 || seen[1] != "/other " {
				t.Errorf("to %s: %q", to, seen)
			}
		}
	}
	seen = nil
	check := with(srv.URL+"/?to="+other.URL, sla.HTTPOptions{Auth: bearerOf(sla.SecretText("t")), MaxRedirects: 1})
	once(t, probe.Env{}, check, 5*time.Second)
	if len(seen) != 2 || !strings.HasPrefix(seen[1], "/own Bearer t") {
		t.Errorf("within the origin: %q", seen)
	}
}

// tokenServer gives tokens to who knows the canary.
func tokenServer(t *testing.T, issued *atomic.Int64, status *atomic.Int64) *httptest.Server {
	return webServer(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		_ = r.ParseForm()
		if code := status.Load(); code != 0 {
			w.WriteHeader(int(code))
			_, _ = io.WriteString(w, `{"error": "`+password+`"}`)
			return
		}
		if user != "probe%2B1" || password != canary || r.Form.Get("grant_type") != "client_credentials" || r.Form.Get("scope") != "read write" || r.Form.Get("audience") != "shop" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"access_token": "%s-%d", "token_type": "bearer", "expires_in": 3600}`, canary, issued.Add(1))
	})
}

func TestOAuth2(t *testing.T) {
	var issued, status atomic.Int64
	endpoint := tokenServer(t, &issued, &status)
	var revoked atomic.Value
	revoked.Store("")
	srv := webServer(t, func(w http.ResponseWriter, r *http.Request) {
		if token := r.Header.Get("Authorization"); !strings.HasPrefix(token, "Bearer "+canary+"-") || token == revoked.Load() {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	secret := file(t, "secret", canary)
	auth := &sla.HTTPAuth{OAuth2: &sla.OAuth2{
		ClientID: "probe+1", ClientSecret: sla.Secret{File: secret}, TokenURL: endpoint.URL,
		Scopes: []string{"read", "write"}, Params: map[string]string{"audience": "shop"},
	}}
	p := prober(t, probe.Env{}, with(srv.URL, sla.HTTPOptions{Auth: auth}))
	for range 3 {
		if r := p.Probe(t.Context(), time.Time{}); r.Outcome != probe.Good || issued.Load() != 1 {
			t.Fatalf("%d tokens: %+v", issued.Load(), r)
		}
	}
	revoked.Store("Bearer " + canary + "-1")
	if r := p.Probe(t.Context(), time.Time{}); r.Reason != probe.Status || r.Detail != "HTTP 401" {
		t.Errorf("revoked: %+v", r)
	}
	if r := p.Probe(t.Context(), time.Time{}); r.Outcome != probe.Good || issued.Load() != 2 {
		t.Errorf("after revoking, %d tokens: %+v", issued.Load(), r)
	}
	status.Store(503)
	fresh := prober(t, probe.Env{}, with(srv.URL, sla.HTTPOptions{Auth: auth}))
	for range 2 {
		if r := fresh.Probe(t.Context(), time.Time{}); r.Outcome != probe.Inconclusive || r.Reason != probe.Credentials || strings.Contains(r.Detail, canary) || !strings.Contains(r.Detail, "503") {
			t.Errorf("the endpoint fails: %+v", r)
		}
	}
}

// TestFetchingATokenTakesNoTimeOfTheProbe has a slow endpoint.
func TestFetchingATokenTakesNoTimeOfTheProbe(t *testing.T) {
	endpoint := webServer(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(300 * time.Millisecond)
		_, _ = io.WriteString(w, `{"access_token": "a"}`)
	})
	srv := webServer(t, func(http.ResponseWriter, *http.Request) {})
	began := time.Now()
	r := mustBeGood(t, probe.Env{}, with(srv.URL, sla.HTTPOptions{Auth: &sla.HTTPAuth{OAuth2: &sla.OAuth2{TokenURL: endpoint.URL}}}))
	if all := time.Since(began); r.Duration > all-300*time.Millisecond {
		t.Errorf("took %s of %s, in which the token took 300 ms", r.Duration, all)
	}
}

// pemFiles writes a certificate and its key.
func pemFiles(t *testing.T, cert tls.Certificate) *sla.TLSFiles {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return &sla.TLSFiles{
		CA:          sla.Secret{File: file(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: newAuthority().cert.Raw})))},
		Certificate: sla.Secret{File: file(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})))},
		Key:         sla.Secret{File: file(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))},
	}
}

func TestClientCertificates(t *testing.T) {
	ca := newAuthority()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Client", r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	srv.Config.ErrorLog = discard
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{ca.sign(t, "localhost", time.Now().Add(time.Hour))}, ClientAuth: tls.RequireAnyClientCert}
	srv.StartTLS()
	defer srv.Close()
	files := pemFiles(t, ca.sign(t, "probe-1", time.Now().Add(time.Hour)))
	shows := func(name string) *sla.HTTPCheck {
		check := with(srv.URL, sla.HTTPOptions{Files: files})
		check.HeaderMatches = map[string]string{"X-Client": "^" + name + "$"}
		return check
	}
	p := prober(t, probe.Env{}, shows("probe-[12]"))
	if r := p.Probe(t.Context(), time.Time{}); r.Outcome != probe.Good {
		t.Fatalf("%+v", r)
	}
	mustBeGood(t, probe.Env{}, &sla.TCPCheck{Address: srv.Listener.Addr().String(), TLS: true, TLSOptions: sla.TLSOptions{Files: files}})
	renewed := pemFiles(t, ca.sign(t, "probe-2", time.Now().Add(time.Hour)))
	copyFile(t, renewed.Certificate.File, files.Certificate.File)
	copyFile(t, renewed.Key.File, files.Key.File)
	mustBeGood(t, probe.Env{}, shows("probe-2"))
	if r := p.Probe(t.Context(), time.Time{}); r.Outcome != probe.Good {
		t.Errorf("renewed: %+v", r)
	}
	without := once(t, probe.Env{}, with(srv.URL, sla.HTTPOptions{Files: &sla.TLSFiles{CA: files.CA}}), 5*time.Second)
	if without.Reason != probe.TLSOther {
		t.Errorf("without a certificate: %+v", without)
	}
	for _, broken := range []string{files.Key.File, files.Certificate.File, files.CA.File} {
		if err := os.WriteFile(broken, []byte(canary), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := once(t, probe.Env{}, shows("x"), 5*time.Second); r.Reason != probe.Credentials || strings.Contains(r.Detail, canary) {
			t.Errorf("%s broken: %+v", broken, r)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoResultHoldsASecret fails in every way with secrets of every kind, and
// looks for them in everything that a result says.
func TestNoResultHoldsASecret(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%v", r.Header)
	}
	targets := map[string]string{
		"status": webServer(t, echo).URL, "refused": "http://" + closedPort(t),
		"not HTTP": "http://" + rawServer(t, answer(canary+"\r\n")), "silent": "http://" + rawServer(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }),
		"redirected": webServer(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://"+canary+":x/", http.StatusFound)
		}).URL,
	}
	options := map[string]sla.HTTPOptions{
		"basic":  {Auth: basicOf(sla.SecretText(canary))},
		"bearer": {Auth: bearerOf(sla.SecretText(canary))},
		"header": {HeaderFiles: map[string]sla.Secret{"X-Key": {File: file(t, "key", canary)}}},
		"oauth2": {Auth: &sla.HTTPAuth{OAuth2: &sla.OAuth2{ClientID: "a", ClientSecret: sla.SecretText(canary), TokenURL: webServer(t, echo).URL}}},
		"proxy":  {Proxy: &sla.Proxy{URL: "http://bob:" + canary + "@" + closedPort(t), Headers: map[string]string{"X-Key": canary}}},
	}
	for where, url := range targets {
		for how, o := range options {
			check := with(url, o)
			r := once(t, probe.Env{}, check, patience)
			if text := fmt.Sprintf("%+v %#v %+v %s %s", r, r, check.Options.Auth, check.Words(), check.Target()); strings.Contains(text, canary) || r.Outcome == probe.Good {
				t.Errorf("%s, %s: %s", where, how, text)
			}
		}
	}
}
