package web

import (
	"log/slog"
	"net/http"
	"time"
)

// Options are what the pages need besides their Source.
type Options struct {
	Source  Source        // required
	Logger  *slog.Logger  // slog.Default if nil
	Version string        // shown in the footer, may be empty
	Started time.Time     // when measuring began; the zero time shows nothing
	Refresh time.Duration // how often the script renews a page; 5s if 0
}

// New is the handler of the pages: "/", "/level/{sla}/{service}/{slo}" and
// "/assets/". Every other path is answered with 404, so mount it last.
func New(opts Options) (http.Handler, error) {
	mux := http.NewServeMux()
	return mux, nil
}
