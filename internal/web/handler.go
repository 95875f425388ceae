package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/upheld-sla/upheld/sla"
)

//go:embed templates/*.html assets
var files embed.FS

// Options of the pages.
type Options struct {
	Source  Source           // required
	Reports ReportSource     // without it there are no pages of reports
	Logger  *slog.Logger     // slog.Default if nil
	Version string           // shown in the footer, may be empty
	Refresh time.Duration    // how often the script refreshes a page; 5s if 0
	Now     func() time.Time // time.Now if nil
	Notice  func() string    // a problem, at the top of every page, "" for none; may be nil
	Note    string           // a remark for readers, at the top of every page; may be empty
}

// page is the data of every template.
type page struct {
	Title      string
	Version    string
	Assets     string // changes with the assets, so that browsers may cache them
	Refresh    int64  // milliseconds
	Notice     string // a problem, at the top; may be empty
	Note       string // a remark, at the top; may be empty
	At         stamp
	Place      string // in the navigation: levels, alerts, rules, reports, or elsewhere
	HasReports bool
	Down       int // levels that are down, for the title of the tab

	clock clock
}

// pages is the handler.
type pages struct {
	opts      Options
	templates map[string]*template.Template
	assets    string // their fingerprint, for the addresses in pages
	routes    http.Handler
	shared    singleflight.Group // work that several requests wait for
}

// route is a page, or the target of a form.
type route struct {
	pattern string // for ServeMux
	answer  func(*pages, http.ResponseWriter, *http.Request)
	reports bool // only with Options.Reports
}

// routes is the table of routes.
var routes = []route{
	{"GET /{$}", (*pages).overview, false},
	{"GET /level/{sla}/{service}/{slo}", (*pages).level, false},
	{"GET /agreement/{sla}", (*pages).agreement, false},
	{"GET /agreement/{sla}/months", (*pages).months, false},
	{"GET /alerts", (*pages).alerts, false},
	{"GET /rules", (*pages).rules, false},
	{"GET /reports", (*pages).reports, true},
	{"GET /reports/file/{name}", (*pages).reportFile, true},
	{"GET /reports/to-date/{sla}/{period}", (*pages).reportToDate, true},
	{"POST /reports/restate", (*pages).restate, true},
}

// Patterns are the patterns of all pages, for http.ServeMux.
func Patterns() []string {
	all := make([]string, 0, len(routes))
	for _, r := range routes {
		all = append(all, r.pattern)
	}
	return all
}

// ServeHTTP answers with a page or an asset.
func (h *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.routes.ServeHTTP(w, r) }

// New returns the handler of the pages, whose paths Patterns has, and of "/assets/". It
// answers every other path with 404, so mount it last. An error means that the embedded
// templates do not parse.
func New(opts Options) (http.Handler, error) {
	if opts.Source == nil {
		return nil, errors.New("web: Options.Source is missing: the pages have nothing to show")
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Refresh <= 0 {
		opts.Refresh = 5 * time.Second
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	h := &pages{opts: opts, templates: map[string]*template.Template{}}
	for _, name := range []string{"overview", "level", "agreement", "months", "alerts", "rules", "reports", "error"} {
		t, err := template.New(name).ParseFS(files, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("web: template %s: %w", name, err)
		}
		h.templates[name] = t
	}
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		return nil, fmt.Errorf("web: assets: %w", err)
	}
	if h.assets, err = fingerprint(assets); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /assets/{file}", cached(http.StripPrefix("/assets/", http.FileServerFS(assets))))
	for _, r := range routes {
		if opts.Reports != nil || !r.reports {
			mux.HandleFunc(r.pattern, func(w http.ResponseWriter, req *http.Request) { r.answer(h, w, req) })
		}
	}
	mux.HandleFunc("GET /", h.notFound)
	h.routes = secured(mux)
	return h, nil
}

// fingerprint changes whenever an asset does.
func fingerprint(assets fs.FS) (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(assets, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(assets, path)
		sum.Write(data)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("web: assets: %w", err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:6]), nil
}

// cached lets browsers keep assets: their addresses change with their content.
func cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		next.ServeHTTP(w, r)
	})
}

// policy allows only what the pages need, all from this server, so that even text left
// unescaped by mistake could not run a script.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

func (h *pages) page(title string) page { return h.pageIn(title, time.UTC) }

// pageIn makes a page with times in a time zone.
func (h *pages) pageIn(title string, zone *time.Location) page {
	notice, c := "", clock{h.opts.Now(), zone}
	if h.opts.Notice != nil {
		notice = h.opts.Notice()
	}
	return page{
		Notice: notice, Note: h.opts.Note,
		Title: title, Version: h.opts.Version, Assets: h.assets,
		HasReports: h.opts.Reports != nil,
		Refresh:    h.opts.Refresh.Milliseconds(), At: c.stamp(c.now), clock: c,
	}
}

