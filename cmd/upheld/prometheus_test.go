package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
	"github.com/rogpeppe/go-internal/testscript"
)

// standIn is a server with the real engine over what a file loads, that answers
// as much of Prometheus' API as check asks. The file is in the notation of the
// engine's own tests, with these lines before it:
//
//	retention 15d or 5GiB
//	type http_requests_total counter
//	silent             answers nothing but queries, as some stores do
//	now 30h            the time, after what is loaded begins; 20m without it
type standIn struct {
	retention string
	types     map[string]string
	silent    bool
	now       time.Time
	store     *teststorage.TestStorage
	engine    *promql.Engine
	names     []string
}

// prometheusCommand is the script command "prometheus FILE": it starts such a
// server, whose URL is then $PROMETHEUS.
func prometheusCommand(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		s := &standIn{types: map[string]string{}, now: time.Unix(1200, 0)}
		var load []string
		for line := range strings.Lines(ts.ReadFile(args[0])) {
			words := strings.Fields(line)
			switch {
			case len(words) > 1 && words[0] == "retention":
				s.retention = strings.Join(words[1:], " ")
			case len(words) == 3 && words[0] == "type":
				s.types[words[1]] = words[2]
			case len(words) == 1 && words[0] == "silent":
				s.silent = true
			case len(words) == 2 && words[0] == "now":
				after, err := time.ParseDuration(words[1])
				ts.Check(err)
				s.now = time.Unix(0, 0).Add(after)
			default:
				load = append(load, line)
				if words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(`{ ",`, r) }); len(words) > 0 && words[0] != "load" {
					s.names = append(s.names, words[0])
				}
			}
		}
		slices.Sort(s.names)
		s.names = slices.Compact(s.names)
		s.store = promqltest.LoadedStorage(t, strings.Join(load, ""))
		s.engine = promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
		server := httptest.NewServer(s)
		ts.Defer(server.Close)
		ts.Setenv("PROMETHEUS", server.URL)
	}
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := s.answer(r)
	answer := map[string]any{"status": "success", "data": data}
	if err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		answer = map[string]any{"status": "error", "errorType": "execution", "error": err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		panic(err)
	}
}

func (s *standIn) answer(r *http.Request) (any, error) {
	path, _ := strings.CutPrefix(r.URL.Path, "/api/v1/")
	if s.silent && path != "query" {
		return nil, errors.New("not here")
	}
	switch path {
	case "query":
		return s.query(r)
	case "status/runtimeinfo":
		return map[string]any{"storageRetention": s.retention}, nil
	case "label/__name__/values":
		return s.names, nil
	case "metadata":
		metric := r.FormValue("metric")
		if kind := s.types[metric]; kind != "" {
			return map[string]any{metric: []any{map[string]string{"type": kind}}}, nil
		}
		return map[string]any{}, nil
	}
	return nil, errors.New("not here")
}

func (s *standIn) query(r *http.Request) (any, error) {
	var from storage.Queryable = s.store
	q, err := s.engine.NewInstantQuery(r.Context(), from, nil, r.FormValue("query"), s.now)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	vector, err := q.Exec(r.Context()).Vector()
	if err != nil {
		return nil, err
	}
	result := []any{}
	for _, sample := range vector {
		metric := map[string]string{}
		sample.Metric.Range(func(l labels.Label) { metric[l.Name] = l.Value })
		result = append(result, map[string]any{"metric": metric, "value": []any{s.now.Unix(), jsonNumber(sample.F)}})
	}
	return map[string]any{"resultType": "vector", "result": result}, nil
}

func jsonNumber(f float64) string {
	b, _ := json.Marshal(f)
	return string(b)
}
