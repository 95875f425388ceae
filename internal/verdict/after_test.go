package verdict_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

func TestEvidenceAfterThatOfATimeBefore(t *testing.T) {
	begin := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	stretch := func(from, to int) verdict.Stretch {
		return verdict.Stretch{From: begin.Add(time.Duration(from) * time.Hour), To: begin.Add(time.Duration(to) * time.Hour), State: verdict.Known, Total: 1}
	}
	of := func(slo string, place map[string]string, all ...verdict.Stretch) verdict.LevelEvidence {
		return verdict.LevelEvidence{Level: sla.ID{SLA: "a", Service: "b", SLO: slo}, Groups: []verdict.GroupEvidence{{Places: []verdict.Place{{Labels: place, Stretches: all}}}}}
	}
	here := map[string]string{"location": "here"}
	empty := verdict.LevelEvidence{Level: sla.ID{SLA: "a", Service: "b", SLO: "unmeasured"}}
	before := verdict.Evidence{
		Sources: []string{"old"},
		Levels:  []verdict.LevelEvidence{of("both", nil, stretch(0, 2), stretch(2, 5)), of("unmeasured", nil, stretch(0, 5)), of("gone", nil, stretch(0, 1))},
	}
	now := verdict.Evidence{Sources: []string{"new"}, Levels: []verdict.LevelEvidence{of("both", here, stretch(4, 6)), empty}}
	want := verdict.Evidence{
		Sources: []string{"old", "new"},
		Levels:  []verdict.LevelEvidence{of("both", here, stretch(0, 2), stretch(4, 6)), of("unmeasured", nil, stretch(0, 5)), of("gone", nil, stretch(0, 1))},
	}
	if diff := cmp.Diff(want, now.After(before)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(of("both", here, stretch(4, 6)), now.Levels[0]); diff != "" {
		t.Errorf("the evidence itself has changed: %s", diff)
	}
	if diff := cmp.Diff(now, now.After(verdict.Evidence{})); diff != "" {
		t.Errorf("after nothing: %s", diff)
	}
}
