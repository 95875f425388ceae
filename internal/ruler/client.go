// Package ruler puts rule groups into a ruler of Mimir or Cortex through its
// configuration API. It compares first, changes only groups that differ, deletes only
// groups that it is told to own, and waits if the server asks for that. It must not
// know how rules are made.
package ruler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/rulediff"
)

// Client sends requests to one ruler, as one tenant.
type Client struct {
	HTTP   *http.Client
	URL    *url.URL // of its rules, for all namespaces
	Tenant string   // "" sends none
	// Wait is called between attempts; nil sleeps.
	Wait func(ctx context.Context, d time.Duration) error
	// Notes is called before a wait, with the reason; may be nil.
	Notes func(words string)
}

// Bounds of a request.
const (
	attempts    = 5
	maxWait     = time.Minute
	firstWait   = time.Second
	maxResponse = 64 << 20 // bytes: the rules of a tenant
	maxExcerpt  = 500      // bytes of a response in an error
)

// StatusError is an unsuccessful response.
type StatusError struct {
	Code int
	Body string // its beginning
}

func (e *StatusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s: %s", e.Code, http.StatusText(e.Code), e.Body))
}

// Namespaces returns the rule groups of the tenant, by namespace.
func (c *Client) Namespaces(ctx context.Context) (map[string][]rulediff.Group, error) {
	body, err := c.do(ctx, http.MethodGet, nil)
	var status *StatusError
	if errors.As(err, &status) && status.Code == http.StatusNotFound && strings.Contains(status.Body, "no rule groups") {
		return nil, nil // Mimir before 2.10 and Cortex say this way that there are none
	}
	if err != nil {
		return nil, err
	}
	all := map[string][]rulediff.Group{}
	if err := yaml.Unmarshal(body, &all); err != nil {
		return nil, fmt.Errorf("%s did not answer with rule groups by namespace: %s", c.URL.Redacted(), strings.Join(strings.Fields(err.Error()), " "))
	}
	return all, nil
}

// Set creates a group, or replaces it; text is the group as YAML.
func (c *Client) Set(ctx context.Context, namespace string, text []byte) error {
	_, err := c.do(ctx, http.MethodPost, text, namespace)
	return err
}

// Delete removes a group. It is no error if the group is already gone.
func (c *Client) Delete(ctx context.Context, namespace, group string) error {
	_, err := c.do(ctx, http.MethodDelete, nil, namespace, group)
	var status *StatusError
	if errors.As(err, &status) && status.Code == http.StatusNotFound {
		return nil
	}
	return err
}

// do sends a request until it gets a final response.
func (c *Client) do(ctx context.Context, method string, body []byte, path ...string) ([]byte, error) {
	target := *c.URL
	for _, part := range path {
		target = *target.JoinPath(url.PathEscape(part))
	}
	wait := firstWait
	for attempt := 1; ; attempt++ {
		answer, after, err := c.once(ctx, method, target.String(), body)
		if err == nil || !again(ctx, method, err) || attempt == attempts {
			return answer, err
		}
		if after == 0 {
			after, wait = wait, 2*wait
		}
		after = min(after, maxWait)
		if c.Notes != nil {
			c.Notes(fmt.Sprintf("%s; attempt %d of %d in %s", err, attempt+1, attempts, after))
		}
		if err := c.wait(ctx, after); err != nil {
			return nil, err
		}
	}
}

// again reports whether another attempt may help: the server is busy, or could no
// longer be reached. If the first request, which reads all groups, cannot reach it, the
// URL is wrong.
func again(ctx context.Context, method string, err error) bool {
	if status, ok := errors.AsType[*StatusError](err); ok {
		switch status.Code {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return false
	}
	return ctx.Err() == nil && method != http.MethodGet
}

// once sends a request; after is how long the server asks to wait, 0 if it does not.
func (c *Client) once(ctx context.Context, method, target string, body []byte) (answer []byte, after time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/yaml")
	}
	if c.Tenant != "" {
		req.Header.Set("X-Scope-OrgID", c.Tenant)
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(res.Body, maxResponse+1))
	switch {
	case err != nil:
		return nil, 0, err
	case len(answer) > maxResponse:
		return nil, 0, fmt.Errorf("%s answers with more than %d MiB", c.URL.Redacted(), maxResponse>>20)
	case res.StatusCode/100 != 2:
		text := strings.Join(strings.Fields(string(answer[:min(len(answer), maxExcerpt)])), " ")
		return nil, retryAfter(res.Header.Get("Retry-After"), time.Now()), &StatusError{res.StatusCode, text}
	}
	return answer, 0, nil
}

// retryAfter reads the header, which has seconds or a time.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return time.Duration(min(seconds, int(maxWait/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

func (c *Client) wait(ctx context.Context, d time.Duration) error {
	if c.Wait != nil {
		return c.Wait(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
