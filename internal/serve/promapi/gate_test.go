package promapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestQueriesBeyondTheGateWaitAndAreToldToComeAgain(t *testing.T) {
	g := &gate{make(chan struct{}, 2), make(chan struct{}, 1), time.Millisecond}
	began, end := make(chan struct{}), make(chan struct{})
	handler := g.through(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		began <- struct{}{}
		<-end
	}))
	ask := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		return w
	}
	for range 2 {
		go ask()
		<-began
	}
	w := ask() // waits its millisecond
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"errorType":"unavailable"`) {
		t.Errorf("the third is answered with %d %v %s", w.Code, w.Header(), w.Body)
	}
	g.waiting <- struct{}{} // the only place to wait is taken
	g.wait = time.Hour
	if w := ask(); w.Code != http.StatusServiceUnavailable {
		t.Errorf("one too many is answered with %d", w.Code)
	}
	<-g.waiting
	fourth := make(chan int)
	go func() { fourth <- ask().Code }()
	end <- struct{}{} // one has its answer, so that the next has its turn
	<-began
	end <- struct{}{}
	end <- struct{}{}
	if code := <-fourth; code != http.StatusOK {
		t.Errorf("who waited is answered with %d", code)
	}
}

func TestQueriesThatTakeLongToReadAreRefused(t *testing.T) {
	a := newWorld(t)
	for name, form := range map[string]url.Values{
		"a sum of many":       {"query": {strings.Repeat("up+", 1500) + "up"}},
		"many signs":          {"query": {strings.Repeat("-", 5000) + "up"}},
		"many parentheses":    {"query": {strings.Repeat("(", 300) + "up" + strings.Repeat(")", 300)}},
		"many bytes":          {"query": {"up" + strings.Repeat(" ", 70_000)}},
		"many selectors":      {"query": {"up"}, "match[]": strings.Split(strings.Repeat("up ", 150), " ")},
		"a selector of signs": {"query": {"up"}, "match[]": {strings.Repeat("-", 5000) + "up"}},
	} {
		for _, path := range []string{"query", "query_range", "query_exemplars", "format_query", "series"} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, "/api/v1/"+path, strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			a.ServeHTTP(w, r)
			if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "more than") {
				t.Errorf("%s of %s is answered with %d %.200s", path, name, w.Code, w.Body)
			}
		}
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/api/v1/query?"+url.Values{"query": {strings.Repeat("up+", 400) + "up"}}.Encode(), nil)
	if a.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("a large query of a dashboard is answered with %d %.200s", w.Code, w.Body)
	}
}

func TestSubqueriesOfManyStepsAreRefused(t *testing.T) {
	a := newWorld(t)
	ask := func(path string, form url.Values) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/"+path+"?"+form.Encode(), nil))
		return w
	}
	long := url.Values{"start": {"0"}, "end": {"1000000000"}, "step": {"1000000"}, "query": {"max_over_time(up[1m:1s])"}}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"a long range":              ask("query", url.Values{"query": {"up[10000w:1ms]"}}),
		"within a call":             ask("query", url.Values{"query": {"sum(max_over_time(rate(up[5m])[10000w:1s]))"}}),
		"one within another":        ask("query", url.Values{"query": {"max_over_time(max_over_time(up[1h:1ms])[1d:1h])"}}),
		"ranges that overflow":      ask("query", url.Values{"query": {"max_over_time(max_over_time(up[200y:1y])[200y:1y])"}}),
		"over a long time":          ask("query_range", long),
		"without a step of its own": ask("query", url.Values{"query": {"max_over_time(up[200y:])"}}),
	} {
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "steps") {
			t.Errorf("%s is answered with %d %.200s", name, w.Code, w.Body)
		}
	}
	if w := ask("query", url.Values{"query": {"max_over_time(up[1d:1s])"}}); w.Code != http.StatusOK {
		t.Errorf("a subquery of a day is answered with %d %.200s", w.Code, w.Body)
	}
}

func TestHalfARequestTakesNobodysTurn(t *testing.T) {
	g := &gate{make(chan struct{}, 1), make(chan struct{}, 1), time.Hour}
	handler := g.through(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	body, send := io.Pipe()
	half := httptest.NewRequest(http.MethodPost, "/", body)
	half.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		handler.ServeHTTP(httptest.NewRecorder(), half)
	}()
	if _, err := io.WriteString(send, "query="); err != nil { // it is being read
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusOK {
		t.Errorf("beside half a request another is answered with %d", w.Code)
	}
	send.Close()
	<-ended
}
