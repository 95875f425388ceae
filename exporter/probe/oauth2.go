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

// How long a token is used: until shortly before it expires, and a while where
// its server does not say.
const (
	tokenMargin  = 10 * time.Second
	tokenDefault = 5 * time.Minute
	tokenBackoff = 10 * time.Second // after a failure, for which the endpoint is left alone
)

// tokens gets and keeps the token of a target (RFC 6749, section 4.4).
type tokens struct {
	from   *sla.OAuth2
	dialer *dialer

	mu      sync.Mutex // held while fetching, so that probes do not fetch twice
	token   string
	until   time.Time
	failure *failure // of the last fetch
	again   time.Time
}

func newTokens(o *sla.OAuth2, d *dialer) *tokens { return &tokens{from: o, dialer: d} }

// value is the token, fetched if there is none that is valid. The time for it
// is no part of the probe.
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
	r.leaveOut(time.Since(now))
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

// fetch asks the token endpoint.
func (t *tokens) fetch(ctx context.Context) (token string, life time.Duration, fault *failure) {
	secret, err := reveal(t.from.ClientSecret)
	if err != nil {
		return "", 0, unread(err)
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(t.from.Scopes) > 0 {
		form.Set("scope", strings.Join(t.from.Scopes, " "))
	}
	for _, name := range slices.Sorted(maps.Keys(t.from.Params)) {
		form.Set(name, t.from.Params[name])
	}
	check := &sla.HTTPCheck{
		URL: t.from.TokenURL, Method: http.MethodPost, Body: form.Encode(),
		Headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
	}
	request, err := newOutgoing(check, t.dialer.env.UserAgent)
	if err != nil {
		return "", 0, &failure{Credentials, err.Error()}
	}
	client, err := newHTTPClient(check, request.url, t.dialer)
	if err != nil {
		return "", 0, &failure{Credentials, err.Error()}
	}
	// Both are form-encoded before, as section 2.3.1 wants it.
	client.auth = basic{&sla.BasicAuth{Username: url.QueryEscape(t.from.ClientID), Password: sla.SecretText(url.QueryEscape(secret))}}
	var own run
	if own.deadline, _ = ctx.Deadline(); own.deadline.IsZero() {
		own.deadline = time.Now().Add(time.Minute)
	}
	_, fault = (&exchange{client: &client, run: &own}).ask(ctx, request, func(_ *http.Response, body []byte) *failure {
		token, life, fault = parseToken(body)
		return fault
	})
	return token, life, fault
}

// parseToken reads the answer of a token endpoint (section 5.1).
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
