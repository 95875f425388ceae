package probe

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// classifyDNS distinguishes a name that does not resolve from a resolver that does
// not answer. "No such name" is an answer. Silence and server failures look the same
// whether the target's name servers or the exporter's own resolver are down, so the
// resolver is then asked for something that does not depend on the target.
func (d *dialer) classifyDNS(err *net.DNSError) *failure {
	name := clip(err.Name)
	// Without file descriptors the process cannot read /etc/hosts or send a query,
	// and libraries then report an unknown name.
	if reason, err := d.socketFault(); err != nil {
		return &failure{reason, "resolve " + name + ": " + rootCause(err)}
	}
	if err.IsNotFound {
		return &failure{DNS, "resolve " + name + ": no such host" + d.familyWords()}
	}
	if !d.resolving.answers() {
		return &failure{Resolver, "resolve " + name + ": the resolver does not answer"}
	}
	if err.IsTimeout {
		return &failure{DNS, "resolve " + name + ": no answer in time"}
	}
	return &failure{DNS, "resolve " + name + ": its name servers fail"}
}

// socketFault returns why this process cannot open sockets; nil if it can.
func (d *dialer) socketFault() (Reason, error) {
	listen := net.ListenConfig{Control: d.env.Control}
	conn, err := listen.ListenPacket(context.Background(), "udp", ":0")
	if err == nil {
		conn.Close()
		return "", nil
	}
	if reason, own := d.ownFault(err, ""); own {
		return reason, err
	}
	return "", nil
}

// How a resolver is checked: how long it has to answer, and for how long that result
// is used for all targets.
const (
	resolverPatience = time.Second
	resolverMemory   = time.Second
)

// resolverCheck asks a resolver for the name servers of the root. If it names them,
// or says that there are none, it works.
type resolverCheck struct {
	resolver *net.Resolver // nil: the system's

	mu    sync.Mutex
	asked time.Time
	good  bool
}

func (c *resolverCheck) answers() bool {
	c.mu.Lock() // held while asking, so that many probes ask once
	defer c.mu.Unlock()
	if !c.asked.IsZero() && time.Since(c.asked) < resolverMemory {
		return c.good
	}
	ctx, cancel := context.WithTimeout(context.Background(), resolverPatience)
	defer cancel()
	_, err := c.resolver.LookupNS(ctx, ".")
	dns, failed := errors.AsType[*net.DNSError](err)
	c.good = err == nil || failed && dns.IsNotFound
	c.asked = time.Now()
	return c.good
}
