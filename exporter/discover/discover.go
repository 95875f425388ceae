// Package discover finds the targets of a level that probes many: in lists of a file or
// a server, in the formats of Prometheus' file_sd_configs and http_sd_configs, and by
// DNS. It looks them up when called, and stores nothing.
package discover

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Target is a discovered target.
type Target struct {
	Address string   // replaces sla.TargetVariable
	Labels  []string // the values of sla.Discovery.Labels, in their order
}

// Usable returns why the target is not an address, nil if it may be one.
func (t Target) Usable() error {
	switch {
	case strings.TrimSpace(t.Address) == "":
		return errors.New("the entry is blank")
	case strings.ContainsAny(t.Address, " \t\r\n"):
		return errors.New("an address has no white space in it")
	}
	return nil
}

// Finder looks for targets. The zero value is usable.
type Finder struct {
	Resolver *net.Resolver // the system's if nil
	// Dial opens the connections to servers of lists, and to proxies; nil means
	// net.Dialer's.
	Dial      func(ctx context.Context, network, address string) (net.Conn, error)
	UserAgent string
}

// Patience is how long one request to a server may take.
const Patience = 10 * time.Second

// Find returns all current targets, sorted by address, each once. Entries that are no
// addresses are among them, for the caller to leave out and report (see Target.Usable).
// An error of any source fails the whole, since half of the targets would look as if
// the others had been removed.
func (f Finder) Find(ctx context.Context, d *sla.Discovery) ([]Target, error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	groups := []group{{Targets: d.Static}}
	var errs []error
	add := func(found []group, err error) {
		groups = append(groups, found...)
		if err != nil {
			errs = append(errs, err)
		}
	}
	for _, pattern := range d.Files {
		add(readFiles(pattern, d.Within))
	}
	if d.URL != "" {
		add(f.ask(ctx, d.URL, d.Access))
	}
	if d.DNS != nil {
		add(f.lookUp(ctx, d.DNS))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	targets := flatten(groups, d.Labels)
	if len(targets) > d.Limit {
		return nil, fmt.Errorf("%d targets are found, and the limit is %d; raise it, or find fewer", len(targets), d.Limit)
	}
	return targets, nil
}

// group is a group of a list: targets that share labels.
type group struct {
	Targets []string          `json:"targets" yaml:"targets"`
	Labels  map[string]string `json:"labels" yaml:"labels"`
}

// flatten returns the targets of all groups. If several groups have a target, the first
// counts.
func flatten(groups []group, labels []string) []Target {
	known := map[string]bool{}
	var targets []Target
	for _, g := range groups {
		values := make([]string, len(labels))
		for i, name := range labels {
			values[i] = g.Labels[name]
		}
		for _, address := range g.Targets {
			if !known[address] {
				known[address] = true
				targets = append(targets, Target{address, values})
			}
		}
	}
	slices.SortFunc(targets, func(a, b Target) int { return strings.Compare(a.Address, b.Address) })
	return targets
}
