package probe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// mailServer speaks enough of SMTP to begin TLS, on a real socket with a real
// handshake.
func mailServer(t testing.TB, cert tls.Certificate, extra string) string {
	return rawServer(t, func(c net.Conn) {
		serveMail(c, cert, extra)
	})
}

func serveMail(c net.Conn, cert tls.Certificate, extra string) {
	_, _ = io.WriteString(c, "220-mail.example\r\n220 ready\r\n")
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		switch verb, _, _ := strings.Cut(lines.Text(), " "); verb {
		case "EHLO":
			_, _ = io.WriteString(c, "250-mail.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n")
		case "STARTTLS":
			_, _ = io.WriteString(c, "220 go on\r\n"+extra)
			secured := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
			if secured.Handshake() != nil {
				return
			}
			c = secured
			lines = bufio.NewScanner(c)
		case "QUIT":
			_, _ = io.WriteString(c, "221 bye\r\n")
			return
		default:
			_, _ = io.WriteString(c, "500 what?\r\n")
		}
	}
}

var smtp = []sla.Step{
	{Expect: "^220 "},
	{Send: "EHLO upheld"},
	{Expect: `^250[- ]STARTTLS`},
	{Send: "STARTTLS"},
	{Expect: "^220 "},
	{StartTLS: true},
	{Send: "EHLO upheld"},
	{Expect: "^250 "},
	{Send: "QUIT"},
	{Expect: "^221"},
}