// statuses reads all levels once for all waiting requests, since that costs a lot with
// many levels.
func (h *pages) statuses(ctx context.Context) ([]LevelStatus, error) {
	all, err, _ := h.shared.Do("levels", func() (any, error) { return h.opts.Source.Levels(ctx) })
	if err != nil {
		return nil, err
	}
	return all.([]LevelStatus), nil
}

// overview renders the page once for all requests with the same filter.
func (h *pages) overview(w http.ResponseWriter, r *http.Request) {
	ctx := context.WithoutCancel(r.Context()) // other requests may wait for it
	f := newFilter(r.URL.Query())
	made, err, _ := h.shared.Do("overview "+f.key(), func() (any, error) {
		levels, err := h.statuses(ctx)
		if err != nil {
			return nil, err
		}
		p := h.pageIn("Service levels", commonZone(levels))
		p.Place = "levels"
		o := newOverview(p, levels, f)
		o.Down = o.Headline.Down
		return h.execute("overview", o), nil
	})
	if page, ok := made.(rendered); ok && err == nil {
		h.send(w, http.StatusOK, page)
		return
	}
	h.unavailable(w, r, err)
}

func (h *pages) level(w http.ResponseWriter, r *http.Request) {
	id := sla.ID{SLA: r.PathValue("sla"), Service: r.PathValue("service"), SLO: r.PathValue("slo")}
	status, found, err := h.opts.Source.Level(r.Context(), id)
	switch {
	case err != nil:
		h.unavailable(w, r, err)
	case !found:
		h.render(w, http.StatusNotFound, "error", failure{
			page: h.page("No such service level"), Words: "There is no service level " + id.String() + ".",
			Remedy: "It may have been renamed or removed from the specification.",
		})
	default:
		p := h.pageIn(id.Service+" / "+id.SLO, zoneOf(status.Agreement))
		if status.State == sla.StateDown {
			p.Down = 1
		}
		h.render(w, http.StatusOK, "level", detail{
			page: p, Headline: ownHeadline(status, p.clock), levelView: newLevel(status, p.clock), BurnDown: newBurnDown(status, p.clock),
			WhatIf: newWhatIf(status, r.URL.Query().Get("outage"), p.clock), Probes: newProbes(status.Probes, p.clock),
		})
	}
}

// failure is what the template of an error shows.
type failure struct {
	page
	Words, Detail, Remedy string
}

func (h *pages) notFound(w http.ResponseWriter, r *http.Request) {
	h.render(w, http.StatusNotFound, "error", failure{
		page: h.page("Page not found"), Words: "There is no page " + r.URL.Path + ".",
	})
}

func (h *pages) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the client has left
	}
	h.opts.Logger.Error("service levels could not be read", "path", r.URL.Path, "err", err)
	h.render(w, http.StatusServiceUnavailable, "error", failure{
		page: h.page("Service levels could not be read"), Words: "The service levels could not be read.",
		Detail: err.Error(), Remedy: "Probing and alerting do not depend on this page. It tries again by itself.",
	})
}

// rendered is a page, or the error that prevented it.
type rendered struct {
	name string // of the template
	body []byte
	err  error
}

func (h *pages) render(w http.ResponseWriter, status int, name string, data any) {
	h.send(w, status, h.execute(name, data))
}

func (h *pages) execute(name string, data any) rendered {
	var body bytes.Buffer
	err := h.templates[name].ExecuteTemplate(&body, "layout", data)
	return rendered{name, []byte(withoutOverrides.Replace(body.String())), err}
}

// withoutOverrides removes the characters that change the direction of all following
// text. Specifications cannot have them, but labels and responses of targets can.
var withoutOverrides = strings.NewReplacer(
	"\u202a", "", "\u202b", "", "\u202c", "", "\u202d", "", "\u202e", "", "\u2066", "", "\u2067", "", "\u2068", "", "\u2069", "")

// send writes a page that is already rendered, since a template that fails half way
// must not leave half a page with status 200.
func (h *pages) send(w http.ResponseWriter, status int, p rendered) {
	if p.err != nil {
		h.opts.Logger.Error("page could not be rendered", "page", p.name, "err", p.err)
		http.Error(w, "The page could not be rendered; the server's log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := w.Write(p.body); err != nil {
		h.opts.Logger.Debug("page could not be sent", "page", p.name, "err", err)
	}
}
