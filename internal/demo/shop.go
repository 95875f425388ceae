package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Shop is the running sample services.
type Shop struct {
	// Addresses are host:port by service.
	Addresses map[string]string

	sites    map[string]*site // by service
	payments *payments
	orders   *orders
	servers  []*http.Server
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// Start starts the services on free ports of 127.0.0.1, sends customers to payments,
// and breaks services by the schedule, which counts from now. For each change it calls
// tell, from one goroutine, with what is broken or works again. Close stops everything.
func Start(schedule Schedule, tell func(elapsed time.Duration, words string)) (*Shop, error) {
	if err := schedule.Validate(); err != nil {
		return nil, err
	}
	s := &Shop{
		Addresses: map[string]string{}, payments: newPayments(),
		sites: map[string]*site{Storefront: {title: "Sample shop"}, ProviderA: {title: "Payment provider A"}, ProviderB: {title: "Payment provider B"}},
	}
	handlers := map[string]http.Handler{Payments: s.payments.handler()}
	for name, site := range s.sites {
		handlers[name] = site.handler()
	}
	for name, handler := range handlers {
		if err := s.serve(name, handler); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	var err error
	if s.orders, err = openOrders(); err != nil {
		return nil, errors.Join(fmt.Errorf("demo: %s: %w", Orders, err), s.Close())
	}
	s.Addresses[Orders] = s.orders.address

	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.running.Go(func() { customers(ctx, "http://"+s.Addresses[Payments]+"/pay") })
	s.running.Go(func() { s.follow(ctx, schedule, tell) })
	return s, nil
}

func (s *Shop) serve(name string, handler http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("demo: %s: %w", name, err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	s.Addresses[name] = listener.Addr().String()
	s.servers = append(s.servers, server)
	s.running.Go(func() { _ = server.Serve(listener) }) // ends with ErrServerClosed
	return nil
}

// Close stops the services, the customers and the faults; none of them is running when
// it returns.
func (s *Shop) Close() error {
	if s.stop != nil {
		s.stop()
	}
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	if s.orders != nil {
		errs = append(errs, s.orders.close())
	}
	s.running.Wait()
	return errors.Join(errs...)
}

// follow breaks and repairs services by the schedule.
func (s *Shop) follow(ctx context.Context, schedule Schedule, tell func(time.Duration, string)) {
	start := time.Now()
	broken := map[string]Fault{}
	for elapsed := time.Duration(0); ; {
		now := schedule.At(elapsed)
		for _, service := range services {
			after := now[service]
			if broken[service] == after {
				continue
			}
			words := after.Words
			if after.Effect == "" {
				words = service + ": well again"
			}
			if err := s.set(ctx, service, after.Effect); err != nil {
				words = fmt.Sprintf("%s: %v", service, err)
			}
			tell(elapsed, words)
		}
		broken = now
		// Count the next edge from this one, so that late wake-ups do not add up.
		elapsed += schedule.Next(elapsed)
		select {
		case <-ctx.Done():
			return
		case <-time.After(elapsed - time.Since(start)):
		}
	}
}

func (s *Shop) set(ctx context.Context, service string, effect Effect) error {
	switch service {
	case Payments:
		s.payments.fault.Store(effect)
	case Orders:
		return s.orders.set(ctx, effect)
	default:
		s.sites[service].fault.Store(effect)
	}
	return nil
}

// wait sleeps for d or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
