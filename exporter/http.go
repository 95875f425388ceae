package exporter

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/upheld-sla/upheld/exporter/blackbox"
	"github.com/upheld-sla/upheld/exporter/probe"
)

// Handler serves everything that the daemon serves: the metrics at telemetryPath,
// /-/healthy, /-/ready, /-/reload, a page that links them and shows the last result of
// each target, and /history with more results. With modules it also has the pages of
// blackbox_exporter.
func (e *Exporter) Handler(telemetryPath string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+telemetryPath, e.Metrics())
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "upheld-exporter is healthy.")
	})
	mux.HandleFunc("GET /-/ready", e.serveReady)
	mux.HandleFunc("POST /-/reload", e.serveReload)
	mux.HandleFunc("PUT /-/reload", e.serveReload)
	mux.HandleFunc("GET "+historyPath, e.serveHistory)
	if e.opts.Requests != nil {
		e.opts.Requests.Mount(mux)
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { e.serveLanding(w, r, telemetryPath) })
	return mux
}

func (e *Exporter) serveReady(w http.ResponseWriter, _ *http.Request) {
	if !e.running.Load() || !e.applied.Load() {
		http.Error(w, "upheld-exporter is not probing yet.", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "upheld-exporter is ready.")
}

func (e *Exporter) serveReload(w http.ResponseWriter, _ *http.Request) {
	if err := e.Reload(); err != nil {
		http.Error(w, "Not all was reloaded; where that failed the exporter goes on with what it has.\n"+err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, "Reloaded.")
}

// maxRows bounds the targets on the landing page.
const maxRows = 500

// row is one target on the landing page.
type row struct {
	Level, History, Target, Every, Outcome, Reason, Detail, When string
}

var landingTable = template.Must(template.New("targets").Parse(`
<h2>Targets</h2>
{{- if .Rows}}
<table>
<caption>The last result of each target{{if .More}}; {{.More}} more are in the metrics{{end}}</caption>
<thead><tr><th scope="col">Service level</th><th scope="col">Target</th><th scope="col">Every</th><th scope="col">Outcome</th><th scope="col">Reason</th><th scope="col">Detail</th><th scope="col">When</th></tr></thead>
<tbody>
{{- range .Rows}}
<tr class="{{.Outcome}}"><th scope="row"><a href="{{.History}}">{{.Level}}</a></th><td>{{.Target}}</td><td>{{.Every}}</td><td>{{.Outcome}}</td><td>{{.Reason}}</td><td>{{.Detail}}</td><td>{{.When}}</td></tr>
{{- end}}
</tbody>
</table>
{{- else}}
<p>{{if .Requests}}None on a time table: probes run when they are asked for.{{else}}The specification defines no probes.{{end}}</p>
{{- end}}
{{- with .Asked}}
<h2>Probes that were asked for</h2>
<table>
<caption>The last ones, and before them some that failed</caption>
<thead><tr><th scope="col">Module</th><th scope="col">Target</th><th scope="col">Result</th><th scope="col">More</th></tr></thead>
<tbody>
{{- range .}}
<tr><th scope="row">{{.Module}}</th><td>{{.Target}}</td><td>{{if .Success}}success{{else}}<strong>failure</strong>{{end}}</td><td><a href="/logs?id={{.ID}}">logs of {{.ID}}</a></td></tr>
{{- end}}
</tbody>
</table>
{{- end}}
`))

const landingCSS = `
table { border-collapse: collapse; }
caption { text-align: left; padding: .3em 0; }
th, td { border: 1px solid #ccc; padding: .3em .6em; text-align: left; overflow-wrap: break-word; }
th, td:last-child { white-space: nowrap; }
td:nth-child(2), td:nth-child(6) { overflow-wrap: anywhere; }
tr.bad td:nth-child(4) { background: #fbd5d5; }
tr.inconclusive td:nth-child(4), tr.missed td:nth-child(4) { background: #fdf0c4; }
`

func (e *Exporter) serveLanding(w http.ResponseWriter, r *http.Request, telemetryPath string) {
	rows, more := e.rows(time.Now())
	var table bytes.Buffer
	if err := landingTable.Execute(&table, map[string]any{"Rows": rows, "More": more, "Asked": e.asked(), "Requests": e.opts.Requests != nil}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	links := []web.LandingLinks{
		{Address: telemetryPath, Text: "Metrics"},
		{Address: "/-/healthy", Text: "Health"},
		{Address: "/-/ready", Text: "Readiness"},
	}
	if e.opts.Requests != nil {
		links = append(links, web.LandingLinks{Address: "/config", Text: "Modules"})
	}
	page, err := web.NewLandingPage(web.LandingConfig{
		Name:        "Upheld Exporter",
		Description: "Probes the targets of service level agreements. Location: " + template.HTMLEscapeString(e.opts.Location),
		Version:     cmp.Or(version.Version, "devel"),
		Links:       links,
		ExtraHTML:   table.String(),
		ExtraCSS:    landingCSS,
		Profiling:   "false",
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	page.ServeHTTP(w, r)
}

// asked returns the remembered probes that were requested over HTTP.
func (e *Exporter) asked() []blackbox.Recent {
	if e.opts.Requests == nil {
		return nil
	}
	return e.opts.Requests.Recent()
}

// rows returns the targets with their last results, and how many did not fit.
func (e *Exporter) rows(now time.Time) (rows []row, more int) {
	e.mu.RLock()
	targets := e.targets
	e.mu.RUnlock()
	if len(targets) > maxRows {
		targets, more = targets[:maxRows], len(targets)-maxRows
	}
	for _, t := range targets {
		line := row{Level: t.spec.ID.String(), History: historyURL(t), Target: t.shown(), Every: t.spec.Probe.Interval.String(), Outcome: "not probed yet"}
		if recent := t.history.recent(); len(recent) > 0 {
			last := recent[0]
			line.Outcome, line.Reason, line.Detail = string(last.Outcome), string(last.Reason), last.Detail
			line.When = now.Sub(last.At).Round(time.Second).String() + " ago"
			if last.Outcome == probe.Good {
				line.Detail += " in " + last.Duration.Round(10*time.Microsecond).String()
			}
		}
		rows = append(rows, line)
	}
	return rows, more
}
