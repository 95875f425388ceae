package replay_test

import (
	"context"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/replay"
)

// The run of a past in which the server was always away ends as soon as it has begun.
func TestRunsWithoutEvaluationsEnd(t *testing.T) {
	from := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	text := []byte("groups: [{name: a, rules: [{record: b, expr: 'c'}]}]")
	for range 300 {
		for _, files := range [][]replay.File{nil, {{Name: "a", Text: text}}} {
			plan := replay.Plan{Files: files, From: from, To: from.Add(time.Hour), Away: []replay.Span{{From: from, To: from.Add(time.Hour)}}}
			if _, err := replay.New().Run(context.Background(), plan); err != nil {
				t.Fatal(err)
			}
		}
	}
}
