package discover

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/prometheus/common/config"
	"golang.org/x/oauth2"

	"github.com/upheld-sla/upheld/sla"
)

// client asks for a list. It follows no redirect to other hosts, keeps no
// connection, and reads the files of its credentials anew.
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

// clientConfig is access in the words of Prometheus, whose servers of lists
// these are.
func clientConfig(access *sla.ListAccess) (c config.HTTPClientConfig, err error) {
	c = config.DefaultHTTPClientConfig
	if access == nil {
		return c, nil
	}
	c.TLSConfig = config.TLSConfig{ServerName: access.TLS.ServerName, InsecureSkipVerify: access.TLS.InsecureSkipVerify}
	if files := access.TLS.Files; files != nil {
		c.TLSConfig.CAFile, c.TLSConfig.CertFile, c.TLSConfig.KeyFile = files.CA.File, files.Certificate.File, files.Key.File
	}
	if auth := access.Auth; auth != nil {
		setAuth(&c, auth)
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

func setAuth(c *config.HTTPClientConfig, auth *sla.HTTPAuth) {
	if b := auth.Basic; b != nil {
		c.BasicAuth = &config.BasicAuth{Username: b.Username, PasswordFile: b.Password.File}
	}
	if a := auth.Authorization; a != nil {
		c.Authorization = &config.Authorization{Type: cmp.Or(a.Type, "Bearer"), CredentialsFile: a.Credentials.File}
	}
	if o := auth.OAuth2; o != nil {
		c.OAuth2 = &config.OAuth2{
			ClientID: o.ClientID, ClientSecretFile: o.ClientSecret.File, TokenURL: o.TokenURL, Scopes: o.Scopes, EndpointParams: o.Params,
			TLSConfig: config.TLSConfig{CAFile: c.TLSConfig.CAFile},
		}
	}
}

// withoutAnswer is an error without what a token endpoint has answered, which
// could hold anything.
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
