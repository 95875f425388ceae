package probe

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// unixProber connects to a Unix socket, and runs the dialogue if there is one.
type unixProber struct {
	path    string
	timeout time.Duration
	steps   []step
	dialer  *dialer
}

func newUnix(check sla.Check, timeout time.Duration, d *dialer) (Prober, error) {
	c, ok := check.(*sla.UnixCheck)
	if !ok {
		return nil, fmt.Errorf("a unix prober was given a %T", check)
	}
	if !filepath.IsAbs(c.Path) {
		return nil, errors.New("the path of the socket must be absolute")
	}
	steps, err := prepare(c.Dialogue, "\n")
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		if s.startTLS {
			return nil, errors.New("a Unix socket speaks no TLS")
		}
	}
	return &unixProber{path: c.Path, timeout: timeout, steps: steps, dialer: d}, nil
}

// Phases of a Unix probe: up to the connection, or the end of the dialogue.
func (p *unixProber) Phases() []Phase { return append([]Phase{Connect}, dialoguePhases(p.steps)...) }

// Probe connects, runs the dialogue and closes the connection.
func (p *unixProber) Probe(ctx context.Context, by time.Time) Result {
	r := begin(p.timeout, by)
	r.excerpt = p.dialer.env.Excerpt
	ctx, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	conn, fault := p.dialer.open(ctx, "unix", p.path, &r)
	if fault != nil {
		return r.failed(fault)
	}
	defer conn.Close()
	t := talk{dialer: p.dialer, address: p.path, run: &r, conn: conn}
	if fault := t.runSteps(ctx, p.steps); fault != nil {
		return r.failed(fault)
	}
	return r.good(dialogueDetail(p.steps))
}
