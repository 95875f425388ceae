package sla

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Errors about addresses. None contains the address, since it may have a secret.
var (
	errHost     = errors.New("the host is not a name or an address: a name has letters, digits, - and _, in parts of 1 to 63 between dots, at most 253 in all")
	errPort     = errors.New("the port is not a number from 1 to 65535")
	errHostPort = errors.New("it is not host:port")
	errScheme   = errors.New("the URL does not begin with http:// or https://")
	errSchemes  = errors.New("the URL has two schemes")
	errNoHost   = errors.New("the URL names no host")
	errFragment = errors.New("the URL has a fragment, which is never sent to a server")
)

// ValidPort returns whether a text is a port from 1 to 65535.
func ValidPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// CheckHost returns an error for a text that is no host name and no IP address.
// Resolvers refuse such names without a query.
func CheckHost(host string) error {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	name, err := ASCIIHost(host)
	if err != nil {
		return err
	}
	name = strings.TrimSuffix(name, ".")
	if len(name) > 253 {
		return errHost
	}
	for label := range strings.SplitSeq(name, ".") {
		if len(label) == 0 || len(label) > 63 || strings.ContainsFunc(label, outsideOfNames) {
			return errHost
		}
	}
	return nil
}

func outsideOfNames(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// TwoSchemes returns whether a URL has two schemes, as "http://http://shop.example/",
// whose host would be "http".
func TwoSchemes(u *url.URL) bool {
	return strings.HasSuffix(u.Host, ":") && strings.HasPrefix(u.Path, "//")
}

// checkHostPort returns an error for a text that is no host:port.
func checkHostPort(text string) error {
	if strings.Contains(text, "@") {
		return errUserInfo
	}
	host, port, err := net.SplitHostPort(text)
	switch {
	case err != nil || host == "":
		return errHostPort
	case !ValidPort(port):
		return errPort
	}
	return CheckHost(host)
}

// checkURL returns an error for a text that is no URL to request.
func checkURL(text string) error {
	u, err := ParseURL(text)
	switch {
	case err != nil:
		return errors.New("it is not a URL: " + URLReason(text, err))
	case u.Scheme != "http" && u.Scheme != "https":
		return errScheme
	case TwoSchemes(u):
		return errSchemes
	case u.Hostname() == "":
		return errNoHost
	case u.Port() != "" && !ValidPort(u.Port()):
		return errPort
	case u.Fragment != "":
		return errFragment
	}
	return CheckHost(u.Hostname())
}
