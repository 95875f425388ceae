package exporter

import (
	"bytes"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/exporter/measure"
	"github.com/upheld-sla/upheld/exporter/probe"
)

// historyPath is the page of a target's last results. Its query is ?level=, as sla.ID
// prints it, with ?target= and ?address= if the level has several, or ?probe= with the
// ID from an exemplar.
const historyPath = "/history"

func historyURL(t *target) string {
	query := url.Values{"level": {t.spec.ID.String()}, "target": {t.name()}}
	if t.address != "" {
		query.Set("address", t.address)
	}
	return historyPath + "?" + query.Encode()
}

// historyRow is one result on the page.
type historyRow struct {
	Record
	ProbeID string
	Marked  bool // the requested one
	When    string
	Took    string
	Times   []string // of each phase, in the order of probe.AllPhases
	Hops    []string // requests, if the probe made several
}

var historyPage = template.Must(template.New("history").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Level}}: last results</title>
<style>
body { font-family: sans-serif; margin: 2em; }
table { border-collapse: collapse; margin-bottom: 2em; }
caption { text-align: left; padding: .3em 0; font-weight: bold; }
th, td { border: 1px solid #ccc; padding: .3em .6em; text-align: left; white-space: nowrap; }
td.detail { white-space: normal; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; background: #f4f4f4; padding: .5em; margin: .3em 0; max-height: 30em; overflow: auto; }
tr.bad td.outcome { background: #fbd5d5; }
tr.inconclusive td.outcome, tr.missed td.outcome { background: #fdf0c4; }
tr:target, tr.marked { outline: 3px solid #1a5fb4; }
</style>
</head>
<body>
<p><a href="/">All targets</a></p>
<h1>{{.Level}}</h1>
<p>Target <code>{{.Target}}</code>{{with .Address}} at <code>{{.}}</code>{{end}}, every {{.Every}}, from {{.Location}}. Times are UTC.</p>
{{- if and .Asked (not .Found)}}
<p role="status">The probe {{.Asked}} is no longer remembered: {{.Kept}} results of a target are, and {{.KeptBad}} that were not good.</p>
{{- end}}
{{- range .Tables}}
<table>
<caption>{{.Caption}}</caption>
<thead><tr><th scope="col">Began</th><th scope="col">Outcome</th><th scope="col">Reason</th><th scope="col">Detail</th><th scope="col">Took</th>{{range $.Phases}}<th scope="col">{{.}}</th>{{end}}<th scope="col">Probe</th></tr></thead>
<tbody>
{{- range $row := .Rows}}
<tr class="{{.Outcome}}{{if .Marked}} marked{{end}}"{{if .Marked}} aria-current="true"{{end}}><td>{{.When}}</td><td class="outcome">{{.Outcome}}{{if gt .Count 1}} × {{.Count}}{{end}}</td><td>{{.Reason}}</td><td class="detail">{{.Detail}}{{if .Hops}}<ol>{{range .Hops}}<li>{{.}}</li>{{end}}</ol>{{end}}{{with .Excerpt}}<details{{if $row.Marked}} open{{end}}><summary>what the target answered</summary><pre>{{.}}</pre></details>{{end}}</td><td>{{.Took}}</td>{{range .Times}}<td>{{.}}</td>{{end}}<td>{{if .ProbeID}}<a href="{{$.Path}}?probe={{.ProbeID}}"><code>{{.ProbeID}}</code></a>{{end}}</td></tr>
{{- else}}
<tr><td colspan="11">none</td></tr>
{{- end}}
</tbody>
</table>
{{- end}}
</body>
</html>
`))

// serveHistory shows the remembered results of one target.
func (e *Exporter) serveHistory(w http.ResponseWriter, r *http.Request) {
	level, asked := r.FormValue("level"), r.FormValue("probe")
	t := e.find(level, r.FormValue("target"), r.FormValue("address"), asked)
	if t == nil {
		http.Error(w, "No target has this level or remembers this probe; the landing page lists the targets.", http.StatusNotFound)
		return
	}
	type table struct {
		Caption string
		Rows    []historyRow
	}
	tables := []table{
		{"The last results", rowsOf(t.history.recent(), asked)},
		{"The last results that were not good", rowsOf(t.history.failures(), asked)},
	}
	found := false
	for _, one := range tables {
		for _, line := range one.Rows {
			found = found || line.Marked
		}
	}
	var page bytes.Buffer
	err := historyPage.Execute(&page, map[string]any{
		"Level": t.spec.ID.String(), "Target": t.name(), "Address": t.address, "Every": t.spec.Probe.Interval.String(), "Location": e.opts.Location,
		"Phases": probe.AllPhases(), "Tables": tables, "Asked": asked, "Found": found, "Path": historyPath,
		"Kept": RecentResults, "KeptBad": recentFailures,
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	_, _ = w.Write(page.Bytes())
}

// find returns the target of a level, the first if none is named, or else the target
// that remembers a probe.
func (e *Exporter) find(level, name, address, asked string) *target {
	e.mu.RLock()
	targets := e.targets
	e.mu.RUnlock()
	for _, t := range targets {
		if level != "" && t.spec.ID.String() == level && (name == "" || t.name() == name) && (address == "" || t.address == address) {
			return t
		}
	}
	id, ok := measure.ParseID(asked)
	if level != "" || !ok {
		return nil
	}
	for _, t := range targets {
		if t.history.remembers(id) {
			return t
		}
	}
	return nil
}

func (h *history) remembers(id measure.ID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all.remembers(id) || h.bad.remembers(id)
}

func rowsOf(records []Record, asked string) []historyRow {
	rows := make([]historyRow, len(records))
	for i, r := range records {
		line := historyRow{Record: r, When: r.At.UTC().Format("2006-01-02 15:04:05.000")}
		if r.ID != 0 {
			line.ProbeID = r.ID.String()
			line.Marked = line.ProbeID == asked
			line.Took = brief(r.Duration)
		}
		for _, p := range probe.AllPhases() {
			text := ""
			if took, ok := r.Phases.Get(p); ok {
				text = brief(took)
			}
			line.Times = append(line.Times, text)
		}
		for _, part := range r.Parts {
			line.Hops = append(line.Hops, hopWords(part))
		}
		rows[i] = line
	}
	return rows
}

// hopWords describes one request of several, with its phases.
func hopWords(p probe.Part) string {
	var b strings.Builder
	if p.Step != "" {
		b.WriteString(p.Step + ": ")
	}
	b.WriteString(p.URL)
	if p.Status != 0 {
		b.WriteString(", HTTP " + strconv.Itoa(p.Status))
	}
	b.WriteString(", " + brief(p.Duration))
	between := " ("
	for phase, took := range p.Phases.All() {
		b.WriteString(between + phase.String() + " " + brief(took))
		between = ", "
	}
	if between != " (" {
		b.WriteString(")")
	}
	return b.String()
}

// brief is a duration with its significant digits.
func brief(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}
