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
	// Shares are the bad shares of five minutes at steps after from and not after to,
	// without those of steps at which nothing was bad.
	Shares(ctx context.Context, a *sla.Agreement, from, to time.Time, step time.Duration) (map[sla.ID][]Share, error)
}

// Tally is what was counted in a step: events or seconds.
type Tally struct {
	Start, End time.Time
	Total, Bad float64
}

// Share is the bad share of the five minutes that end at a time: above 0, at most 1.
type Share struct {
	At  time.Time
	Bad float64
}
