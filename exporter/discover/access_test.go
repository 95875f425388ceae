package discover_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/upheld-sla/upheld/exporter/discover"
	"github.com/upheld-sla/upheld/sla"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const canary = "s3cret-canary"

// inventory has a list for those that show the secret, over TLS.
func inventory(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	list := func(w http.ResponseWriter) {
		_ = json.NewEncoder(w).Encode([]map[string]any{{"targets": []string{"a.example:1"}}})
	}
	mux.HandleFunc("/basic", func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "upheld" || password != canary {
			http.Error(w, "not you, "+password, http.StatusUnauthorized)
			return
		}
		list(w)
	})
	mux.HandleFunc("/bearer", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+canary {
			http.Error(w, "not you", http.StatusForbidden)
			return
		}
		list(w)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		if id, secret, _ := r.BasicAuth(); id != "upheld" || secret != canary {
			http.Error(w, "no token for "+secret, http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token": %q, "token_type": "Bearer"}`, canary)
	})
	srv := httptest.NewTLSServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

func file(t *testing.T, text string) sla.Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return sla.Secret{File: path}
}

// TestListsAreAskedForWithCredentials of each kind, right and wrong ones, and
// no error contains a secret.
func TestListsAreAskedForWithCredentials(t *testing.T) {
	srv := inventory(t)
	tls := sla.TLSOptions{Files: &sla.TLSFiles{CA: file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))}}
	basic := func(secret string) *sla.HTTPAuth {
		return &sla.HTTPAuth{Basic: &sla.BasicAuth{Username: "upheld", Password: file(t, secret)}}
	}
	bearer := func(secret string) *sla.HTTPAuth {
		return &sla.HTTPAuth{Authorization: &sla.Authorization{Credentials: file(t, secret)}}
	}
	token := func(secret string) *sla.HTTPAuth {
		return &sla.HTTPAuth{OAuth2: &sla.OAuth2{ClientID: "upheld", ClientSecret: file(t, secret), TokenURL: srv.URL + "/token"}}
	}
	for name, c := range map[string]struct {
		path  string
		auth  *sla.HTTPAuth
		tls   sla.TLSOptions
		wrong string // part of the error; none expected if empty
	}{
		"a password":             {path: "/basic", auth: basic(canary + "\n"), tls: tls},
		"a token":                {path: "/bearer", auth: bearer(canary), tls: tls},
		"a token that is had":    {path: "/bearer", auth: token(canary), tls: tls},
		"any certificate":        {path: "/bearer", auth: bearer(canary), tls: sla.TLSOptions{InsecureSkipVerify: true}},
		"no credentials":         {path: "/basic", tls: tls, wrong: "401"},
		"a wrong password":       {path: "/basic", auth: basic(canary + "x"), tls: tls, wrong: "401"},
		"a wrong token":          {path: "/bearer", auth: bearer("wrong"), tls: tls, wrong: "403"},
		"a token that is denied": {path: "/bearer", auth: token(canary + "x"), tls: tls, wrong: "the endpoint answers 401"},
		"an unknown authority":   {path: "/basic", auth: basic(canary), wrong: "certificate"},
		"a file that is gone":    {path: "/basic", auth: &sla.HTTPAuth{Basic: &sla.BasicAuth{Username: "upheld", Password: sla.Secret{File: "/nowhere/secret"}}}, tls: tls, wrong: "/nowhere/secret"},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := discover.Finder{}.Find(t.Context(), &sla.Discovery{URL: srv.URL + c.path, Access: &sla.ListAccess{Auth: c.auth, TLS: c.tls}, Limit: 10})
			if c.wrong == "" {
				if err != nil || len(found) != 1 || found[0].Address != "a.example:1" {
					t.Errorf("%v, %v", found, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), canary) {
				t.Errorf("%v; want %q and no secret", err, c.wrong)
			}
		})
	}
}

// TestFilesOfCredentialsAreReadAgain for every discovery, so that they can be
// renewed.
func TestFilesOfCredentialsAreReadAgain(t *testing.T) {
	srv := inventory(t)
	secret := file(t, "old")
	d := &sla.Discovery{URL: srv.URL + "/bearer", Limit: 10, Access: &sla.ListAccess{
		Auth: &sla.HTTPAuth{Authorization: &sla.Authorization{Credentials: secret}}, TLS: sla.TLSOptions{InsecureSkipVerify: true},
	}}
	if _, err := (discover.Finder{}).Find(t.Context(), d); err == nil {
		t.Fatal("the old token was taken")
	}
	if err := os.WriteFile(secret.File, []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (discover.Finder{}).Find(t.Context(), d); err != nil {
		t.Error(err)
	}
}

// TestListsAreDialledAsTheFinderSays, their token endpoints and proxies too.
func TestListsAreDialledAsTheFinderSays(t *testing.T) {
	refused := errors.New("not there")
	f := discover.Finder{Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		return nil, fmt.Errorf("%s: %w", address, refused)
	}}
	for name, d := range map[string]*sla.Discovery{
		"list.example:80":   {URL: "http://list.example/"},
		"list.example:443":  {URL: "https://list.example/", Access: &sla.ListAccess{TLS: sla.TLSOptions{InsecureSkipVerify: true}}},
		"proxy.example:81":  {URL: "http://list.example/", Access: &sla.ListAccess{Proxy: &sla.Proxy{URL: "http://proxy.example:81"}}},
		"login.example:443": {URL: "http://list.example/", Access: &sla.ListAccess{Auth: &sla.HTTPAuth{OAuth2: &sla.OAuth2{ClientID: "a", ClientSecret: file(t, "x"), TokenURL: "https://login.example/"}}}},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := f.Find(ctx, d)
		cancel()
		if !errors.Is(err, refused) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
