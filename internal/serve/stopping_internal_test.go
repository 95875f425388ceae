package serve

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Who asked for a reload does not hold up the end of the server, which waits for
// open requests.
func TestReloadsAreAnsweredWhenTheServerStops(t *testing.T) {
	s := &server{reloads: make(chan chan error), stopping: make(chan struct{})}
	go func() {
		<-s.reloads // begun, and never done
		close(s.stopping)
	}()
	w := httptest.NewRecorder()
	s.serveReload(w, httptest.NewRequest(http.MethodPost, "/-/reload", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", w.Code)
	}
}
