package probe_test

import (
	"bufio"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var discard = log.New(io.Discard, "", 0)

const patience = 400 * time.Millisecond // of probes that are meant to time out

// once runs one probe of a check, with excerpts of what is bad.
func once(t testing.TB, env probe.Env, check sla.Check, timeout time.Duration) probe.Result {
	t.Helper()
	env.Excerpt = probe.DefaultExcerpt
	p, err := probe.NewFactory(env).New(&sla.Probe{Check: check, Interval: time.Minute, Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	var r probe.Result
	for range 5 { // a probe on a busy machine may be inconclusive, and is repeated
		if r = p.Probe(context.Background(), time.Time{}); r.Reason != probe.Starved {
			break
		}
	}
	return r
}

func get(url string) *sla.HTTPCheck { return &sla.HTTPCheck{URL: url, FollowRedirects: true} }

// failing is one row of the failure matrix.
type failing struct {
	name    string
	check   sla.Check
	env     probe.Env
	timeout time.Duration // 5 s if 0
	want    probe.Reason
	outcome probe.Outcome
	detail  string        // part of the detail
	phases  []probe.Phase // those that took place, all of them; not checked if nil
}

func TestEveryFailureHasItsReason(t *testing.T) {
	ca := newAuthority()
	trusting := probe.Env{RootCAs: ca.pool()}
	valid := ca.sign(t, "localhost", time.Now().Add(time.Hour))
	hang := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	reset := func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_ = c.(*net.TCPConn).SetLinger(0)
	}
	drip := func(c net.Conn) {
		answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")(c)
		hang(c)
	}
	status := func(code int) string {
		return webServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }).URL
	}
	hello := webServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }).URL
	endless := webServer(t, func(w http.ResponseWriter, _ *http.Request) {
		for chunk := strings.Repeat("x", 1<<16); ; {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
	}).URL
	redirectTo := func(location string) string {
		return webServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusFound)
		}).URL
	}
	C, P, X := probe.Connect, probe.Processing, probe.Transfer
	closed, deaf := closedPort(t), deafPort(t)
	rows := []failing{
		{name: "refused http", check: get("http://" + closed), want: probe.ConnectRefused, outcome: probe.Bad, detail: "connection refused", phases: []probe.Phase{C}},
		{name: "refused tcp", check: &sla.TCPCheck{Address: closed}, want: probe.ConnectRefused, outcome: probe.Bad},
		{name: "nobody accepts", check: &sla.TCPCheck{Address: deaf}, timeout: patience, want: probe.ConnectTimeout, outcome: probe.Bad, phases: []probe.Phase{C}},
		{name: "reset", check: get("http://" + rawServer(t, reset)), want: probe.Reset, outcome: probe.Bad, phases: []probe.Phase{C, P}},
		{name: "closed without an answer", check: get("http://" + rawServer(t, answer(""))), want: probe.Reset, outcome: probe.Bad},
		{name: "body cut short", check: get("http://" + rawServer(t, answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"))), want: probe.Reset, outcome: probe.Bad, detail: "after 4 bytes", phases: []probe.Phase{C, P, X}},
		{name: "slow header", check: get("http://" + rawServer(t, hang)), timeout: patience, want: probe.Timeout, outcome: probe.Bad, phases: []probe.Phase{C, P}},
		{name: "slow within the header", check: get("http://" + rawServer(t, func(c net.Conn) { answer("HTTP/1.1 200 OK\r\nX-A: b")(c); hang(c) })), timeout: patience, want: probe.Timeout, outcome: probe.Bad, phases: []probe.Phase{C, P, X}},
		{name: "slow body", check: get("http://" + rawServer(t, drip)), timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "HTTP 200; read the body after 4 bytes"},
		{name: "slow handshake", check: &sla.TCPCheck{Address: rawServer(t, hang), TLS: true}, timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "TLS handshake", phases: []probe.Phase{C, probe.TLS}},
		{name: "handshake cut off", check: &sla.TCPCheck{Address: rawServer(t, answer("")), TLS: true}, want: probe.Reset, outcome: probe.Bad},
		{name: "expired", check: get(tlsServer(t, ca.sign(t, "localhost", time.Now().Add(-time.Hour))).URL), env: trusting, want: probe.TLSExpired, outcome: probe.Bad, detail: "expired", phases: []probe.Phase{C, probe.TLS}},
		{name: "another name", check: get(tlsServer(t, ca.sign(t, "else.example", time.Now().Add(time.Hour))).URL), env: trusting, want: probe.TLSName, outcome: probe.Bad},
		{name: "another name over tcp", check: &sla.TCPCheck{Address: tlsServer(t, valid).Listener.Addr().String(), TLS: true, TLSOptions: sla.TLSOptions{ServerName: "db.example"}}, env: trusting, want: probe.TLSName, outcome: probe.Bad},
		{name: "unknown authority", check: get(tlsServer(t, valid).URL), env: probe.Env{RootCAs: x509Empty()}, want: probe.TLSAuthority, outcome: probe.Bad},
		{name: "no TLS there", check: get("https://" + rawServer(t, answer("SSH-2.0-OpenSSH_9.9\r\n"))), want: probe.TLSOther, outcome: probe.Bad, detail: "not TLS"},
		{name: "wrong status", check: get(status(503)), want: probe.Status, outcome: probe.Bad, detail: "HTTP 503"},
		{name: "status outside the ranges", check: &sla.HTTPCheck{URL: status(204), Status: []sla.StatusRange{{From: 200, To: 201}, {From: 301, To: 301}}}, want: probe.Status, outcome: probe.Bad, detail: "HTTP 204"},
		{name: "wrong body", check: &sla.HTTPCheck{URL: hello, BodyMatches: "^bye"}, want: probe.Body, outcome: probe.Bad, detail: "HTTP 200; no match in the 5 bytes"},
		{name: "a body that must not be", check: &sla.HTTPCheck{URL: hello, BodyNotMatches: "^hel"}, want: probe.Body, outcome: probe.Bad, detail: "must not"},
		{name: "a header that is missing", check: &sla.HTTPCheck{URL: hello, HeaderMatches: map[string]string{"X-Version": "."}}, want: probe.Header, outcome: probe.Bad, detail: "HTTP 200; no header X-Version"},
		{name: "a header of another value", check: &sla.HTTPCheck{URL: hello, HeaderMatches: map[string]string{"Content-Type": "^application/"}}, want: probe.Header, outcome: probe.Bad},
		{name: "endless body without a match", check: &sla.HTTPCheck{URL: endless, BodyMatches: "y"}, want: probe.Body, outcome: probe.Bad, detail: "1048576 bytes"},
		{name: "endless header", check: get("http://" + rawServer(t, func(c net.Conn) {
			answer("HTTP/1.1 200 OK\r\n")(c)
			for {
				if _, err := io.WriteString(c, "X-A: "+strings.Repeat("b", 1000)+"\r\n"); err != nil {
					return
				}
			}
		})), want: probe.Protocol, outcome: probe.Bad, detail: "longer than 1 MiB"},
		{name: "not HTTP", check: get("http://" + rawServer(t, answer("220 mail.example ESMTP\r\n"))), want: probe.Protocol, outcome: probe.Bad, detail: "not HTTP/1.x"},
		{name: "redirect loop", check: get(redirectTo("/")), want: probe.Redirect, outcome: probe.Bad, detail: "more than 10"},
		{name: "redirect elsewhere", check: get(redirectTo("ftp://127.0.0.1/")), want: probe.Redirect, outcome: probe.Bad},
		{name: "redirect to nonsense", check: get(redirectTo("http://[::1")), want: probe.Redirect, outcome: probe.Bad},
		{name: "redirect to a closed port", check: get(redirectTo("http://" + closed)), want: probe.ConnectRefused, outcome: probe.Bad},
	}
	rows = append(rows, dnsRows(t)...)
	rows = append(rows, ownRows(closed)...)
	checkFailures(t, rows)
}

// checkFailures runs every row of a failure matrix.
func checkFailures(t *testing.T, rows []failing) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if row.timeout == 0 {
				row.timeout = 5 * time.Second
			}
			checkFailure(t, row, once(t, row.env, row.check, row.timeout))
		})
	}
}

