package exporter

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/upheld-sla/upheld/sla"
)

func TestParseShard(t *testing.T) {
	for text, want := range map[string]Shard{"1/1": {1, 1}, "2/3": {2, 3}, "10/10": {10, 10}} {
		if got, err := ParseShard(text); err != nil || got != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "0/3", "4/3", "a/b", "1/3/5", "-1/3", "1/"} {
		if got, err := ParseShard(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// kept are those of a shard.
func kept(s Shard, all []wanted) []wanted {
	return slices.DeleteFunc(slices.Clone(all), func(w wanted) bool { return !s.keeps(w) })
}

func levels(n int) []wanted {
	targets := make([]wanted, n)
	for i := range targets {
		targets[i].ProbeTarget = &sla.ProbeTarget{ID: sla.ID{SLA: "shop", Service: fmt.Sprint("storefront-", i), SLO: "availability"}}
	}
	return targets
}

// TestEveryLevelBelongsToOneShard also when there is one exporter more, to
// which all go that move.
func TestEveryLevelBelongsToOneShard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 9).Draw(t, "n")
		level := rapid.String().Draw(t, "level")
		var holders, next []int
		for i := range n {
			if (Shard{i + 1, n}).holds(level) {
				holders = append(holders, i+1)
			}
		}
		for i := range n + 1 {
			if (Shard{i + 1, n + 1}).holds(level) {
				next = append(next, i+1)
			}
		}
		if len(holders) != 1 || len(next) != 1 || next[0] != holders[0] && next[0] != n+1 {
			t.Errorf("%q is held by %v of %d and by %v of %d", level, holders, n, next, n+1)
		}
	})
}

func TestShardsAreOfOneSize(t *testing.T) {
	const n, shards = 9000, 3
	all := levels(n)
	if got := kept(Shard{}, all); len(got) != n {
		t.Errorf("without shards %d are kept", len(got))
	}
	for i := range shards {
		if got := len(kept(Shard{i + 1, shards}, all)); got < n/shards*9/10 || got > n/shards*11/10 {
			t.Errorf("shard %d has %d of %d", i+1, got, n)
		}
	}
	// The hash is part of the contract between exporters.
	if first := kept(Shard{1, 3}, levels(12)); fmt.Sprint(first[0].ID, len(first)) != "shop:storefront-0/availability 4" {
		t.Errorf("the hash has changed: %v %d", first[0].ID, len(first))
	}
}
