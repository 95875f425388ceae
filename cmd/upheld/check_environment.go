package main

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/pflag"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla/spec"
)

// environment is what flags tell check about the server that will evaluate the rules.
type environment struct {
	scrapeInterval, retention string // in Prometheus' notation; "" is unknown
	server                    serverFlags
	files                     spec.Files
}

func (e *environment) flags(f *pflag.FlagSet) {
	f.StringVar(&e.scrapeInterval, "scrape.interval", "", "how often Prometheus scrapes what is counted, e.g. 30s: finds windows with too few scrapes")
	f.StringVar(&e.retention, "retention", "", "how long Prometheus keeps its data, e.g. 15d: finds periods that are longer")
	bindFiles(f, &e.files)
	e.server.flags(f, "ask this server whether it has what the levels read", 10*time.Second)
}

// options returns the rule generator's options, with what is known about the server.
func (e *environment) options() (rulegen.Options, error) {
	var o rulegen.Options
	if err := e.server.check(); err != nil {
		return o, err
	}
	for _, flag := range []struct {
		name, value string
		to          *time.Duration
	}{{"scrape.interval", e.scrapeInterval, &o.ScrapeInterval}, {"retention", e.retention, &o.Retention}} {
		if flag.value == "" {
			continue
		}
		d, err := model.ParseDuration(flag.value)
		if err != nil || d <= 0 {
			return o, fmt.Errorf("--%s=%s is not a duration above zero like 30s or 15d", flag.name, flag.value)
		}
		*flag.to = time.Duration(d)
	}
	return o, nil
}
