// Package statuspage shows the public what an agreement lets it see: how some of its levels
// are, how they were over 90 days, outages, and maintenance ahead, as a page, as a feed
// and as JSON.
//
// Everything is rendered periodically, and requests only get copies, so that strangers
// can load neither the query engine nor the storage. What a page may show is copied
// from sla.StatusPage and from figures; it must not read a name, a description, a
// reason or a target of anything else, nor import packages that know them.
package statuspage

import (
	"context"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Source provides the pages' figures. All calls are about the levels on the agreement's
// status page; other levels in a result are not shown.
type Source interface {
	// Agreements are the agreements in force, public or not.
	Agreements() []*sla.Agreement
	// States are the current states. A level with an unknown state is left out.
	States(context.Context, *sla.Agreement) (map[sla.ID]sla.State, error)
	// Tallies are sums over the steps that end after from and not after to.
	Tallies(ctx context.Context, a *sla.Agreement, from, to time.Time, step time.Duration) (map[sla.ID][]Tally, error)
	// Outages are the times since from in which levels were down or degraded, the
	// oldest first. They follow the recorded states, as on other pages.
	Outages(ctx context.Context, a *sla.Agreement, from time.Time) (map[sla.ID][]Span, error)
}

// Tally is what was counted in a step: events or seconds.
type Tally struct {
	Start, End time.Time
	Total, Bad float64
}

// Span is a time in which a level was down or degraded. End is zero while it lasts.
type Span struct {
	Start, End time.Time
	Worst      sla.State
}
