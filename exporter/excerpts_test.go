package exporter

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
)

func failed(n int, excerpt string) Record {
	return Record{At: time.Unix(int64(n), 0), Outcome: probe.Bad, Reason: probe.Status, Count: 1, Excerpt: excerpt}
}

// held counts what the memory should hold, by going through it.
func held(e *excerpts) (size int) {
	for at := e.oldest.Front(); at != nil; at = at.Next() {
		size += len(at.Value.(*excerpt).text) + excerptCost
	}
	return size
}

// TestExcerptsStayWithinTheirMemory keeps many more than there is room for.
func TestExcerptsStayWithinTheirMemory(t *testing.T) {
	var kept excerpts
	const targets, each = 2000, 30
	histories := make([]history, targets)
	filler := strings.Repeat("x", 2000)
	for n := range each {
		for i := range histories {
			histories[i].add(failed(n, fmt.Sprintf("%d of %d %s", n, i, filler)), &kept)
		}
		if kept.size > maxExcerpts || kept.size != held(&kept) {
			t.Fatalf("%d bytes are counted, %d are held, and the bound is %d", kept.size, held(&kept), maxExcerpts)
		}
	}
	if kept.size < maxExcerpts-3000 {
		t.Errorf("only %d bytes are held", kept.size)
	}
	for i := range histories {
		records := histories[i].failures()
		if want := fmt.Sprintf("%d of %d ", each-1, i); len(records) != recentFailures || !strings.HasPrefix(records[0].Excerpt, want) || records[recentFailures-1].Excerpt != "" {
			t.Fatalf("target %d: newest %.20q, oldest %.20q: the newest of each are to be kept", i, records[0].Excerpt, records[recentFailures-1].Excerpt)
		}
		histories[i].forget(&kept)
	}
	if kept.size != 0 || kept.oldest.Len() != 0 {
		t.Errorf("%d bytes are held for targets that are gone", kept.size)
	}
}

// TestTheSameExcerptIsKeptOnce, as long as a result has it.
func TestTheSameExcerptIsKeptOnce(t *testing.T) {
	var kept excerpts
	var h history
	for n := range 3 * recentFailures {
		h.add(failed(n, "the same"), &kept)
		h.add(Record{At: time.Unix(int64(n), 5), Outcome: probe.Good, Count: 1}, &kept)
	}
	if kept.oldest.Len() != 1 || kept.size != len("the same")+excerptCost {
		t.Errorf("%d excerpts of %d bytes", kept.oldest.Len(), kept.size)
	}
	for _, r := range h.failures() {
		if r.Excerpt != "the same" {
			t.Errorf("%+v", r)
		}
	}
	for n := range recentFailures {
		h.add(failed(100+n, ""), &kept)
	}
	if kept.oldest.Len() != 0 || kept.size != 0 {
		t.Errorf("%d excerpts of %d bytes, which no result has any more", kept.oldest.Len(), kept.size)
	}
}
