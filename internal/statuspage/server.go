package statuspage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"maps"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

//go:embed templates/*.html assets
var files embed.FS

// Options of the pages.
type Options struct {
	Source Source           // required
	Logger *slog.Logger     // slog.Default if nil
	Now    func() time.Time // time.Now if nil
	Every  time.Duration    // how often pages are rendered; DefaultEvery if 0
}

// DefaultEvery is how often pages are rendered.
const DefaultEvery = 30 * time.Second

// maxAge is how long a copy is shown while no new one can be made: an old page that
// says that all is well is worse than none.
const maxAge = 10 * time.Minute

// Pages are the status pages of all agreements that have one.
type Pages struct {
	opts     Options
	template *template.Template
	assets   map[string]*copied
	style    string // the fingerprint of the style sheet
	archive  archive
	copies   atomic.Pointer[map[string]*copied] // by path; nil until the first pages are made
	routes   *http.ServeMux
}

// copied is a rendered answer.
type copied struct {
	body     []byte
	kind     string // Content-Type
	etag     string
	modified time.Time // when it last changed
	made     time.Time
}

// New makes the pages. Run renders them.
func New(opts Options) (*Pages, error) {
	if opts.Source == nil {
		return nil, errors.New("statuspage: Options.Source is missing: the pages have nothing to show")
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Every <= 0 {
		opts.Every = DefaultEvery
	}
	p := &Pages{opts: opts, assets: map[string]*copied{}, archive: archive{}}
	for name, kind := range map[string]string{"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"} {
		body, err := files.ReadFile("assets/" + name)
		if err != nil {
			return nil, fmt.Errorf("statuspage: %w", err)
		}
		p.assets["/status/"+name] = p.copy(nil, body, kind, opts.Now())
	}
	p.style = p.assets["/status/style.css"].etag[1:13]
	var err error
	if p.template, err = template.New("page.html").ParseFS(files, "templates/page.html"); err != nil {
		return nil, fmt.Errorf("statuspage: template: %w", err)
	}
	p.routes = http.NewServeMux()
	for _, pattern := range Patterns() {
		p.routes.HandleFunc(pattern, p.serve)
	}
	for path := range p.assets {
		p.routes.HandleFunc("GET "+path, p.serveAsset)
	}
	return p, nil
}

// Run renders the pages again and again until ctx ends.
func (p *Pages) Run(ctx context.Context) error {
	ticker := time.NewTicker(p.opts.Every)
	defer ticker.Stop()
	for {
		p.Render(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Render renders all pages once. It logs errors; the last copy of a page that failed
// stays for some minutes.
func (p *Pages) Render(ctx context.Context) {
	now := p.opts.Now()
	before := map[string]*copied{}
	if m := p.copies.Load(); m != nil {
		before = *m
	}
	next := map[string]*copied{}
	names := map[string]bool{}
	for _, a := range p.opts.Source.Agreements() {
		if a.StatusPage == nil {
			continue
		}
		names[a.Name] = true
		made, err := p.render(ctx, a, before, now)
		if err != nil && ctx.Err() == nil {
			p.opts.Logger.Error("A status page cannot be rendered", "sla", a.Name, "err", err)
		}
		maps.Copy(next, made)
		for _, path := range pathsOf(a.Name) {
			if next[path] == nil && before[path] != nil {
				next[path] = before[path]
			}
		}
	}
	maps.DeleteFunc(p.archive, func(name string, _ *past) bool { return !names[name] })
	p.copies.Store(&next)
}

// pathsOf are the paths of an agreement: the page, its JSON and its feed.
func pathsOf(name string) [3]string {
	base := "/status/" + name
	return [3]string{base, base + "/status.json", base + "/feed.atom"}
}

// Patterns are the paths of all agreements, for http.ServeMux.
func Patterns() []string {
	var all []string
	for _, path := range pathsOf("{agreement}") {
		all = append(all, "GET "+path)
	}
	return all
}

// render makes the copies of one agreement.
func (p *Pages) render(ctx context.Context, a *sla.Agreement, before map[string]*copied, now time.Time) (map[string]*copied, error) {
	past, err := p.archive.past(ctx, p.opts.Source, a, now)
	if err != nil {
		return nil, err
	}
	states, err := p.opts.Source.States(ctx, a)
	if err != nil {
		return nil, err
	}
	// Whole minutes, so that a copy stays the same while nothing changes.
	shown := page(a, past, states, now.Truncate(time.Minute))
	var html bytes.Buffer
	if err := p.template.Execute(&html, newView(a.Name, p.style, &shown)); err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	json, err := shown.json()
	if err != nil {
		return nil, err
	}
	feed, err := shown.feed(a.Name)
	if err != nil {
		return nil, err
	}
	paths := pathsOf(a.Name)
	return map[string]*copied{
		paths[0]: p.copy(before[paths[0]], html.Bytes(), "text/html; charset=utf-8", now),
		paths[1]: p.copy(before[paths[1]], json, "application/json", now),
		paths[2]: p.copy(before[paths[2]], feed, "application/atom+xml; charset=utf-8", now),
	}, nil
}

// copy makes a new copy, with the time of the previous one if nothing has changed.
func (p *Pages) copy(before *copied, body []byte, kind string, now time.Time) *copied {
	c := &copied{body: body, kind: kind, etag: fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256(body))[:32]), modified: now, made: now}
	if before != nil && before.etag == c.etag {
		c.modified = before.modified
	}
	return c
}

// policy allows only what the pages need, all from this server, and no script.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP answers with a copy.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	p.routes.ServeHTTP(w, r)
}

func (p *Pages) serveAsset(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	p.assets[r.URL.Path].serve(w, r)
}

func (p *Pages) serve(w http.ResponseWriter, r *http.Request) {
	copies := p.copies.Load()
	if copies == nil {
		unavailable(w)
		return
	}
	c := (*copies)[r.URL.Path]
	switch {
	case c == nil: // the same, whether or not there is such an agreement
		http.NotFound(w, r)
	case p.opts.Now().Sub(c.made) > maxAge:
		unavailable(w)
	default:
		w.Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", max(1, int(p.opts.Every.Seconds()))))
		w.Header().Set("Access-Control-Allow-Origin", "*") // it is public, even for pages of other sites
		c.serve(w, r)
	}
}

func unavailable(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "30")
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "How everything is doing is not known at the moment. Try again in a minute.", http.StatusServiceUnavailable)
}

func (c *copied) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", c.kind)
	w.Header().Set("ETag", c.etag)
	http.ServeContent(w, r, "", c.modified, bytes.NewReader(c.body))
}
