package serve

import (
	"testing"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/headline"
)

// The sentence on top has words for each reason that blames a target, and for no other.
func TestEachReasonHasWords(t *testing.T) {
	for _, kind := range probe.Kinds() {
		for _, r := range probe.Reasons(kind) {
			if got, want := headline.Blames(string(r)), r.Outcome() == probe.Bad; got != want {
				t.Errorf("reason %s: headline.Blames is %v, want %v", r, got, want)
			}
		}
	}
}
