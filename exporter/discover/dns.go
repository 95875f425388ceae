package discover

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// lookUp returns the targets in a name's records; none if the name does not exist.
func (f Finder) lookUp(ctx context.Context, d *sla.DNSDiscovery) ([]group, error) {
	name, err := sla.ASCIIHost(d.Name)
	if err != nil {
		return nil, fmt.Errorf("%s records of %s: %w", d.Type, d.Name, err)
	}
	resolver := f.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	look := map[string]func() ([]string, error){
		"SRV":  func() ([]string, error) { return services(ctx, resolver, name) },
		"A":    func() ([]string, error) { return addresses(ctx, resolver, "ip4", name, d.Port) },
		"AAAA": func() ([]string, error) { return addresses(ctx, resolver, "ip6", name, d.Port) },
	}[d.Type]
	found, err := look()
	if dns, failed := errors.AsType[*net.DNSError](err); failed && dns.IsNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s records of %s: %w", d.Type, d.Name, err)
	}
	return []group{{Targets: found}}, nil
}

func services(ctx context.Context, resolver *net.Resolver, name string) ([]string, error) {
	_, records, err := resolver.LookupSRV(ctx, "", "", name+".")
	var found []string
	for _, r := range records {
		found = append(found, net.JoinHostPort(strings.TrimSuffix(r.Target, "."), strconv.Itoa(int(r.Port))))
	}
	return found, err
}

func addresses(ctx context.Context, resolver *net.Resolver, network, name string, port int) ([]string, error) {
	ips, err := resolver.LookupIP(ctx, network, name+".")
	var found []string
	for _, ip := range ips {
		address := ip.String()
		if port != 0 {
			address = net.JoinHostPort(address, strconv.Itoa(port))
		}
		found = append(found, address)
	}
	return found, err
}
