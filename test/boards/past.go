package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"

	"github.com/upheld-sla/upheld/dashboards"
	language "github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/internal/serve/promapi"
	"github.com/upheld-sla/upheld/internal/simulate"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// The last hours of every past: first a part of everything fails, later all of it, and
// it goes on at the end. It is a Wednesday in office hours.
var (
	begin = time.Date(2026, 3, 18, 9, 0, 0, 0, time.UTC)
	end   = begin.Add(5 * time.Hour)
	steps = []sla.ScenarioStep{
		{Kind: sla.StepErrors, From: 30 * time.Minute, For: time.Hour, Share: sla.NewDecimal(20, 1)},
		{Kind: sla.StepSlow, From: 2 * time.Hour, For: 30 * time.Minute, Share: sla.NewDecimal(50, 1)},
		{Kind: sla.StepOutage, From: 4*time.Hour + 40*time.Minute, For: 20 * time.Minute, Share: sla.NewDecimal(100, 1)},
	}
)

// scrapeInterval is at most half of the shortest $__rate_interval of a panel.
const scrapeInterval = 30 * time.Second

// past is what a file's levels have been through.
type past struct{ agreements []*sla.Agreement }

// newShow loads a file and makes its dashboards; nil if no agreement is in it.
func newShow(file string) (*show, error) {
	agreements, findings := spec.Load(file)
	if err := findings.Err(); err != nil {
		return nil, err
	}
	if len(agreements) == 0 {
		return nil, nil
	}
	var o dashboards.Options
	boards := map[string]json.RawMessage{}
	var err error
	if boards[dashboards.OverviewUID+".json"], err = o.Overview(agreements); err != nil {
		return nil, err
	}
	if boards[dashboards.ExporterUID+".json"], err = o.Exporter(); err != nil {
		return nil, err
	}
	for _, a := range agreements {
		of, err := o.OfAgreement(a)
		if err != nil {
			return nil, err
		}
		for _, b := range of {
			boards[b.File] = b.JSON
		}
	}
	all, err := json.Marshal(boards)
	return &show{name: name(file), boards: all, past: past{agreements}, ready: make(chan struct{})}, err
}

// simulate makes the past and the API that answers from it.
func (s *show) simulate(ctx context.Context, length time.Duration) {
	s.once.Do(func() {
		defer close(s.ready)
		all, err := s.past.worlds(ctx, length)
		if err != nil {
			s.err = fmt.Errorf("%s: %w", s.name, err)
			return
		}
		s.api = api(all)
	})
}

// worlds are those of each agreement, and of what the exporter tells besides.
func (p past) worlds(ctx context.Context, length time.Duration) (merged, error) {
	var all merged
	for _, a := range p.agreements {
		found, err := simulate.Worlds(ctx, simulate.Input{
			Agreements: p.agreements, WarmUp: length, Rules: rulegen.Options{},
			Scenario: &sla.Scenario{Agreement: a.Name, At: begin, LookFor: end.Sub(begin), ScrapeInterval: scrapeInterval, Steps: steps},
		})
		if err != nil {
			return nil, err
		}
		for _, w := range found {
			all = append(all, w)
		}
	}
	probes, err := exporter(ctx, all)
	return append(all, probes), err
}

// merged are worlds as one.
type merged []*replay.World

// Querier implements storage.Queryable.
func (m merged) Querier(mint, maxt int64) (storage.Querier, error) {
	var all []storage.Querier
	for _, w := range m {
		q, err := w.Querier(mint, maxt)
		if err != nil {
			return nil, err
		}
		all = append(all, q)
	}
	return storage.NewMergeQuerier(all, nil, storage.ChainedSeriesMerge), nil
}

// noExemplars has none.
type noExemplars struct{ storage.ExemplarQueryable }

func api(of storage.Queryable) http.Handler {
	p := language.Language()
	return promapi.New(promapi.Options{
		Engine: promql.NewEngine(promql.EngineOpts{
			MaxSamples: 50_000_000, Timeout: 2 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true, Parser: p,
			NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		}),
		MaxConcurrency: 4, SubqueryStep: time.Minute, Parser: p, Queryable: of, Exemplars: noExemplars{}, Logger: slog.New(slog.DiscardHandler),
	})
}
