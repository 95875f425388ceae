package probe

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// newTLS makes the prober of a handshake alone, which is a TCP probe that begins TLS.
func newTLS(check sla.Check, timeout time.Duration, d *dialer) (Prober, error) {
	c, ok := check.(*sla.TLSCheck)
	if !ok {
		return nil, fmt.Errorf("a tls prober was given a %T", check)
	}
	return newTCP(&sla.TCPCheck{Address: c.Address, TLS: true, TLSOptions: c.TLSOptions}, timeout, d)
}
