package serve

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/headline"
	"github.com/upheld-sla/upheld/sla"
)

// The sentence on top has words for each reason that blames a target.
func TestEachReasonHasWords(t *testing.T) {
	for _, kind := range probe.Kinds() {
		for _, r := range probe.Reasons(kind) {
			of := headline.Level{ID: sla.ID{Service: "shop", SLO: "up"}, State: sla.StateDown, Why: headline.Why{Reason: string(r)}}
			words := headline.New([]headline.Level{of}, time.Now()).Plain()
			if r.Outcome() == probe.Bad && (strings.Contains(words, "it fails (") || !strings.Contains(words, ": it ")) {
				t.Errorf("reason %s has no words: %s", r, words)
			}
		}
	}
}
