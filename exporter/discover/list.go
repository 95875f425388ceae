package discover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/regular"
	"github.com/upheld-sla/upheld/sla"
)

// maxList bounds a list, in bytes.
const maxList = 64 << 20

// readFiles returns the groups in all files that a pattern names. A path without a star
// must exist.
func readFiles(pattern, within string) ([]group, error) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	if len(paths) == 0 && !strings.ContainsAny(pattern, `*?[`) {
		return nil, fmt.Errorf("%s: there is no such file", pattern)
	}
	var all []group
	for _, path := range paths {
		text, err := regular.Read(path, maxList, filepath.SplitList(within)...)
		if err != nil {
			return nil, err
		}
		groups, err := parse(text, filepath.Ext(path) == ".json")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, groups...)
	}
	return all, nil
}

// parse reads a list, and is as strict as Prometheus about its form. Entries that are
// no addresses are checked later, so that they do not affect others.
func parse(text []byte, isJSON bool) (groups []group, err error) {
	if isJSON {
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		decoder.DisallowUnknownFields()
		err = decoder.Decode(&groups)
	} else {
		decoder := yaml.NewDecoder(strings.NewReader(string(text)))
		decoder.KnownFields(true)
		err = decoder.Decode(&groups)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("not a list of {targets: [...], labels: {...}}: %w", err)
	}
	return groups, nil
}

// ask returns the groups in the response of a server.
func (f Finder) ask(ctx context.Context, from string, access *sla.ListAccess) ([]group, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", f.UserAgent)
	client, err := f.client(access)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	if err != nil {
		return nil, withoutAnswer(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: HTTP %s", from, answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxList+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", from, err)
	case len(text) > maxList:
		return nil, fmt.Errorf("%s: the list is longer than 64 MiB", from)
	}
	groups, err := parse(text, true)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return groups, nil
}

// sameHost stops at a redirect to another host, which would then decide what is probed.
func sameHost(r *http.Request, via []*http.Request) error {
	if from := via[0].URL; r.URL.Host != from.Host || r.URL.Scheme != from.Scheme || len(via) > 5 {
		return &url.Error{Op: "Get", URL: from.String(), Err: fmt.Errorf("it redirects to %s", r.URL.Host)}
	}
	return nil
}
