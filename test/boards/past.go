package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
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

// end is the end of every past: a Wednesday in office hours.
var end = time.Date(2026, 3, 18, 14, 0, 0, 0, time.UTC)

// warmUp is how long everything is well, before anything happens.
const warmUp = 6 * time.Hour

const day = 24 * time.Hour

// happened is a step of the past, by how long before its end it began.
type happened struct {
	before time.Duration
	step   sla.ScenarioStep
}

// story is what every past has been through, as far as it reaches back: outages that are
// shorter than a step of a graph of the whole, everything that is neither good nor bad,
// and at last an outage that goes on.
var story = []happened{
	{27 * day, sla.ScenarioStep{Kind: sla.StepOutage, For: 4 * time.Minute, Share: sla.NewDecimal(100, 1)}},
	{22 * day, sla.ScenarioStep{Kind: sla.StepErrors, For: 3 * time.Hour, Share: sla.NewDecimal(2, 1)}},
	{18 * day, sla.ScenarioStep{Kind: sla.StepMaintenance, For: 90 * time.Minute, Share: sla.NewDecimal(100, 1)}},
	{13 * day, sla.ScenarioStep{Kind: sla.StepLost, For: 40 * time.Minute, Exporter: true}},
	{10 * day, sla.ScenarioStep{Kind: sla.StepAway, For: 20 * time.Minute}},
	{6*day + 7*time.Hour, sla.ScenarioStep{Kind: sla.StepOutage, For: 11 * time.Minute, Share: sla.NewDecimal(100, 1)}},
	{4*time.Hour + 30*time.Minute, sla.ScenarioStep{Kind: sla.StepErrors, For: time.Hour, Share: sla.NewDecimal(20, 1)}},
	{3 * time.Hour, sla.ScenarioStep{Kind: sla.StepSlow, For: 30 * time.Minute, Share: sla.NewDecimal(50, 1)}},
	{20 * time.Minute, sla.ScenarioStep{Kind: sla.StepOutage, For: 20 * time.Minute, Share: sla.NewDecimal(100, 1)}},
}

// scenario is the story of an agreement's levels in a past of that length.
func scenario(a *sla.Agreement, length time.Duration) *sla.Scenario {
	at := end.Add(warmUp - length)
	s := &sla.Scenario{Agreement: a.Name, At: at, LookFor: end.Sub(at), ScrapeInterval: scrapeInterval}
	for _, l := range a.Levels { // also those that no step names
		s.Levels = append(s.Levels, l.ID)
	}
	for _, h := range story {
		step := h.step
		if step.From = end.Add(-h.before).Sub(at); step.From < 0 {
			continue
		}
		if step.Kind == sla.StepMaintenance {
			if step.Levels = maintained(a); len(step.Levels) == 0 {
				continue
			}
		}
		s.Steps = append(s.Steps, step)
	}
	return s
}

// maintained are the levels that agree on maintenance windows.
func maintained(a *sla.Agreement) []sla.ID {
	var all []sla.ID
	for _, l := range a.Levels {
		if slices.ContainsFunc(l.Exclusions, func(e *sla.Exclusion) bool { return e.Name == sla.MaintenanceName }) {
			all = append(all, l.ID)
		}
	}
	return all
}

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
func (s *show) simulate(ctx context.Context) {
	s.once.Do(func() {
		defer close(s.ready)
		all, err := s.past.worlds(ctx, s.length)
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
			Agreements: p.agreements, WarmUp: warmUp, Rules: rulegen.Options{}, Scenario: scenario(a, length),
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
