// Package statuspage shows the public what an agreement lets it see: how some of its levels
// are, how they were over 90 days, outages, and maintenance ahead, as a page, as a feed
// and as JSON.
//
// Everything is rendered now and then, and requests only get copies: a stranger can load
// neither the query engine nor the storage. What a page may show is copied from
// sla.StatusPage and from figures; it must not read a name, a description, a reason or a
// target of anything else, nor import what knows them.
package statuspage

import (
	"context"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Source is where pages get their figures. All of a call are about the levels that the
// agreement's status page names; others in the result are not shown.
type Source interface {
	// Agreements are those in force, public or not.
	Agreements() []*sla.Agreement
	// States are those of now. A level whose state is not known is left out.
	States(context.Context, *sla.Agreement) (map[sla.ID]sla.State, error)
	// Tallies are sums of steps, of those that end after from and not after to.
	Tallies(ctx context.Context, a *sla.Agreement, from, to time.Time, step time.Duration) (map[sla.ID][]Tally, error)
	// Outages are the times since from in which levels were down or degraded, the oldest
	// first: by the recorded states, as other pages show them.
	Outages(ctx context.Context, a *sla.Agreement, from time.Time) (map[sla.ID][]Span, error)
}

// Tally is what was counted in a step: events or seconds.
type Tally struct {
	Start, End time.Time
	Total, Bad float64
}

// Span is a time in which a level was down or degraded. End is zero while it goes on.
type Span struct {
	Start, End time.Time
	Worst      sla.State
}
