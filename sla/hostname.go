package sla

import (
	"errors"
	"net"
	"strings"

	"golang.org/x/net/idna"
)

// hostNames converts international names to ASCII, as they occur in DNS, certificates
// and requests. It allows names of services such as "_sip".
var hostNames = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false))

var errNoName = errors.New("the host is not a name: it has characters that names cannot have")

var errUserInfo = errors.New("the address has a user name or token before its host, which this kind of probe has no use for")

// ASCIIHost converts a host to ASCII, as it is looked up, sent to servers and compared
// with certificates: "münchen.example" is "xn--mnchen-3ya.example". ASCII names are not
// changed.
func ASCIIHost(host string) (string, error) {
	if !strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }) {
		return host, nil
	}
	name, err := hostNames.ToASCII(host)
	if err != nil || name == "" || strings.ContainsAny(name, " /@:%?#[]") {
		return "", errNoName
	}
	return name, nil
}

// ASCIIAddress converts the host in host:port with ASCIIHost, and returns the host too.
// The error contains no part of the address that could be secret.
func ASCIIAddress(address string) (ascii, host string, err error) {
	if strings.Contains(address, "@") {
		return "", "", errUserInfo
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", "", err
	}
	name, err := ASCIIHost(host)
	if err != nil || name == host {
		return address, host, err
	}
	return net.JoinHostPort(name, port), name, nil
}