func TestTCPDialogue(t *testing.T) {
	ca := newAuthority()
	env := probe.Env{RootCAs: ca.pool()}
	cert := ca.sign(t, "localhost", time.Now().Add(40*time.Minute))
	redis := rawServer(t, func(c net.Conn) {
		buf := make([]byte, 64)
		n, _ := c.Read(buf)
		if string(buf[:n]) == "PING\r\n" {
			for _, b := range "+PONG\r\n" { // byte by byte, as a network may
				_, _ = c.Write([]byte{byte(b)})
			}
		}
	})
	secured := tlsEcho(t, cert)
	for name, check := range map[string]*sla.TCPCheck{
		"smtp with STARTTLS":        {Address: mailServer(t, cert, ""), Dialogue: smtp},
		"a line":                    {Address: redis, Dialogue: []sla.Step{{Send: "PING"}, {Expect: `^\+PONG$`}}},
		"a reply":                   {Address: redis, Dialogue: []sla.Step{{Send: "PING"}, {Expect: `^\+(P)(?P<rest>ONG)$`}, {Reply: "${1}${rest} $$5"}}},
		"a reply that is heard":     {Address: secured, TLS: true, Dialogue: []sla.Step{{Send: "PING :4711"}, {Expect: "^PING :(.*)$"}, {Reply: "PONG ${1} $$5"}, {Expect: `^PONG 4711 \$5$`}}},
		"bytes":                     {Address: redis, Dialogue: []sla.Step{{SendBytes: []byte("PING\r\n")}, {ExpectBytes: []byte("PON")}, {ExpectBytes: []byte("G\r\n")}}},
		"within TLS":                {Address: secured, TLS: true, Dialogue: []sla.Step{{Send: "hello"}, {Expect: "^hello$"}}},
		"a last line without end":   {Address: rawServer(t, func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-x") }), Dialogue: []sla.Step{{Expect: "^SSH-2"}}},
		"a very long line":          {Address: rawServer(t, func(c net.Conn) { _, _ = io.WriteString(c, strings.Repeat("x", 100_000)+"end\n") }), Dialogue: []sla.Step{{Expect: "xend$"}}},
		"bytes after others":        {Address: rawServer(t, func(c net.Conn) { _, _ = io.WriteString(c, "aabaabaaab") }), Dialogue: []sla.Step{{ExpectBytes: []byte("aaab")}}},
		"what is sent and no more":  {Address: redis, Dialogue: []sla.Step{{Send: "PING"}}},
		"TLS with a long way to go": {Address: secured, TLS: true, TLSOptions: sla.TLSOptions{CertificateValidFor: 30 * time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustBeGood(t, env, check)
			_, secure := r.Phases.Get(probe.TLS)
			if secure != (r.TLS != nil) {
				t.Errorf("handshake %t, facts %+v", secure, r.TLS)
			}
			if secure && (r.TLS.Version != "TLS 1.3" || r.TLS.EarliestExpiry.IsZero() || !r.TLS.ChainExpiry.Equal(r.TLS.EarliestExpiry)) {
				t.Errorf("facts %+v", r.TLS)
			}
		})
	}
}

// tlsEcho answers each line with itself, over TLS.
func tlsEcho(t testing.TB, cert tls.Certificate) string {
	return rawServer(t, func(c net.Conn) {
		secured := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
		_, _ = io.Copy(secured, secured)
	})
}

func TestTCPDialoguesThatFail(t *testing.T) {
	ca := newAuthority()
	trusting := probe.Env{RootCAs: ca.pool()}
	valid := ca.sign(t, "localhost", time.Now().Add(40*time.Minute))
	expired := ca.sign(t, "localhost", time.Now().Add(-time.Hour))
	say := func(text string) string { return rawServer(t, func(c net.Conn) { _, _ = io.WriteString(c, text) }) }
	sayAndHang := func(text string) string {
		return rawServer(t, func(c net.Conn) {
			_, _ = io.WriteString(c, text)
			_, _ = io.Copy(io.Discard, c)
		})
	}
	endless := func(text string) string {
		return rawServer(t, func(c net.Conn) {
			for chunk := strings.Repeat(text, 1000); ; {
				if _, err := io.WriteString(c, chunk); err != nil {
					return
				}
			}
		})
	}
	reset := rawServer(t, func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) })
	wantsClient := rawServer(t, func(c net.Conn) {
		secured := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{valid}, ClientAuth: tls.RequireAnyClientCert})
		_ = secured.Handshake()
	})
	expect := func(address string) *sla.TCPCheck {
		return &sla.TCPCheck{Address: address, Dialogue: []sla.Step{{Expect: "^220 "}}}
	}
	expectBytes := func(address string) *sla.TCPCheck {
		return &sla.TCPCheck{Address: address, Dialogue: []sla.Step{{ExpectBytes: []byte("ready")}}}
	}
	mail := func(address string) *sla.TCPCheck { return &sla.TCPCheck{Address: address, Dialogue: smtp} }
	C, P, T := probe.Connect, probe.Processing, probe.TLS
	checkFailures(t, []failing{
		{name: "silence", check: expect(sayAndHang("")), timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "step 1 of 1 (expect): no answer in time", phases: []probe.Phase{C, P}},
		{name: "another line, then silence", check: expect(sayAndHang("554 s3cret\r\n")), timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "received 1 lines, and not what is expected"},
		{name: "half a line", check: expect(sayAndHang("220 r")), timeout: patience, want: probe.Timeout, outcome: probe.Bad},
		{name: "other bytes, then silence", check: expectBytes(sayAndHang("wait")), timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "received 4 bytes"},
		{name: "closed at once", check: expect(say("")), want: probe.Reset, outcome: probe.Bad},
		{name: "reset", check: expect(reset), want: probe.Reset, outcome: probe.Bad},
		{name: "another line, then closed", check: expect(say("554 no\r\n421 go away\r\n")), want: probe.Dialogue, outcome: probe.Bad, detail: "received 2 lines"},
		{name: "other bytes, then closed", check: expectBytes(say("read")), want: probe.Dialogue, outcome: probe.Bad, detail: "received 4 bytes"},
		{name: "lines without end", check: expect(endless("250 no\r\n")), want: probe.Dialogue, outcome: probe.Bad, detail: "more than 1 MiB"},
		{name: "a line without end", check: expect(endless("x")), want: probe.Dialogue, outcome: probe.Bad, detail: "more than 1 MiB"},
		{name: "bytes without end", check: expectBytes(endless("red")), want: probe.Dialogue, outcome: probe.Bad, detail: "more than 1 MiB"},
		{name: "STARTTLS, and then silence", check: mail(rawServer(t, func(c net.Conn) {
			_, _ = io.WriteString(c, "220 x\r\n250 STARTTLS\r\n")
			_, _ = io.ReadFull(c, make([]byte, len("EHLO upheld\r\nSTARTTLS\r\n")))
			_, _ = io.WriteString(c, "220 go on\r\n")
			_, _ = io.Copy(io.Discard, c)
		})), timeout: patience, want: probe.Timeout, outcome: probe.Bad, detail: "step 6 of 10 (startTLS)", phases: []probe.Phase{C, P, T}},
		{name: "STARTTLS with an expired certificate", check: mail(mailServer(t, expired, "")), env: trusting, want: probe.TLSExpired, outcome: probe.Bad, detail: "expired"},
		{name: "STARTTLS by an unknown authority", check: mail(mailServer(t, valid, "")), env: probe.Env{RootCAs: x509Empty()}, want: probe.TLSAuthority, outcome: probe.Bad},
		{name: "words put in before STARTTLS", check: mail(mailServer(t, valid, "250 injected\r\n")), env: trusting, want: probe.Protocol, outcome: probe.Bad, detail: "before the handshake"},
		{name: "a certificate that ends soon", check: &sla.TCPCheck{Address: tlsEcho(t, valid), TLS: true, TLSOptions: sla.TLSOptions{CertificateValidFor: 14 * 24 * time.Hour}}, env: trusting, want: probe.TLSExpiring, outcome: probe.Bad, detail: "valid for 0.0 more days, less than 14.0"},
		{name: "the same, and not verified", check: &sla.TCPCheck{Address: tlsEcho(t, expired), TLS: true, TLSOptions: sla.TLSOptions{InsecureSkipVerify: true, CertificateValidFor: time.Hour}}, want: probe.TLSExpiring, outcome: probe.Bad},
		{name: "a certificate of ours is wanted", check: &sla.TCPCheck{Address: wantsClient, TLS: true, Dialogue: []sla.Step{{Expect: "x"}}}, env: trusting, want: probe.TLSOther, outcome: probe.Bad},
	})
}

