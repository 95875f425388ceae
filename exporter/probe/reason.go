package probe

import "slices"

// Reason says why a probe is not good, from a bounded list: it is a label
// value.
type Reason string

// The reasons. The table below says what each means, and whose fault it is.
const (
	DNS            Reason = "dns"
	ConnectRefused Reason = "connect_refused"
	ConnectTimeout Reason = "connect_timeout"
	Unreachable    Reason = "unreachable"
	Reset          Reason = "reset"
	Timeout        Reason = "timeout"
	TLSExpired     Reason = "tls_expired"
	TLSName        Reason = "tls_name"
	TLSAuthority   Reason = "tls_authority"
	TLSExpiring    Reason = "tls_expiring"
	TLSOther       Reason = "tls_other"
	Status         Reason = "status"
	Header         Reason = "header"
	Body           Reason = "body"
	Redirect       Reason = "redirect"
	Dialogue       Reason = "dialogue"
	Health         Reason = "health"
	Loss           Reason = "loss"
	RCode          Reason = "rcode"
	Records        Reason = "records"
	Protocol       Reason = "protocol"
	Slow           Reason = "slow"
	CaptureFailed  Reason = "capture"

	Credentials Reason = "credentials"
	ProxyFailed Reason = "proxy"

	NoFD               Reason = "no_fd"
	NoMemory           Reason = "no_memory"
	AddressUnavailable Reason = "address_unavailable"
	LocalNetwork       Reason = "local_network"
	Resolver           Reason = "resolver"
	Privilege          Reason = "privilege"
	Starved            Reason = "starved"
	Denied             Reason = "denied"
	Vantage            Reason = "vantage"
	Cancelled          Reason = "cancelled"

	Overlap      Reason = "overlap"
	Overload     Reason = "overload"
	Late         Reason = "late"
	HostOverload Reason = "host_overload"
)

// reasonInfo is what documentation and probers need to know about a reason.
type reasonInfo struct {
	reason  Reason
	outcome Outcome
	help    string
}

// reasons is the table of each reason's outcome and meaning. It keeps probers from
// blaming a target for their own faults.
var reasons = []reasonInfo{
	{DNS, Bad, "the name does not resolve, although the resolver answers"},
	{ConnectRefused, Bad, "nothing listens on the port"},
	{ConnectTimeout, Bad, "no connection within the timeout"},
	{Unreachable, Bad, "the network reported that the host cannot be reached"},
	{Reset, Bad, "the connection was reset or closed before the probe was done"},
	{Timeout, Bad, "connected, but not done within the timeout"},
	{TLSExpired, Bad, "the certificate has expired or is not valid yet"},
	{TLSName, Bad, "the certificate is for another name"},
	{TLSAuthority, Bad, "the certificate is signed by an unknown authority"},
	{TLSExpiring, Bad, "the certificate is valid for less than `certificateValidFor`"},
	{TLSOther, Bad, "the TLS handshake failed for another reason"},
	{Status, Bad, "the status of HTTP or gRPC is not accepted"},
	{Header, Bad, "a header is missing or does not match"},
	{Body, Bad, "the body does not match, or matches what it must not"},
	{Redirect, Bad, "too many redirects, or one that cannot be followed"},
	{Loss, Bad, "more packets than allowed stayed unanswered"},
	{Health, Bad, "the health service says that the target is not serving"},
	{RCode, Bad, "the code of the DNS response is not accepted"},
	{Records, Bad, "the DNS response lacks records that it must have, or has some that it must not have"},
	{Dialogue, Bad, "the target answered, but not what was expected"},
	{Protocol, Bad, "the response does not follow the protocol"},
	{CaptureFailed, Bad, "a response of a journey lacks a value that a later step needs"},
	{Slow, Bad, "the probe was good, but took longer than `maxDuration`"},

	{NoFD, Inconclusive, "the exporter is out of file descriptors"},
	{NoMemory, Inconclusive, "the exporter's host is out of network buffers or memory"},
	{AddressUnavailable, Inconclusive, "the exporter's host has no free local address or port"},
	{LocalNetwork, Inconclusive, "the exporter's host has no route, or its own firewall forbids the connection"},
	{Resolver, Inconclusive, "the exporter's own resolver does not answer"},
	{Credentials, Inconclusive, "the exporter has no credentials for the probe: a file cannot be read, or the token endpoint fails"},
	{ProxyFailed, Inconclusive, "the proxy cannot be reached, or refuses"},

	{Privilege, Inconclusive, "the exporter may not open the socket that the probe needs"},
	{Starved, Inconclusive, "the exporter had no CPU: the probe began, noticed its deadline, or read what had arrived, too late"},
	{Denied, Inconclusive, "the exporter's own configuration forbids connecting to the host or address"},
	{Vantage, Inconclusive, "no reference target answered either: the exporter's own network is in doubt"},
	{Cancelled, Inconclusive, "the exporter is shutting down; never counted"},

	{Overlap, Missed, "the previous probe of the target was still running when it should have begun"},
	{Overload, Missed, "more probes were due than may run at once"},
	{HostOverload, Missed, "more probes of the host were due than `--probe.max-concurrency-per-host` lets run at once"},
	{Late, Missed, "the scheduler came to it too late"},
}

func (r Reason) info() reasonInfo {
	i := slices.IndexFunc(reasons, func(info reasonInfo) bool { return info.reason == r })
	if i < 0 {
		return reasonInfo{}
	}
	return reasons[i]
}

// Outcome is the outcome of a probe with the reason.
func (r Reason) Outcome() Outcome { return r.info().outcome }

// Help is the reason in words.
func (r Reason) Help() string { return r.info().help }

// Groups of reasons that kinds share.
var (
	connectReasons = []Reason{DNS, ConnectRefused, ConnectTimeout, Unreachable, Reset, Timeout, TLSExpired, TLSName, TLSAuthority, TLSExpiring, TLSOther, Slow}
	ownReasons     = []Reason{NoFD, NoMemory, AddressUnavailable, LocalNetwork, Resolver, Starved, Denied, Credentials, Vantage}
	skipReasons    = []Reason{Overlap, Overload, HostOverload, Late}
)

// failure is a verdict that is returned like an error.
type failure struct {
	reason Reason
	detail string
}

func (f *failure) Error() string { return string(f.reason) + ": " + f.detail }