func checkFailure(t *testing.T, row failing, r probe.Result) {
	t.Helper()
	if r.Reason != row.want || r.Outcome != row.outcome {
		t.Fatalf("got %s because of %q (%s), want %s because of %q", r.Outcome, r.Reason, r.Detail, row.outcome, row.want)
	}
	if !strings.Contains(r.Detail, row.detail) || r.Detail == "" {
		t.Errorf("detail is %q, want %q in it", r.Detail, row.detail)
	}
	if r.Duration <= 0 || r.Duration > row.timeout+time.Second+200*time.Millisecond {
		t.Errorf("took %s of %s", r.Duration, row.timeout)
	}
	if row.phases == nil {
		return
	}
	want := map[probe.Phase]bool{}
	for _, p := range row.phases {
		want[p] = true
	}
	for _, p := range probe.AllPhases() {
		if _, seen := r.Phases.Get(p); seen != want[p] {
			t.Errorf("phase %s took place: %t, want %t", p, seen, want[p])
		}
	}
}

// dnsRows are failures of name resolution, the target's and the resolver's.
func dnsRows(t *testing.T) []failing {
	ns := reply{code: dnsmessage.RCodeSuccess}
	env := func(names map[string]reply) probe.Env { return probe.Env{Resolver: resolverWith(t, names)} }
	R := []probe.Phase{probe.Resolve}
	check := get("http://shop.test:1/")
	return []failing{
		{name: "no such name", check: check, env: env(map[string]reply{"shop.test.": {code: dnsmessage.RCodeNameError}}), want: probe.DNS, outcome: probe.Bad, detail: "no such host", phases: R},
		{name: "name servers fail", check: check, env: env(map[string]reply{"shop.test.": {code: dnsmessage.RCodeServerFailure}, ".": ns}), want: probe.DNS, outcome: probe.Bad, phases: R},
		{name: "name servers silent", check: check, timeout: patience, env: env(map[string]reply{".": ns}), want: probe.DNS, outcome: probe.Bad, detail: "no answer", phases: R},
		{name: "resolver silent", check: check, timeout: patience, env: env(nil), want: probe.Resolver, outcome: probe.Inconclusive, phases: R},
		{name: "resolver fails for everything", check: check, env: env(map[string]reply{"shop.test.": {code: dnsmessage.RCodeServerFailure}, ".": {code: dnsmessage.RCodeServerFailure}}), want: probe.Resolver, outcome: probe.Inconclusive},
		{name: "resolver unreachable", check: check, env: probe.Env{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "udp", Err: syscall.EMFILE}
		}}}, want: probe.Resolver, outcome: probe.Inconclusive},
		{name: "no such name, says who cannot ask", check: check, env: probe.Env{
			Resolver: resolverWith(t, map[string]reply{"shop.test.": {code: dnsmessage.RCodeNameError}}),
			Control:  func(string, string, syscall.RawConn) error { return syscall.EMFILE },
		}, want: probe.NoFD, outcome: probe.Inconclusive, detail: "too many open files", phases: R},
		{name: "name resolves, port closed", check: check, env: env(map[string]reply{"shop.test.": {address: [4]byte{127, 0, 0, 1}}}), want: probe.ConnectRefused, outcome: probe.Bad, phases: []probe.Phase{probe.Resolve, probe.Connect}},
	}
}

