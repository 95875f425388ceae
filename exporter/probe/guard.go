package probe

import (
	"net"
	"net/netip"
	"strings"
	"syscall"
)

// Guard says what probes may connect to; an error is the reason why not.
type Guard interface {
	Host(host string) error        // by name, before it is resolved; also for every redirect
	Address(addr netip.Addr) error // that a socket is about to connect to
	Socket(path string) error      // of the Unix domain
}

// refusal is the error of a connection that the guard did not allow.
type refusal struct{ why error }

func (r *refusal) Error() string { return r.why.Error() }

// checkName asks the guard whether a connection is allowed by its name.
func (d *dialer) checkName(network, address string) error {
	if d.env.Guard == nil {
		return nil
	}
	var err error
	if strings.HasPrefix(network, "unix") {
		err = d.env.Guard.Socket(address)
	} else if host, _, split := net.SplitHostPort(address); split == nil {
		err = d.env.Guard.Host(host)
	}
	if err != nil {
		return &refusal{err}
	}
	return nil
}

// control is called on each socket before it connects, with the very address that
// it connects to, so that a name cannot resolve to another one in between.
func (d *dialer) control(network, address string, c syscall.RawConn) error {
	if d.env.Guard != nil && !strings.HasPrefix(network, "unix") {
		to, err := netip.ParseAddrPort(address)
		if err == nil {
			err = d.env.Guard.Address(to.Addr())
		}
		if err != nil {
			return &refusal{err}
		}
	}
	if d.env.Control != nil {
		return d.env.Control(network, address, c)
	}
	return nil
}

// checkAddress asks the guard, for probers that send packets without connecting a
// socket. They must send to exactly the address that they pass.
func (d *dialer) checkAddress(host string, to netip.Addr) *failure {
	if d.env.Guard == nil {
		return nil
	}
	err := d.env.Guard.Host(host)
	if err == nil {
		err = d.env.Guard.Address(to)
	}
	if err != nil {
		return &failure{Denied, "send to " + clip(host) + ": " + clip(err.Error())}
	}
	return nil
}
