package blackbox

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/promslog"

	"github.com/upheld-sla/upheld/exporter/measure"
	"github.com/upheld-sla/upheld/exporter/redact"
	"github.com/upheld-sla/upheld/sla"
)

// Defaults of Options, as in blackbox_exporter where it has them.
const (
	DefaultTimeoutOffset  = 500 * time.Millisecond
	DefaultHistoryLimit   = 100
	DefaultMaxConcurrency = 1000
)

// Options of a Prober. The zero value has no modules, no offset and remembers no
// probes.
type Options struct {
	ConfigFile string // a blackbox.yml
	// TimeoutOffset is how long before the timeout of a scrape a probe ends.
	TimeoutOffset time.Duration
	HistoryLimit  int // probes that are remembered
	// MaxConcurrency bounds how many probes run at once, MaxRate how many begin in
	// a second; 0 is no bound.
	MaxConcurrency int
	MaxRate        float64
	Network        Network        // must be set
	RootCAs        *x509.CertPool // for targets whose module names no ca_file; nil: the system's
	UserAgent      string         // for requests whose module sets none
	Logger         *slog.Logger   // for events of the configuration; none if nil
	// ProbeLog is how probes log. debug=true and /logs show what they log, too. Its
	// writer may be nil.
	ProbeLog promslog.Config
}

// Prober answers requests for probes. Its methods are safe for concurrent use.
type Prober struct {
	opts    Options
	history history
	rate    *limiter

	modules atomic.Pointer[map[string]*Module]
	loading sync.Mutex

	reloadOK   atomic.Bool
	reloadedAt atomic.Int64 // seconds since the epoch; 0 never
	unknown    atomic.Int64
	running    atomic.Int64
	rejected   [2]atomic.Int64 // by concurrency, by rate
}

// New makes a prober without modules: Reload loads them.
func New(opts Options) *Prober {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	opts.Logger = redact.Logger(opts.Logger)
	if opts.ProbeLog.Writer == nil {
		opts.ProbeLog.Writer = io.Discard
	}
	p := &Prober{opts: opts, history: history{limit: opts.HistoryLimit}, rate: newLimiter(opts.MaxRate)}
	p.modules.Store(&map[string]*Module{})
	return p
}

// Reload reads the configuration file again. After an error the modules stay as
// they are.
func (p *Prober) Reload() error {
	p.loading.Lock()
	defer p.loading.Unlock()
	modules, warnings, err := Load(p.opts.ConfigFile)
	p.reloadOK.Store(err == nil)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		p.opts.Logger.Warn(w)
	}
	p.modules.Store(&modules)
	p.reloadedAt.Store(time.Now().Unix())
	p.opts.Logger.Info("modules for /probe loaded", "file", p.opts.ConfigFile, "modules", len(modules))
	return nil
}

// Facts are the current values of the Prober's own metrics.
func (p *Prober) Facts() measure.RequestFacts {
	f := measure.RequestFacts{
		ReloadSuccessful: p.reloadOK.Load(), UnknownModules: p.unknown.Load(), Running: p.running.Load(),
		RejectedByConcurrency: p.rejected[0].Load(), RejectedByRate: p.rejected[1].Load(),
	}
	if at := p.reloadedAt.Load(); at != 0 {
		f.ReloadedAt = time.Unix(at, 0)
	}
	return f
}

// run probes once and remembers it.
func (p *Prober) run(ctx context.Context, name string, module *Module, target string, timeout time.Duration) (*record, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var text bytes.Buffer
	conf := p.opts.ProbeLog
	conf.Writer = io.MultiWriter(&text, conf.Writer)
	log := redact.Logger(promslog.New(&conf), append(module.secrets(), sla.UserInfo(target)...)...).With("module", name, "target", sla.ShownAddress(target))
	log.Debug("Beginning probe", "probe", module.Prober, "timeout_seconds", timeout.Seconds())

	a := &attempt{opts: &p.opts, module: module, target: target, out: results{}, log: log}
	start := time.Now()
	success := proberOf(string(module.Prober))(ctx, a)
	took := time.Since(start).Seconds()
	a.out.set("probe_duration_seconds", took)
	a.out.set("probe_timeout_seconds", timeout.Seconds())
	if success {
		a.out.set("probe_success", 1)
		log.Debug("Probe succeeded", "duration_seconds", took)
	} else {
		a.out.set("probe_success", 0)
		log.Error("Probe failed", "duration_seconds", took)
	}
	r := &record{name: name, module: module, target: sla.ShownAddress(target), success: success, log: text.String(), out: a.out}
	p.history.add(r)
	return r, a.refusal
}

// debug is everything about a probe as text: its log, metrics and module.
func (r *record) debug() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Logs for the probe:\n%s\n\n\nMetrics that would have been returned:\n", r.log)
	for _, family := range r.out.families() {
		_, _ = expfmt.MetricFamilyToText(&b, family)
	}
	fmt.Fprintf(&b, "\n\n\nModule configuration:\n%s", toYAML(r.module.redacted()))
	return b.String()
}