// ownRows are faults of the exporter's own host.
func ownRows(closed string) []failing {
	fault := func(networks string, errno syscall.Errno) probe.Env {
		return probe.Env{Control: func(network, _ string, _ syscall.RawConn) error {
			if strings.HasPrefix(network, networks) {
				return errno
			}
			return nil
		}}
	}
	var rows []failing
	for errno, want := range map[syscall.Errno]probe.Reason{
		syscall.EMFILE: probe.NoFD, syscall.ENFILE: probe.NoFD,
		syscall.ENOBUFS: probe.NoMemory, syscall.ENOMEM: probe.NoMemory,
		syscall.EADDRNOTAVAIL: probe.AddressUnavailable, syscall.EADDRINUSE: probe.AddressUnavailable,
		syscall.EPERM: probe.LocalNetwork, syscall.EACCES: probe.LocalNetwork, syscall.ENETDOWN: probe.LocalNetwork,
		syscall.ENETUNREACH: probe.LocalNetwork,
	} {
		rows = append(rows, failing{name: "own fault: " + errno.Error(), check: get("http://" + closed), env: fault("", errno), want: want, outcome: probe.Inconclusive})
	}
	return append(rows,
		failing{name: "a router says no network", check: get("http://" + closed), env: fault("tcp", syscall.ENETUNREACH), want: probe.Unreachable, outcome: probe.Bad},
		failing{name: "no route to host", check: &sla.TCPCheck{Address: closed}, env: fault("tcp", syscall.EHOSTUNREACH), want: probe.Unreachable, outcome: probe.Bad},
	)
}

