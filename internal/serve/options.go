package serve

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	commonconfig "github.com/prometheus/common/config"

	"github.com/upheld-sla/upheld/exporter/redact"
	"github.com/upheld-sla/upheld/internal/signature"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/internal/weburl"
	"github.com/upheld-sla/upheld/sla"
)

// Defaults of Options.
const (
	DefaultListenAddress       = "127.0.0.1:9798"
	DefaultStoragePath         = "data/"
	DefaultScrapeInterval      = 15 * time.Second
	DefaultRulesInterval       = time.Minute
	DefaultQueryTimeout        = 2 * time.Minute
	DefaultQueryMaxSamples     = 5_000_000
	DefaultQueryMaxConcurrency = 2
	DefaultSettlingTime        = sla.SettlingTime
)

// maxInterval is the longest interval of scrapes and of rules: both feed rates
// over sla.BaseWindow, which want some points.
const maxInterval = time.Minute

// maxSettlingTime bounds how much longer samples are kept.
const maxSettlingTime = 90 * 24 * time.Hour

// Options say what to serve. Specs is required; any other field may be zero, which
// means the default.
type Options struct {
	Specs []string // files, directories or globs, as spec.Load takes them

	// FilesAllow are the folders that files named by Specs may be in, see spec.Files.
	FilesAllow []string

	ListenAddress string   // host:port; port 0 takes a free one
	WebConfigFile string   // TLS and basic auth as exporter-toolkit reads them; none if empty
	ExternalURL   string   // how others reach this server, for links in alerts; if set, alerts have page_url; the bound address if empty
	AllowedHosts  []string // names by which clients may address this server, see httpguard.Options

	// StatusListenAddress is the host:port where only the public status pages are
	// served. None if empty; the pages are always below /status/ of ListenAddress, too.
	StatusListenAddress string

	StoragePath   string        // directory, made if it is not there
	RetentionTime time.Duration // 0: what the agreements need, see Retention
	RetentionSize int64         // bytes of blocks; 0 is no limit

	// SettlingTime is how long after its end a period is judged and its report kept.
	// Until then, samples and adjustments may still arrive.
	SettlingTime time.Duration

	// Sign signs the reports of closed periods, if it has a key.
	Sign signature.Signer

	AlertmanagerURLs []string // without user info, with a path for a prefix
	// AlertmanagerHTTP is TLS and authentication to the Alertmanagers; Prometheus'
	// default if nil.
	AlertmanagerHTTP *commonconfig.HTTPClientConfig
	ScrapeConfigFile string // a Prometheus configuration; only its scrape part is used

	ScrapeInterval time.Duration // of the scrape of this process; 1s to 1m
	RulesInterval  time.Duration // of the first tier of rules; 1s to 1m

	Location string // label of the probes, see exporter.Options

	// Limits of queries by the API; rules and pages have their own.
	QueryTimeout        time.Duration
	QueryMaxSamples     int // that a query may hold in memory at once
	QueryMaxConcurrency int // queries at a time

	// Backfill records the past of levels without recorded series, before the rules
	// begin.
	Backfill bool

	// Past returns what was measured of an agreement before the first sample in the
	// storage, for reports; nil for nothing.
	Past func(*sla.Agreement) verdict.Evidence
	// Note is shown at the top of every page; none if empty.
	Note string

	Flags  map[string]string // shown at /api/v1/status/flags
	Logger *slog.Logger      // slog.Default if nil

	// Reload requests that the specs and the scrape configuration are read again.
	Reload <-chan struct{}
	// Ready is called once everything runs, with the URL of the pages.
	Ready func(url string)
	// StatusReady is called once the server listens on StatusListenAddress, with its
	// URL.
	StatusReady func(url string)
}

// Check returns an OptionError if Run would refuse the options.
func (o Options) Check() error {
	_, err := o.withDefaults()
	return err
}

