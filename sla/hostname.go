package sla

import (
	"errors"
	"net"
	"strings"

	"golang.org/x/net/idna"
)

// hostNames turns names beyond ASCII into those that name servers, certificates
// and requests have. Names of services, as "_sip", are names too.
var hostNames = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false))

var errNoName = errors.New("the host is not a name: it has characters that names cannot have")

var errUserInfo = errors.New("the address has a user name or token before its host, which this kind of probe has no use for")

// ASCIIHost is a host as it is looked up, shown to servers and compared with
// certificates: "münchen.example" is "xn--mnchen-3ya.example". What is ASCII stays
// as it is.
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

// ASCIIAddress is host:port with the host as ASCIIHost has it, and the host
// alone. The error holds nothing of an address that could be secret.
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
