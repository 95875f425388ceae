package discover

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/prometheus/common/config"
	"golang.org/x/oauth2"

	"github.com/upheld-sla/upheld/internal/regular"
	"github.com/upheld-sla/upheld/sla"
)

// client makes the HTTP client for a list. It follows no redirect to other hosts, keeps
// no connection, and reads the files of its credentials again.
func (f Finder) client(access *sla.ListAccess) (*http.Client, error) {
	settings, err := clientConfig(access)
	if err != nil {
		return nil, err
	}
	dial := f.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	client, err := config.NewClientFromConfig(settings, "targets", config.WithKeepAlivesDisabled(), config.WithDialContextFunc(dial))
	if err != nil {
		return nil, err
	}
	client.CheckRedirect = sameHost
	return client, nil
}

// clientConfig is access as a configuration of Prometheus, which defines these servers
// of lists.
func clientConfig(access *sla.ListAccess) (c config.HTTPClientConfig, err error) {
	c = config.DefaultHTTPClientConfig
	if access == nil {
		return c, nil
	}
	c.TLSConfig = config.TLSConfig{ServerName: access.TLS.ServerName, InsecureSkipVerify: access.TLS.InsecureSkipVerify}
	var read reader
	if files := access.TLS.Files; files != nil {
		c.TLSConfig.CA, c.TLSConfig.Cert, c.TLSConfig.Key = read.text(files.CA), read.text(files.Certificate), config.Secret(read.text(files.Key))
	}
	if auth := access.Auth; auth != nil {
		read.setAuth(&c, auth)
	}
	if read.err != nil {
		return c, read.err
	}
	if p := access.Proxy; p != nil {
		u, err := url.Parse(p.URL)
		if err != nil {
			return c, errors.New("the URL of the proxy cannot be parsed")
		}
		c.NoProxy, c.ProxyFromEnvironment = p.NoProxy, p.Environment
		if p.URL != "" {
			c.ProxyURL = config.URL{URL: u}
		}
		for name, value := range p.Headers {
			if c.ProxyConnectHeader == nil {
				c.ProxyConnectHeader = config.ProxyHeader{}
			}
			c.ProxyConnectHeader[name] = []config.Secret{config.Secret(value)}
		}
	}
	return c, c.Validate()
}

// reader reads the files of secrets, until one cannot be read. We read them here, since
// Prometheus' client would wait for a FIFO, and follow any link.
type reader struct{ err error }

// maxSecret bounds, in bytes, a file that holds a secret.
const maxSecret = 64 << 10

// text is the content of a secret's file, without the white space around it.
func (r *reader) text(s sla.Secret) string {
	if s.File == "" || r.err != nil {
		return ""
	}
	text, err := regular.Read(s.File, maxSecret, filepath.SplitList(s.Within)...)
	r.err = err
	return strings.TrimSpace(string(text))
}

func (r *reader) setAuth(c *config.HTTPClientConfig, auth *sla.HTTPAuth) {
	if b := auth.Basic; b != nil {
		c.BasicAuth = &config.BasicAuth{Username: b.Username, Password: config.Secret(r.text(b.Password))}
	}
	if a := auth.Authorization; a != nil {
		c.Authorization = &config.Authorization{Type: cmp.Or(a.Type, "Bearer"), Credentials: config.Secret(r.text(a.Credentials))}
	}
	if o := auth.OAuth2; o != nil {
		c.OAuth2 = &config.OAuth2{
			ClientID: o.ClientID, ClientSecret: config.Secret(r.text(o.ClientSecret)), TokenURL: o.TokenURL, Scopes: o.Scopes, EndpointParams: o.Params,
			TLSConfig: config.TLSConfig{CA: c.TLSConfig.CA},
		}
	}
}

// withoutAnswer is an error without the response of a token endpoint, which could
// contain anything.
func withoutAnswer(err error) error {
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case ok && refused.Response != nil:
		return fmt.Errorf("no token: the endpoint answers %s", refused.Response.Status)
	case ok:
		return errors.New("no token: the endpoint's answer holds none")
	}
	return err
}