// TestFactsOfRefusedCertificates holds that a certificate that fails to verify
// is seen all the same.
func TestFactsOfRefusedCertificates(t *testing.T) {
	ca := newAuthority()
	expiry := time.Now().Add(-time.Hour).Truncate(time.Second)
	address := tlsEcho(t, ca.sign(t, "localhost", expiry))
	for _, check := range []sla.Check{&sla.TCPCheck{Address: address, TLS: true}, get("https://" + address)} {
		r := once(t, probe.Env{RootCAs: ca.pool()}, check, 5*time.Second)
		if r.Reason != probe.TLSExpired || r.TLS == nil || !r.TLS.EarliestExpiry.Equal(expiry) || !r.TLS.ChainExpiry.IsZero() {
			t.Errorf("%s: %+v", r.Reason, r.TLS)
		}
	}
	r := once(t, probe.Env{}, &sla.TCPCheck{Address: address, TLS: true, TLSOptions: sla.TLSOptions{InsecureSkipVerify: true}}, 5*time.Second)
	if r.Outcome != probe.Good || r.TLS == nil || !r.TLS.EarliestExpiry.Equal(expiry) || !r.TLS.ChainExpiry.IsZero() {
		t.Errorf("%s: %+v", r.Reason, r.TLS)
	}
}

func TestADialogueEndsWithItsContext(t *testing.T) {
	address := rawServer(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	p, err := probe.NewFactory(probe.Env{}).New(&sla.Probe{Check: &sla.TCPCheck{Address: address, Dialogue: []sla.Step{{Expect: "x"}}}, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	if r := p.Probe(ctx, time.Time{}); r.Reason != probe.Cancelled || r.Duration > 5*time.Second {
		t.Errorf("%+v", r)
	}
}

func TestDialoguesTellNoSecrets(t *testing.T) {
	address := rawServer(t, func(c net.Conn) { _, _ = io.WriteString(c, "s3cret\n") })
	check := &sla.TCPCheck{Address: address, Dialogue: []sla.Step{{Send: "AUTH s3cret"}, {Expect: "^s3cret!"}}}
	r := once(t, probe.Env{}, check, 5*time.Second)
	if r.Outcome != probe.Bad || strings.Contains(r.Detail+check.Words()+check.Target(), "s3cret") {
		t.Errorf("%+v, %s", r, check.Words())
	}
}

// TestLabelsOfADialogue are what its steps heard, cut and made printable.
func TestLabelsOfADialogue(t *testing.T) {
	address := rawServer(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "SSH-2.0-Open\x01SSH_9.\xff6\r\nMOTD "+strings.Repeat("ä", 100)+"\r\n")
		_, _ = c.Read(make([]byte, 1))
	})
	check := &sla.TCPCheck{Address: address, Dialogue: []sla.Step{
		{Expect: `^SSH-(?P<protocol>[\d.]+)-(.*)$`, Labels: map[string]string{"software": "${2}", "protocol": "v${protocol}"}},
		{Expect: `^MOTD (.*)`, Labels: map[string]string{"motd": "$1", "protocol": "again"}},
	}}
	r := mustBeGood(t, probe.Env{}, check)
	want := []probe.InfoLabel{{Name: "motd", Value: strings.Repeat("ä", 32)}, {Name: "protocol", Value: "again"}, {Name: "software", Value: "Open\uFFFDSSH_9.\uFFFD6"}}
	if !slices.Equal(r.Info, want) {
		t.Errorf("%q, want %q", r.Info, want)
	}
}
