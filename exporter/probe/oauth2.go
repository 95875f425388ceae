package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// How long a token is used: until shortly before it expires, or for tokenDefault if
// the server does not say.
const (
	tokenMargin  = 10 * time.Second
	tokenDefault = 5 * time.Minute
	tokenBackoff = 10 * time.Second // how long the endpoint is left alone after a failure
)

// tokens gets and keeps the token of a target (RFC 6749, section 4.4).
type tokens struct {
	from   *sla.OAuth2
	dialer *dialer

	mu      sync.Mutex // held while fetching, so that probes do not fetch twice
	token   string
	until   time.Time
	failure *failure // of the last fetch
	inBody  bool     // the server takes the secret in the body
	again   time.Time
}

func newTokens(o *sla.OAuth2, d *dialer) *tokens { return &tokens{from: o, dialer: d} }

// value returns a valid token, and fetches it if necessary. The time for that is no
// part of the probe.
func (t *tokens) value(ctx context.Context, r *run) (string, *failure) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.token != "" && now.Before(t.until) {
		return "Bearer " + t.token, nil
	}
	if t.failure != nil && now.Before(t.again) {
		return "", t.failure
	}
	token, life, fault := t.fetch(ctx)
	r.excludeTime(time.Since(now))
	if fault != nil {
		if fault.reason == Cancelled {
			return "", fault
		}
		reason := Credentials
		if fault.reason == Denied {
			reason = Denied
		}
		t.failure, t.again = &failure{reason, "fetch a token: " + fault.detail}, time.Now().Add(tokenBackoff)
		return "", t.failure
	}
	t.token, t.until, t.failure = token, now.Add(life), nil
	return "Bearer " + token, nil
}

// refused forgets the token, so that the next probe fetches another.
func (t *tokens) refused() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token = ""
}

// fetch requests a token. The secret is sent by basic authentication, which section
// 2.3.1 demands of servers. If that is refused it is sent in the body, which some
// servers want instead. What worked is used the next time.
func (t *tokens) fetch(ctx context.Context) (token string, life time.Duration, fault *failure) {
	secret, err := secretValue(t.from.ClientSecret)
	if err != nil {
		return "", 0, secretFileFailure(err)
	}
	token, life, code, fault := t.ask(ctx, secret, t.inBody)
	if fault == nil || code != http.StatusUnauthorized && code != http.StatusBadRequest {
		return token, life, fault
	}
	token, life, _, other := t.ask(ctx, secret, !t.inBody)
	if other != nil {
		return "", 0, fault // the first failure helps people most
	}
	t.inBody = !t.inBody
	return token, life, nil
}

// ask requests once, and returns the status of the response, 0 if there was none.
func (t *tokens) ask(ctx context.Context, secret string, inBody bool) (token string, life time.Duration, code int, fault *failure) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(t.from.Scopes) > 0 {
		form.Set("scope", strings.Join(t.from.Scopes, " "))
	}
	for _, name := range slices.Sorted(maps.Keys(t.from.Params)) {
		form.Set(name, t.from.Params[name])
	}
	if inBody {
		form.Set("client_id", t.from.ClientID)
		form.Set("client_secret", secret)
	}
	check := &sla.HTTPCheck{
		URL: t.from.TokenURL, Method: http.MethodPost, Body: form.Encode(),
		Headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
	}
	if !inBody { // section 2.3.1 demands that both are form-encoded first
		own := &sla.BasicAuth{Username: url.QueryEscape(t.from.ClientID), Password: sla.SecretText(url.QueryEscape(secret))}
		check.Options = &sla.HTTPOptions{Auth: &sla.HTTPAuth{Basic: own}}
	}
	request, err := newOutgoing(check, t.dialer.env.UserAgent)
	if err != nil {
		return "", 0, 0, &failure{Credentials, err.Error()}
	}
	client, err := newHTTPClient(check, request.url, t.dialer)
	if err != nil {
		return "", 0, 0, &failure{Credentials, err.Error()}
	}
	var own run
	if own.deadline, _ = ctx.Deadline(); own.deadline.IsZero() {
		own.deadline = time.Now().Add(time.Minute)
	}
	_, fault = (&exchange{client: &client, run: &own}).ask(ctx, request, func(_ *http.Response, body []byte) *failure {
		token, life, fault = parseToken(body)
		return fault
	})
	if own.http != nil {
		code = own.http.Status
	}
	return token, life, code, fault
}

// parseToken reads the response of a token endpoint (section 5.1).
func parseToken(body []byte) (string, time.Duration, *failure) {
	var answer struct {
		Token string      `json:"access_token"`
		Type  string      `json:"token_type"`
		Life  json.Number `json:"expires_in"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Token == "" {
		return "", 0, &failure{Credentials, "the answer has no access_token"}
	}
	if answer.Type != "" && !strings.EqualFold(answer.Type, "bearer") {
		return "", 0, &failure{Credentials, fmt.Sprintf("the token is of the type %s, and not Bearer", clip(answer.Type))}
	}
	life := tokenDefault
	if seconds, err := answer.Life.Float64(); err == nil && seconds > 0 {
		life = max(time.Duration(seconds*float64(time.Second))-tokenMargin, time.Second)
	}
	return answer.Token, life, nil
}
