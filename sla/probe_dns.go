package sla

import "strings"

// DNSTransport is how a DNS server is queried.
type DNSTransport string

// The transports.
const (
	DNSOverUDP   DNSTransport = "udp"
	DNSOverTCP   DNSTransport = "tcp"
	DNSOverTLS   DNSTransport = "tls"
	DNSOverHTTPS DNSTransport = "https" // of a server that is a URL
)

// DNSTypes are the types of record that can be queried.
var DNSTypes = []string{
	"A", "AAAA", "ANY", "CAA", "CNAME", "DNSKEY", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SRV", "SSHFP", "SVCB", "TLSA", "TXT",
}

// DNSClasses are the classes of record that can be queried.
var DNSClasses = []string{"IN", "CH", "HS"}

// DNSRCodes are the response codes that can be accepted.
var DNSRCodes = []string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"}

// DNSCheck queries a DNS server and checks the response.
type DNSCheck struct {
	Server    string // host:port, or a URL for DNSOverHTTPS
	Transport DNSTransport
	Name      string   // what is asked for
	Type      string   // of record; A by default
	Class     string   // of record; IN by default
	Recursion bool     // whether the server may ask others; true by default
	RCodes    []string // accepted codes; NOERROR by default
	TLSOptions
	Answer, Authority, Additional RecordMatch // what each section must be like
}

// RecordMatch is what the records of a section must match: RE2 over a record as in a
// zone file, "shop.example. 300 IN A 192.0.2.1". An empty one matches any.
type RecordMatch struct {
	Any  string // one record at least matches
	All  string // all records match, and there is one
	None string // no record matches
}

// ProbeKind is "dns".
func (*DNSCheck) ProbeKind() string { return "dns" }

// Target is the server.
func (c *DNSCheck) Target() string { return ShownAddress(c.Server) }

// Words names the query and the server.
func (c *DNSCheck) Words() string {
	return "DNS " + c.Type + " " + c.Name + " asked of " + c.Target() + " over " + strings.ToUpper(string(c.Transport))
}

// HostName is that of the server.
func (c *DNSCheck) HostName() string {
	if c.Transport == DNSOverHTTPS {
		return (&HTTPCheck{URL: c.Server}).HostName()
	}
	return hostOf(c.Server)
}

// WithTarget is the check of another server.
func (c *DNSCheck) WithTarget(target string) Check { other := *c; other.Server = target; return &other }

// CheckAddress is why nothing can answer at the server's address or URL.
func (c *DNSCheck) CheckAddress() error {
	if c.Transport == DNSOverHTTPS {
		return checkURL(c.Server)
	}
	return checkHostPort(c.Server)
}
