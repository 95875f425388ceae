package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"slices"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/spf13/pflag"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/blackbox"
	"github.com/upheld-sla/upheld/exporter/guard"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/descriptors"
)

// requestConfig has the flags for probes that are requested at /probe. Flags that
// blackbox_exporter has, too, have the same name and default here.
type requestConfig struct {
	file           string
	offset         float64 // seconds
	history        int
	autoReload     bool
	reloadInterval int // seconds
	deny           []string
	maxConcurrency int
	maxRate        float64
	level          *promslog.Level
}

func (c *requestConfig) addFile(f *pflag.FlagSet) {
	f.StringVar(&c.file, "config.file", "", "modules of blackbox_exporter (a blackbox.yml): answer /probe?target=&module= with them")
}

func (c *requestConfig) addFlags(f *pflag.FlagSet) {
	f.BoolVar(&c.autoReload, "config.enable-auto-reload", false, "load --config.file again when it has changed")
	f.IntVar(&c.reloadInterval, "config.auto-reload-interval", 30, "`seconds` between two looks at --config.file for a change")
	f.Float64Var(&c.offset, "timeout-offset", blackbox.DefaultTimeoutOffset.Seconds(), "`seconds` by which a probe asked for at /probe ends sooner than the scrape's timeout")
	f.IntVar(&c.history, "history.limit", blackbox.DefaultHistoryLimit, "how many probes asked for at /probe are remembered, and how many failed ones before those")
	f.StringArrayVar(&c.deny, "probe.request-deny-cidr", []string{"cloud-metadata", "link-local"}, "like --probe.deny-cidr, for probes asked for at /probe alone; none denies nothing more; repeatable")
	f.IntVar(&c.maxConcurrency, "probe.request-max-concurrency", blackbox.DefaultMaxConcurrency, "how many probes asked for at /probe may run at once; more are answered with 503")
	f.Float64Var(&c.maxRate, "probe.request-max-rate", 0, "how many probes a second may be asked for at /probe; more are answered with 429; 0 is no bound")
}

// nothing is the value of --probe.request-deny-cidr that adds no denial.
const nothing = "none"

// limits are the limits of requested probes: those of all other probes, and more.
func (c *requestConfig) limits(all guard.Options) (*guard.Guard, error) {
	if !slices.Equal(c.deny, []string{nothing}) {
		all.DenyCIDR = slices.Concat(all.DenyCIDR, c.deny)
	}
	return guard.New(all)
}

// validate finds mistakes that no single flag can show; the limits of all probes are
// already validated.
func (c *requestConfig) validate(all guard.Options) error {
	switch {
	case math.IsNaN(c.offset) || c.offset < 0 || c.offset > time.Hour.Seconds():
		return fmt.Errorf("--timeout-offset is %g; it must be 0 or more seconds, and less than an hour", c.offset)
	case c.history < 0:
		return fmt.Errorf("--history.limit is %d; it must be 0 or more", c.history)
	case c.maxConcurrency < 1:
		return fmt.Errorf("--probe.request-max-concurrency is %d; it must be at least 1", c.maxConcurrency)
	case math.IsNaN(c.maxRate) || c.maxRate < 0:
		return fmt.Errorf("--probe.request-max-rate is %g; it must be 0, for no bound, or more", c.maxRate)
	case c.reloadInterval < 1:
		return fmt.Errorf("--config.auto-reload-interval is %d; it must be at least 1", c.reloadInterval)
	case c.autoReload && c.file == "":
		return errors.New("--config.enable-auto-reload has no file to look at; name it with --config.file")
	case len(c.deny) > 1 && slices.Contains(c.deny, nothing):
		return errors.New("--probe.request-deny-cidr: none stands alone")
	}
	if _, err := c.limits(all); err != nil {
		return fmt.Errorf("--probe.request-deny-cidr: %w", err)
	}
	return nil
}

// prober makes the prober for requests; nil if requests are not allowed.
func (c *requestConfig) prober(all *config, env probe.Env, logger *slog.Logger, stderr io.Writer) *blackbox.Prober {
	if c.file == "" {
		return nil
	}
	limits, _ := c.limits(all.limits) // validated before
	most := c.maxConcurrency
	if files := all.share(descriptors.Limit()); files > 0 {
		most = min(most, max(1, files-spareDescriptors))
	}
	return blackbox.New(blackbox.Options{
		ConfigFile:     c.file,
		TimeoutOffset:  time.Duration(c.offset * float64(time.Second)),
		HistoryLimit:   c.history,
		MaxConcurrency: most,
		MaxRate:        c.maxRate,
		Network:        &guard.Network{Limits: limits, Resolver: env.Resolver},
		RootCAs:        env.RootCAs,
		UserAgent:      env.UserAgent,
		Logger:         logger,
		ProbeLog:       promslog.Config{Level: c.level, Format: all.log.Format, Writer: stderr},
	})
}

// reloadOnChange loads the modules again when their file has changed.
func (c *requestConfig) reloadOnChange(ctx context.Context, e *exporter.Exporter, logger *slog.Logger) {
	sum := func() []byte {
		text, err := os.ReadFile(c.file)
		if err != nil {
			logger.Error("the file of modules cannot be looked at", "err", err)
			return nil
		}
		s := sha256.Sum256(text)
		return s[:]
	}
	last := sum()
	tick := time.NewTicker(time.Duration(c.reloadInterval) * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if now := sum(); now != nil && !bytes.Equal(now, last) {
			last = now
			_ = e.ReloadModules() // it logs errors itself
		}
	}
}