// withDefaults fills in what is not set and refuses invalid options.
func (o Options) withDefaults() (Options, error) {
	setDefault(&o.ListenAddress, DefaultListenAddress)
	setDefault(&o.StoragePath, DefaultStoragePath)
	setDefault(&o.ScrapeInterval, DefaultScrapeInterval)
	setDefault(&o.RulesInterval, DefaultRulesInterval)
	setDefault(&o.QueryTimeout, DefaultQueryTimeout)
	setDefault(&o.QueryMaxSamples, DefaultQueryMaxSamples)
	setDefault(&o.QueryMaxConcurrency, DefaultQueryMaxConcurrency)
	setDefault(&o.SettlingTime, DefaultSettlingTime)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Logger = redact.Logger(o.Logger)
	var errs []error
	if len(o.Specs) == 0 {
		errs = append(errs, errors.New("no specification is given; name at least one file, directory or glob"))
	}
	for _, interval := range []struct {
		name  string
		value time.Duration
	}{{"scrape interval", o.ScrapeInterval}, {"rules interval", o.RulesInterval}} {
		if interval.value < time.Second || interval.value > maxInterval {
			errs = append(errs, fmt.Errorf("the %s %s is not between 1s and %s: rates over %s are made of it; take 15s or 1m",
				interval.name, interval.value, sla.FormatDuration(maxInterval), sla.FormatDuration(sla.BaseWindow)))
		}
	}
	if o.RetentionTime < 0 || o.RetentionSize < 0 {
		errs = append(errs, errors.New("a retention cannot be negative; leave it out for what the specifications need"))
	}
	if o.SettlingTime < time.Minute || o.SettlingTime > maxSettlingTime {
		errs = append(errs, fmt.Errorf("the settling time %s is not between 1m and %s; take a day, or as long as it takes you to agree on exclusions", o.SettlingTime, sla.FormatDuration(maxSettlingTime)))
	}
	if o.QueryTimeout < 0 || o.QueryMaxSamples < 0 || o.QueryMaxConcurrency < 0 {
		errs = append(errs, errors.New("a limit of queries cannot be negative; leave it out for the default"))
	}
	if o.ExternalURL != "" {
		if _, err := externalURL(o.ExternalURL); err != nil {
			errs = append(errs, err)
		}
	}
	for _, address := range o.AlertmanagerURLs {
		if _, err := alertmanagerURL(address); err != nil {
			errs = append(errs, err)
		}
	}
	if _, _, err := net.SplitHostPort(o.ListenAddress); err != nil {
		errs = append(errs, fmt.Errorf("%q is not an address to listen on; write host:port or :port", o.ListenAddress))
	}
	if o.StatusListenAddress != "" {
		if _, _, err := net.SplitHostPort(o.StatusListenAddress); err != nil {
			errs = append(errs, fmt.Errorf("%q is not an address to listen on (--status.listen-address); write host:port or :port", o.StatusListenAddress))
		}
	}
	if len(errs) > 0 {
		return o, OptionError{errors.Join(errs...)}
	}
	return o, nil
}

// OptionError is a mistake by the caller in Options, not a failure of Run.
type OptionError struct{ error }

// Unwrap returns the mistake, or several of them joined.
func (e OptionError) Unwrap() error { return e.error }

func setDefault[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}

// externalURL reads the URL of links.
func externalURL(text string) (*url.URL, error) {
	u, err := weburl.Parse(text, "leave it out: who opens a link is asked for it")
	if err != nil {
		return nil, fmt.Errorf("external URL (--web.external-url): %w", err)
	}
	if strings.Contains(text, "{{") {
		return nil, fmt.Errorf("external URL (--web.external-url): %s is a template, which alerts would expand; write it out", text)
	}
	return u, nil
}

// alertmanagerURL reads the URL of an Alertmanager.
func alertmanagerURL(text string) (*url.URL, error) {
	u, err := weburl.Parse(text, "write basic_auth or authorization into a file, and name it by --alertmanager.http.config.file")
	if err != nil {
		return nil, fmt.Errorf("Alertmanager (--alertmanager.url): %w", err) //nolint:staticcheck // a name
	}
	return u, nil
}

// Retention is how long samples must be kept to judge the agreements: the longest
// period or alert window of any level. longest says in words which one that is.
func Retention(agreements []*sla.Agreement, settling time.Duration) (needed time.Duration, longest string) {
	take := func(p sla.Period, words string, level *sla.ServiceLevel) {
		if of := sla.RetentionOf(p, settling); of > needed {
			needed = of
			if longest = words; level != nil {
				longest += " of the level " + level.ID.String()
			}
		}
	}
	window := func(length time.Duration) sla.Period { return sla.Period{Rolling: length} }
	standard := sla.StandardWindows[len(sla.StandardWindows)-1]
	take(window(standard), "the window of "+sla.FormatDuration(standard)+" that is recorded for every level", nil)
	for _, a := range agreements {
		if a.StatusPage != nil {
			take(window((sla.StatusPageDays+1)*24*time.Hour), fmt.Sprintf("the %d days of the status page of %s", sla.StatusPageDays, a.Name), nil)
		}
		for _, l := range a.Levels {
			for _, p := range l.Periods() {
				take(p, "the period "+p.Words(), l)
			}
			for _, tier := range l.Alerting.Tiers {
				take(window(tier.Long), "the alert window of "+sla.FormatDuration(tier.Long), l)
			}
		}
	}
	return needed, longest
}
