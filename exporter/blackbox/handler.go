package blackbox

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/upheld-sla/upheld/exporter/measure"
	"github.com/upheld-sla/upheld/exporter/redact"
	"github.com/upheld-sla/upheld/sla"
)

// timeoutHeader is the header in which Prometheus sends the timeout of a scrape.
const timeoutHeader = "X-Prometheus-Scrape-Timeout-Seconds"

// defaultScrapeTimeout holds for a request without timeoutHeader.
const defaultScrapeTimeout = 120 * time.Second

// Mount adds the pages of blackbox_exporter: /probe, /config and /logs.
func (p *Prober) Mount(mux *http.ServeMux) {
	mux.HandleFunc("/probe", p.serveProbe)
	mux.HandleFunc("GET /config", p.serveConfig)
	mux.HandleFunc("GET /logs", p.serveLogs)
}

// probeRequest is a request to /probe.
type probeRequest struct {
	name    string
	module  *Module
	target  string
	timeout time.Duration
}

// requestError is what is wrong with a request, and the status of the response.
type requestError struct {
	status int
	text   string
}

func (p *Prober) serveProbe(w http.ResponseWriter, r *http.Request) {
	q, wrong := p.parse(r)
	if wrong != nil {
		http.Error(w, wrong.text, wrong.status)
		return
	}
	if wait, wrong := p.admit(); wrong != nil {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(max(wait, time.Second).Seconds()))))
		http.Error(w, wrong.text, wrong.status)
		return
	}
	defer p.running.Add(-1)
	result, refusal := p.run(r.Context(), q.name, q.module, q.target, q.timeout)
	switch {
	case refusal != nil:
		http.Error(w, "The target may not be probed: "+redact.Error(refusal, sla.UserInfo(q.target)...), http.StatusForbidden)
	case r.URL.Query().Get("debug") == "true":
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, result.debug())
	default:
		measure.Answer(w, r, result.out.families())
	}
}

// parse reads a request, in the same order as blackbox_exporter.
func (p *Prober) parse(r *http.Request) (*probeRequest, *requestError) {
	params := r.URL.Query()
	q := &probeRequest{name: cmp.Or(params.Get("module"), "http_2xx"), target: decodeTarget(params.Get("target"))}
	var known bool
	if q.module, known = (*p.modules.Load())[q.name]; !known {
		p.unknown.Add(1)
		return nil, &requestError{http.StatusBadRequest, fmt.Sprintf("Unknown module %q", q.name)}
	}
	var err error
	if q.timeout, err = timeout(r.Header.Get(timeoutHeader), q.module.Timeout, p.opts.TimeoutOffset); err != nil {
		return nil, &requestError{http.StatusInternalServerError, fmt.Sprintf("Failed to parse timeout from Prometheus header: %s", err)}
	}
	if q.target == "" {
		return nil, &requestError{http.StatusBadRequest, "Target parameter is missing"}
	}
	if hostname := params.Get("hostname"); hostname != "" {
		if q.module, err = q.module.withHostname(hostname); err != nil {
			return nil, &requestError{http.StatusBadRequest, err.Error()}
		}
	}
	return q, nil
}

// timeout is how long a probe may take: the timeout of the scrape less the offset,
// and at most that of the module unless it is 0. If the offset would leave nothing,
// half of the scrape's timeout remains, so that the response still comes in time.
func timeout(header string, module, offset time.Duration) (time.Duration, error) {
	scrape := defaultScrapeTimeout
	if header != "" {
		seconds, err := strconv.ParseFloat(header, 64)
		if err != nil {
			return 0, err
		}
		if math.IsNaN(seconds) || seconds < 0 {
			return 0, fmt.Errorf("%q is not a timeout: it must be 0 or more seconds", header)
		}
		if seconds > 0 {
			scrape = time.Duration(min(seconds, time.Hour.Seconds()) * float64(time.Second))
		}
	}
	most := scrape - offset
	if most <= 0 {
		most = scrape / 2
	}
	if module > 0 {
		most = min(most, module)
	}
	return most, nil
}

// admit counts one more running probe, unless there are too many.
func (p *Prober) admit() (wait time.Duration, wrong *requestError) {
	if n := p.running.Add(1); p.opts.MaxConcurrency > 0 && n > int64(p.opts.MaxConcurrency) {
		p.running.Add(-1)
		p.rejected[0].Add(1)
		return 0, &requestError{http.StatusServiceUnavailable, fmt.Sprintf("%d probes are running, as many as may at once; see --probe.request-max-concurrency", p.opts.MaxConcurrency)}
	}
	if wait, ok := p.rate.take(); !ok {
		p.running.Add(-1)
		p.rejected[1].Add(1)
		return wait, &requestError{http.StatusTooManyRequests, fmt.Sprintf("more than %g probes a second are probeRequest for; see --probe.request-max-rate", p.opts.MaxRate)}
	}
	return 0, nil
}

func (p *Prober) serveConfig(w http.ResponseWriter, _ *http.Request) {
	redacted := moduleFile{Modules: map[string]settings{}}
	for name, m := range *p.modules.Load() {
		redacted.Modules[name] = m.redacted()
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, toYAML(redacted))
}

// serveLogs shows one remembered probe: that of ?id=, or the newest of ?target=
// and, if given, &module=.
func (p *Prober) serveLogs(w http.ResponseWriter, r *http.Request) {
	params := r.URL.Query()
	target, module := decodeTarget(params.Get("target")), params.Get("module")
	id, err := strconv.ParseInt(params.Get("id"), 10, 64)
	var found *record
	switch {
	case err == nil && target != "":
		http.Error(w, "Probe id and target can't be defined at the same time", http.StatusBadRequest)
		return
	case err != nil && target == "" && module != "":
		http.Error(w, "Probe module filter only works in conjunction with target parameter", http.StatusBadRequest)
		return
	case err != nil && target == "":
		http.Error(w, "Probe id or target must be defined as http query parameters", http.StatusBadRequest)
		return
	case target != "":
		target = sla.ShownAddress(target)
		found = p.history.find(func(x *record) bool { return x.target == target && (module == "" || module == x.name) })
	default:
		found = p.history.find(func(x *record) bool { return x.id == id })
	}
	if found == nil {
		http.Error(w, "The probe is not remembered", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, found.debug())
}

// Recent is a summary of one remembered probe.
type Recent struct {
	ID             int64
	Module, Target string
	Success        bool
}

// Recent are the remembered probes, the newest first.
func (p *Prober) Recent() []Recent {
	all := p.history.list()
	short := make([]Recent, len(all))
	for i, r := range all {
		short[i] = Recent{r.id, r.name, r.target, r.success}
	}
	return short
}
