package web

import (
	"testing"
	"time"
)

// A ticket whose tiers burn while the level pages is held back, and not merely inactive.
func TestATicketIsHeldBackWhileTheLevelPages(t *testing.T) {
	s := sample()[0]
	s.Alerts, s.BadShare[2*time.Hour] = tierAlerts("page"), 0.2
	word := func() string { return newAlert(s.Alerts[1], s, atNoon).State.Word }
	if got := word(); got != "Held back" {
		t.Errorf("while it pages the ticket is %q", got)
	}
	s.BadShare = map[time.Duration]float64{}
	if got := word(); got != "Inactive" {
		t.Errorf("while nothing burns the ticket is %q", got)
	}
	s = sample()[0]
	s.Alerts, s.BadShare[2*time.Hour] = tierAlerts(), 0.2
	if got := word(); got != "Inactive" {
		t.Errorf("while nothing pages the ticket is %q", got)
	}
}

func TestWordsForAlertsThatFire(t *testing.T) {
	for _, test := range []struct {
		alerts, pages int
		want          string
	}{{0, 0, "no alert firing"}, {1, 0, "1 alert firing"}, {1, 1, "1 page firing"}, {3, 3, "3 pages firing"}, {3, 1, "3 alerts firing, 1 of them a page"}, {4, 2, "4 alerts firing, 2 of them pages"}} {
		if got := alertMark(test.alerts, test.pages).Word; got != test.want {
			t.Errorf("%d alerts, %d pages: %q, want %q", test.alerts, test.pages, got, test.want)
		}
	}
}