func TestNothingIsSentTwice(t *testing.T) {
	var connections atomic.Int32
	address := rawServer(t, func(c net.Conn) {
		connections.Add(1)
		answer("")(c)
	})
	if r := once(t, probe.Env{}, get("http://"+address), 5*time.Second); r.Reason != probe.Reset {
		t.Fatalf("reason %q", r.Reason)
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for one probe", n)
	}
}

func TestEachProbeOpensItsOwnConnection(t *testing.T) {
	var connections atomic.Int32
	address := rawServer(t, func(c net.Conn) {
		connections.Add(1)
		for { // it would keep the connection open
			if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	p, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: get("http://" + address), Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if r := p.Probe(context.Background(), time.Time{}); r.Outcome != probe.Good {
			t.Fatalf("%+v", r)
		}
	}
	if n := connections.Load(); n != 3 {
		t.Errorf("%d connections for 3 probes", n)
	}
}

func TestAProbeEndsWithItsContext(t *testing.T) {
	address := rawServer(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	for _, check := range []sla.Check{get("http://" + address), get("https://" + address), &sla.TCPCheck{Address: address, TLS: true}} {
		p, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: check, Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(50*time.Millisecond, cancel)
		r := p.Probe(ctx, time.Time{})
		if r.Reason != probe.Cancelled || r.Outcome != probe.Inconclusive || r.Duration > 5*time.Second {
			t.Errorf("%T: %+v", check, r)
		}
	}
}

func TestAProbeThatBeganTooLateBlamesNobody(t *testing.T) {
	address := rawServer(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	p, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: get("http://" + address), Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	r := p.Probe(context.Background(), time.Now().Add(100*time.Millisecond))
	if r.Reason != probe.Starved || r.Outcome != probe.Inconclusive {
		t.Errorf("with a tenth of its time: %+v", r)
	}
	for range 5 { // a busy machine may take some of the time before the probe begins
		r = p.Probe(context.Background(), time.Now().Add(990*time.Millisecond))
		if r.Reason == probe.Timeout && r.Outcome == probe.Bad {
			return
		}
	}
	t.Errorf("with nearly all of its time: %+v", r)
}

func TestEveryReasonIsDocumentedAndExpected(t *testing.T) {
	for _, kind := range probe.Kinds() {
		seen := map[probe.Reason]bool{}
		for _, r := range probe.Reasons(kind) {
			if seen[r] {
				t.Errorf("%s lists %s twice", kind, r)
			}
			seen[r] = true
			if r.Help() == "" || r.Outcome() == "" {
				t.Errorf("%s: reason %s has no row in the table", kind, r)
			}
		}
	}
}

// A probe that began so late that its target would have had less than its time
// cannot tell that there was no answer in time.
func TestTimeoutOfAProbeThatIsCutShort(t *testing.T) {
	silent := rawServer(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	const timeout = 400 * time.Millisecond
	p, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{
		Check: &sla.TCPCheck{Address: silent, Dialogue: []sla.Step{{Expect: "never"}}}, Timeout: timeout,
	})
	if err != nil {
		t.Fatal(err)
	}
	r := p.Probe(t.Context(), time.Now().Add(timeout*9/10))
	if r.Outcome != probe.Inconclusive || r.Reason != probe.Starved {
		t.Errorf("of nine tenths of its time a probe tells %s %q (%s), want starved", r.Outcome, r.Reason, r.Detail)
	}
}
