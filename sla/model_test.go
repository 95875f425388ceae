package sla_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

func TestProbeTargets(t *testing.T) {
	probe := &sla.Probe{Check: &sla.TCPCheck{Address: "db:5432"}}
	id := func(agreement, level string) sla.ID { return sla.ID{SLA: agreement, Service: "s", SLO: level} }
	within := func(of sla.ID, threshold time.Duration) *sla.ProbeLatency {
		return &sla.ProbeLatency{Of: of, Threshold: threshold}
	}
	agreements := []*sla.Agreement{
		{Name: "a", Levels: []*sla.ServiceLevel{
			{ID: id("a", "slow"), Indicator: within(id("a", "up"), time.Second)},
			{ID: id("a", "up"), Indicator: probe},
			{ID: id("a", "errors"), Indicator: &sla.Events{}},
			{ID: id("a", "unread")},
			{ID: id("a", "again"), Indicator: &sla.SharedProbe{Of: id("a", "up"), Probe: probe}}, // probes nothing itself
		}},
		{Name: "b", Levels: []*sla.ServiceLevel{
			{ID: id("b", "up"), Indicator: probe},
			{ID: id("b", "fast"), Indicator: within(id("a", "up"), 100*time.Millisecond)},
			{ID: id("b", "also-slow"), Indicator: within(id("a", "up"), time.Second)},
			{ID: id("b", "dangling"), Indicator: within(id("c", "up"), time.Second)},
		}},
	}
	want := []sla.ProbeTarget{
		{ID: id("a", "up"), Probe: probe, Thresholds: []time.Duration{100 * time.Millisecond, time.Second}},
		{ID: id("b", "up"), Probe: probe},
	}
	if got := sla.ProbeTargets(agreements); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTargetsHideSecrets(t *testing.T) {
	if got := (&sla.HTTPCheck{URL: "https://u:p@host/path?q=1"}).Target(); got != "https://host/path?q=1" {
		t.Errorf("the target label would be %s", got)
	}
}

func TestFindings(t *testing.T) {
	at := func(file string, line, column int) sla.Position {
		return sla.Position{File: file, Line: line, Column: column}
	}
	findings := sla.Findings{
		{Severity: sla.Error, Pos: at("b", 1, 1), Message: "m", Remedy: "r"},
		{Severity: sla.Warning, Pos: at("a", 2, 9), Message: "m"},
		{Severity: sla.Warning, Pos: at("a", 2, 1), Message: "z"},
		{Severity: sla.Warning, Pos: at("a", 2, 1), Message: "m"},
		{Severity: sla.Warning, Pos: at("a", 0, 0), Message: "m"},
	}
	findings.Sort()
	const want = "a: warning: m\na:2:1: warning: m\na:2:1: warning: z\na:2:9: warning: m\nb:1:1: error: m; r"
	if got := findings.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if findings.Err() == nil || findings[:4].Err() != nil || sla.Findings(nil).Err() != nil {
		t.Error("Err does not tell errors from warnings")
	}
}

func TestQueryAt(t *testing.T) {
	q := sla.Query{Text: "sum(\n  x)", Pos: sla.Position{File: "f", Line: 7, Column: 11}}
	for offset, want := range map[int]string{0: "f:7:11", 3: "f:7:14", 5: "f:8:11", 7: "f:8:13", 9: "f:8:15", 10: "f:7:11", -1: "f:7:11"} {
		if got := q.At(offset).String(); got != want {
			t.Errorf("byte %d is at %s, want %s", offset, got, want)
		}
	}
	if q.Folded = true; q.At(5) != q.Pos {
		t.Error("a folded query knows a place inside it")
	}
}
