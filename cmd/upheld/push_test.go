package main

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/rogpeppe/go-internal/testscript"
	"gopkg.in/yaml.v3"
)

// standInRuler enforces what Mimir documents of its ruler's API: a tenant, one group a request as
// application/yaml, its limits of rules in a group and of groups of a tenant, and its codes. It is no Mimir, whose
// licence keeps it out of these tests; test/integration has a real Cortex, which answers the same.
type standInRuler struct {
	mu     sync.Mutex
	groups int // that a tenant may have
	busy   int // requests that it refuses first
	rules  map[string]map[string]map[string]any
}

const rulesInGroup = 20

// rulerCommand is the script command "ruler GROUPS BUSY [FILE]": it starts such a server, whose URL is then
// $RULER. FILE has the groups that the tenant has, by namespace.
func rulerCommand(ts *testscript.TestScript, _ bool, args []string) {
	s := &standInRuler{rules: map[string]map[string]map[string]any{}}
	_, err := fmt.Sscan(args[0]+" "+args[1], &s.groups, &s.busy)
	ts.Check(err)
	if len(args) > 2 {
		var all map[string][]map[string]any
		ts.Check(yaml.Unmarshal([]byte(ts.ReadFile(args[2])), &all))
		for namespace, groups := range all {
			for _, g := range groups {
				s.put(namespace, g)
			}
		}
	}
	server := httptest.NewServer(s)
	ts.Defer(server.Close)
	ts.Setenv("RULER", server.URL)
}

func (s *standInRuler) put(namespace string, g map[string]any) {
	if s.rules[namespace] == nil {
		s.rules[namespace] = map[string]map[string]any{}
	}
	s.rules[namespace][g["name"].(string)] = g
}

func (s *standInRuler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path, ok := strings.CutPrefix(r.URL.Path, "/prometheus/config/v1/rules")
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	switch {
	case !ok:
		http.NotFound(w, r)
	case r.Header.Get("X-Scope-OrgID") == "":
		http.Error(w, "no org id", http.StatusUnauthorized)
	case s.busy > 0:
		s.busy--
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many requests", http.StatusTooManyRequests)
	case r.Method == http.MethodGet && path == "":
		s.list(w)
	case r.Method == http.MethodPost && len(parts) == 1:
		if err := s.set(parts[0], r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodDelete && len(parts) == 2 && s.rules[parts[0]][parts[1]] != nil:
		delete(s.rules[parts[0]], parts[1])
		w.WriteHeader(http.StatusAccepted)
	default:
		http.Error(w, "group does not exist", http.StatusNotFound)
	}
}

func (s *standInRuler) list(w http.ResponseWriter) {
	all := map[string][]map[string]any{}
	for namespace, groups := range s.rules {
		for _, name := range slices.Sorted(maps.Keys(groups)) {
			all[namespace] = append(all[namespace], groups[name])
		}
	}
	if len(all) == 0 {
		http.Error(w, "no rule groups found", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/yaml")
	if err := yaml.NewEncoder(w).Encode(all); err != nil {
		panic(err)
	}
}

// set takes one group, if it is good and within the limits.
func (s *standInRuler) set(namespace string, r *http.Request) error {
	if r.Header.Get("Content-Type") != "application/yaml" {
		return fmt.Errorf("unable to decode rule group: content type %q", r.Header.Get("Content-Type"))
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	var g map[string]any
	if err := yaml.Unmarshal(body, &g); err != nil {
		return fmt.Errorf("unable to decode rule group: %w", err)
	}
	file, err := yaml.Marshal(map[string]any{"groups": []any{g}})
	if err != nil {
		return err
	}
	if _, errs := rulefmt.Parse(file, false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler)); len(errs) > 0 {
		return errs[0]
	}
	if n := len(g["rules"].([]any)); n > rulesInGroup {
		return fmt.Errorf("per-user rules per rule group limit (limit: %d actual: %d) exceeded", rulesInGroup, n)
	}
	count := 1 // a group that is replaced counts twice, as in Cortex and Mimir
	for _, groups := range s.rules {
		count += len(groups)
	}
	if count > s.groups {
		return fmt.Errorf("per-user rule groups limit (limit: %d actual: %d) exceeded", s.groups, count)
	}
	s.put(namespace, g)
	return nil
}
