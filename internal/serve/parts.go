package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
)

// parts are what has been started, in order.
type parts struct {
	list   []part
	failed chan<- error // takes the error of the first part that ended by itself with one
}

type part struct {
	name string
	stop func() error
	done <-chan struct{} // closed when run has returned; nil without run
}

func newParts(failed chan<- error) *parts { return &parts{failed: failed} }

// add starts run, if there is one, in the background, and remembers stop, which must
// make run return.
func (p *parts) add(name string, run, stop func() error) {
	added := part{name: name, stop: stop}
	if run != nil {
		done := make(chan struct{})
		added.done = done
		go func() {
			err := run()
			if errors.Is(err, context.Canceled) || errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
				err = nil
			}
			if err != nil {
				err = fmt.Errorf("%s: %w", name, err)
				select {
				case p.failed <- err:
				default:
				}
			}
			close(done)
		}()
	}
	p.list = append(p.list, added)
}

// stop stops everything, the last started first, and waits for it.
func (p *parts) stop() error {
	var errs []error
	for _, one := range slices.Backward(p.list) {
		if err := one.stop(); err != nil {
			errs = append(errs, fmt.Errorf("stopping the %s: %w", one.name, err))
		}
		if one.done != nil {
			<-one.done
		}
	}
	return errors.Join(errs...)
}
