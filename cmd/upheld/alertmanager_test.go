package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// silences is an Alertmanager that knows silences only, and refuses what the real one does.
type silences struct {
	mu   sync.Mutex
	most int // how many it takes
	all  []map[string]any
}

// alertmanagerCommand is the script command "alertmanager [MOST]": it starts such a server,
// whose URL is then $ALERTMANAGER. After so many silences it takes no more.
func alertmanagerCommand(*testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		s := &silences{most: 100}
		if len(args) > 0 {
			_, err := fmt.Sscan(args[0], &s.most)
			ts.Check(err)
		}
		server := httptest.NewServer(s)
		ts.Defer(server.Close)
		ts.Setenv("ALERTMANAGER", server.URL)
	}
}

func (s *silences) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer, err := any(s.matching(r.URL.Query()["filter"])), error(nil)
	switch {
	case r.URL.Path != "/api/v2/silences":
		http.NotFound(w, r)
		return
	case r.Method == http.MethodPost:
		answer, err = s.set(r)
	}
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		answer = err.Error()
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		panic(err)
	}
}

// matching are the silences that have all matchers of the filters.
func (s *silences) matching(filters []string) []map[string]any {
	found := []map[string]any{}
	for _, one := range s.all {
		has := 0
		for _, m := range one["matchers"].([]any) {
			m := m.(map[string]any)
			operator := map[any]string{true: "=~", false: "="}[m["isRegex"]]
			for _, f := range filters {
				if f == fmt.Sprintf("%s%s%q", m["name"], operator, m["value"]) {
					has++
				}
			}
		}
		if has == len(filters) {
			found = append(found, one)
		}
	}
	return found
}

func (s *silences) set(r *http.Request) (any, error) {
	var given struct {
		Matchers []struct {
			Name, Value      *string
			IsRegex, IsEqual *bool
		}
		StartsAt, EndsAt   time.Time
		CreatedBy, Comment string
	}
	var kept map[string]any
	var text strings.Builder
	decoder := json.NewDecoder(io.TeeReader(r.Body, &text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&given); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text.String()), &kept); err != nil {
		return nil, err
	}
	for _, m := range given.Matchers {
		if m.Name == nil || m.Value == nil || m.IsRegex == nil {
			return nil, fmt.Errorf("matchers.name, value and isRegex are required")
		}
	}
	switch {
	case r.Header.Get("Content-Type") != "application/json":
		return nil, fmt.Errorf("unsupported media type %q", r.Header.Get("Content-Type"))
	case len(given.Matchers) == 0 || given.CreatedBy == "" || given.Comment == "":
		return nil, fmt.Errorf("matchers, createdBy and comment are required")
	case !given.StartsAt.Before(given.EndsAt):
		return nil, fmt.Errorf("start time must not be equal to end time")
	case given.EndsAt.Before(time.Now()):
		return nil, fmt.Errorf("silence is expired")
	case len(s.all) >= s.most:
		return nil, fmt.Errorf("exceeded maximum number of silences: %d (limit: %d)", len(s.all), s.most)
	}
	if given.StartsAt.Before(time.Now()) {
		kept["startsAt"] = time.Now()
	}
	id := fmt.Sprintf("silence-%d", len(s.all)+1)
	kept["id"], kept["status"] = id, map[string]string{"state": "active"}
	s.all = append(s.all, kept)
	return map[string]string{"silenceID": id}, nil
}
