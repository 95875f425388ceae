package probe

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/upheld-sla/upheld/internal/regular"
	"github.com/upheld-sla/upheld/sla"
)

// maxSecret bounds, in bytes, a file that holds a secret.
const maxSecret = 64 << 10

// secretValue returns the secret itself, without the white space around it. The error
// never contains it.
func secretValue(s sla.Secret) (string, error) {
	if s.File == "" {
		return s.Text(), nil
	}
	b, err := readSecret(s)
	return strings.TrimSpace(string(b)), err
}

// readSecret is the content of the file of a secret.
func readSecret(s sla.Secret) ([]byte, error) {
	return regular.Read(s.File, maxSecret, filepath.SplitList(s.Within)...)
}

// secretFileFailure is a failure to read a file that a probe needs, which is never the
// target's fault.
func secretFileFailure(err error) *failure {
	return &failure{Credentials, clip(err.Error())}
}

// authorizer provides the Authorization of a request.
type authorizer interface {
	// value is the header's value; it may have to be fetched first.
	value(ctx context.Context, r *run) (string, *failure)
	// refused is called when the target refuses the value.
	refused()
}

func newAuthorizer(a *sla.HTTPAuth, d *dialer) authorizer {
	switch {
	case a.Basic != nil:
		return basic{a.Basic}
	case a.Authorization != nil:
		return typed{a.Authorization}
	case a.OAuth2 != nil:
		return newTokens(a.OAuth2, d)
	}
	return nil
}

type basic struct{ from *sla.BasicAuth }

func (b basic) value(context.Context, *run) (string, *failure) {
	password, err := secretValue(b.from.Password)
	if err != nil {
		return "", secretFileFailure(err)
	}
	return basicAuth(b.from.Username, password).value, nil
}

func (basic) refused() {}

type typed struct{ from *sla.Authorization }

func (t typed) value(context.Context, *run) (string, *failure) {
	credentials, err := secretValue(t.from.Credentials)
	if err != nil {
		return "", secretFileFailure(err)
	}
	kind := t.from.Type
	if kind == "" {
		kind = "Bearer"
	}
	return kind + " " + credentials, nil
}

func (typed) refused() {}

var errControl = errors.New("a file of a header holds characters that headers cannot have")

// secrets are the headers that are only sent to the origin of the check.
func (h *httpClient) secrets(ctx context.Context, r *run) ([]pair, *failure) {
	var all []pair
	for _, f := range h.headerFiles {
		value, err := secretValue(f.from)
		if err != nil {
			return nil, secretFileFailure(err)
		}
		all = append(all, pair{f.name, value})
	}
	if h.auth != nil {
		value, fault := h.auth.value(ctx, r)
		if fault != nil {
			return nil, fault
		}
		all = append(all, pair{"Authorization", value})
	}
	for _, s := range all {
		if !s.valid() {
			return nil, secretFileFailure(errControl)
		}
	}
	return all, nil
}
