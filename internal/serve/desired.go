package serve

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/prometheus/config"
	"github.com/upheld-sla/upheld/internal/closing"
	"github.com/upheld-sla/upheld/internal/imports"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// desired is everything that follows from the specifications and the scrape
// configuration. It is made in full before anything running is touched, so that
// a mistake in either changes nothing.
type desired struct {
	agreements []*sla.Agreement
	targets    []sla.ProbeTarget
	ruleFiles  map[string][]byte // by agreement
	config     *config.Config    // scrapes and notifications
	retention  time.Duration
	documents  map[string]map[string]string // hashes of the files that verdicts depend on, by agreement and file name
	at         time.Time                    // when it was made
}

// load makes the desired state. It logs warnings, and returns all errors together.
func load(o Options, self string) (*desired, error) {
	agreements, findings := spec.Files{Allow: o.FilesAllow, Open: true, Queries: imports.Queries()}.Load(o.Specs...)
	d := &desired{agreements: agreements, at: time.Now(), ruleFiles: map[string][]byte{}, documents: map[string]map[string]string{}}
	if !findings.HasErrors() {
		more, err := d.makeRules(rulegen.Options{Interval: o.RulesInterval, Links: rulegen.Links{Pages: o.ExternalURL}})
		if err != nil {
			return nil, err
		}
		findings = append(findings, more...)
	}
	if err := findings.Err(); err != nil {
		return nil, err
	}
	logFindings(o.Logger, findings)
	d.targets = sla.ProbeTargets(agreements)
	d.retention = retention(o, agreements)
	for _, a := range agreements {
		d.documents[a.Name] = closing.Documents(agreements, a)
	}
	var err error
	if d.config, err = loadConfig(o, self); err != nil {
		return nil, err
	}
	return d, nil
}

// makeRules makes the rule files. With errors among the findings some may be missing.
func (d *desired) makeRules(opts rulegen.Options) (sla.Findings, error) {
	var findings sla.Findings
	for _, a := range d.agreements {
		plan, more := rulegen.Compile(a, opts)
		if findings = append(findings, more...); more.HasErrors() {
			continue
		}
		content, err := emit.Prometheus(plan)
		if err != nil {
			return nil, err
		}
		d.ruleFiles[a.Name] = content
	}
	return findings, nil
}

func logFindings(logger *slog.Logger, findings sla.Findings) {
	for _, f := range findings {
		logger.Warn(f.Message, "at", f.Pos.String(), "rule", f.Rule, "remedy", f.Remedy)
	}
}

// retention is what the user set, with a warning if that is too short to judge the
// agreements, or else what they need.
func retention(o Options, agreements []*sla.Agreement) time.Duration {
	needed, longest := Retention(agreements, o.SettlingTime)
	if o.RetentionTime == 0 {
		return needed
	}
	if o.RetentionTime < needed {
		o.Logger.Warn(fmt.Sprintf("Samples are kept for %s, but the specifications need %s: %s, %s until its report is made (--reports.settling-time), and two days in reserve. Live figures forget what is older, and reports may have too little data. Leave out --storage.retention.time, or set it to %[2]s or more.",
			sla.FormatDuration(o.RetentionTime), sla.FormatDuration(needed), longest, sla.FormatDuration(o.SettlingTime)))
	}
	return o.RetentionTime
}
