package blackbox

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// serve runs a server of a stream for each connection until the test ends.
func serve(t *testing.T, network, address string, speak func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
				speak(conn)
			}()
		}
	}()
	return listener.Addr().String()
}

// script plays a server: lines to say, after "<" one to hear first, "*" to
// begin TLS, "." to hang up at once, and "-" to wait for the other side's end.
func script(conf *tls.Config, lines ...string) func(net.Conn) {
	return func(conn net.Conn) {
		reader := bufio.NewReader(conn)
		for _, line := range lines {
			switch {
			case line == ".":
				return
			case line == "-":
				_, _ = io.Copy(io.Discard, reader)
			case line == "*":
				session := tls.Server(conn, conf)
				if session.Handshake() != nil {
					return
				}
				conn, reader = session, bufio.NewReader(session)
			case strings.HasPrefix(line, "<"):
				if got, err := reader.ReadString('\n'); err != nil || strings.TrimSpace(got) != line[1:] {
					fmt.Fprintf(conn, "unexpected %q\n", got)
					return
				}
			default:
				_, _ = io.WriteString(conn, line)
			}
		}
	}
}

const dialogueModules = `
modules:
  connect: {prober: tcp, timeout: 2s}
  ip4: {prober: tcp, tcp: {preferred_ip_protocol: ip4}}
  source: {prober: tcp, tcp: {preferred_ip_protocol: ip4, source_ip_address: 127.0.0.2}}
  bad_source: {prober: tcp, tcp: {source_ip_address: here}}
  banner: {prober: tcp, timeout: 700ms, tcp: {query_response: [{expect: "^220 ([^ ]+) ESMTP (.+)$", labels: [{name: host, value: "$1"}, {name: kind, value: "is ${2}"}]}]}}
  smtp: {prober: tcp, tcp: {tls_config: {ca_file: CA, server_name: mail.example}, query_response: [
    {expect: "^220 "}, {send: "EHLO prober\r"}, {expect: "^250-STARTTLS"}, {send: "STARTTLS\r"}, {expect: "^220"}, {starttls: true}, {send: "EHLO prober\r"}, {expect: "^250-AUTH"}, {send: "QUIT\r"}]}}
  irc: {prober: tcp, tcp: {query_response: [{send: NICK prober}, {expect: "PING :([^ ]+)", send: "PONG ${1}"}, {expect: "^:[^ ]+ 001"}]}}
  bytes: {prober: tcp, timeout: 700ms, tcp: {query_response: [{send: !!binary AAAACATSFi8=}, {expect_bytes: S}]}}
  tls: {prober: tcp, tcp: {tls: true, tls_config: {ca_file: CA}}}
  tls_skip: {prober: tcp, tcp: {tls: true, tls_config: {insecure_skip_verify: true}}}
  tls_talk: {prober: tcp, tcp: {tls: true, tls_config: {ca_file: CA}, query_response: [{expect: ^hello}]}}
  unix: {prober: unix, unix: {query_response: [{send: PING}, {expect: PONG}]}}
  unix_tls: {prober: unix, unix: {tls: true, tls_config: {ca_file: CA, server_name: mail.example}, query_response: [{expect: ^hello}]}}
`

func TestDialogue(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	p := newPair(t, strings.ReplaceAll(dialogueModules, "ca_file: CA", "ca_file: "+ca.file))
	conf := &tls.Config{Certificates: []tls.Certificate{ca.server(time.Hour, "mail.example", "127.0.0.1")}}
	expired := &tls.Config{Certificates: []tls.Certificate{ca.server(-time.Hour, "mail.example", "127.0.0.1")}}
	chain := "probe_ssl_last_chain_expiry_timestamp_seconds"
	seen := []string{"probe_ssl_earliest_cert_expiry", "probe_ssl_last_chain_info", "probe_tls_version_info"}
	smtp := []string{"220 mail ESMTP\r\n", "<EHLO prober", "250-mail\r\n250-STARTTLS\r\n250 HELP\r\n", "<STARTTLS", "220 go\r\n", "*", "<EHLO prober", "250-AUTH\r\n", "<QUIT"}
	for _, c := range []struct {
		name, module, network string
		speak                 func(net.Conn)
		success               bool
		without               []string
	}{
		{"connect", "connect", "tcp", script(nil), true, nil},
		{"ip4", "ip4", "tcp", script(nil), true, nil},
		{"source", "source", "tcp", script(nil), true, nil},
		{"source that is none", "bad_source", "tcp", script(nil), false, nil},
		{"banner", "banner", "tcp", script(nil, "hello\r\n220 mail ESMTP Postfix\r\n", "-"), true, nil},
		{"banner without an end", "banner", "tcp", script(nil, "220 mail ESMTP Postfix"), true, nil},
		{"another banner", "banner", "tcp", script(nil, "220 something\r\n"), false, nil},
		{"a banner that stops", "banner", "tcp", script(nil, "220 mail ESMTP Post", "-"), false, nil},
		{"no banner", "banner", "tcp", script(nil, "-"), false, nil},
		{"hung up", "banner", "tcp", script(nil, "."), false, nil},
		{"a banner that is no text", "banner", "tcp", script(nil, "220 m\xc3\xa4il ESMTP x\r\n"), true, nil},
		{"a long line", "banner", "tcp", script(nil, strings.Repeat("x", 70<<10)+"\r\n220 mail ESMTP x\r\n", "-"), false, nil},
		{"smtp", "smtp", "tcp", script(conf, smtp...), true, nil},
		{"smtp, expired", "smtp", "tcp", script(expired, smtp...), false, seen},
		{"smtp without TLS", "smtp", "tcp", script(nil, "220 mail ESMTP\r\n", "<EHLO prober", "250 HELP\r\n"), false, nil},
		{"irc", "irc", "tcp", script(nil, "<NICK prober", "PING :4711\n", "<PONG 4711", ":irc 001 welcome\n", "-"), true, nil},
		{"bytes", "bytes", "tcp", script(nil, "S", "-"), true, nil},
		{"other bytes", "bytes", "tcp", script(nil, "N", "-"), false, nil},
		{"no bytes", "bytes", "tcp", script(nil, "-"), false, nil},
		{"tls", "tls", "tcp", script(conf, "*"), true, nil},
		{"tls, expired", "tls", "tcp", script(expired, "*"), false, seen},
		{"tls, expired and skipped", "tls_skip", "tcp", script(expired, "*"), true, []string{chain}},
		{"tls and talk", "tls_talk", "tcp", script(conf, "*", "hello\n", "-"), true, nil},
		{"no tls", "tls", "tcp", script(nil, "hello\n"), false, nil},
		{"unix", "unix", "unix", script(nil, "<PING", "PONG\n"), true, nil},
		{"unix, no answer", "unix", "unix", script(nil, "<PING", "."), false, nil},
		{"unix tls", "unix_tls", "unix", script(conf, "*", "hello\n", "-"), true, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := "127.0.0.1:0"
			if c.network == "unix" {
				address = t.TempDir() + "/s"
			}
			got := p.both(t, query(c.module, serve(t, c.network, address, c.speak)), nil, c.without...)
			cipher := c.success && (c.module == "smtp" || strings.Contains(c.module, "tls")) // since v0.29.0
			if strings.Contains(got.text, "\nprobe_tls_cipher_info{cipher=\"TLS_") != cipher {
				t.Errorf("reports the cipher: %t, want %t\n%s", !cipher, cipher, got.text)
			}
			if want := map[bool]string{true: "1", false: "0"}[c.success]; got.value("probe_success") != want {
				t.Errorf("probe_success %s, want %s\n%s", got.value("probe_success"), want, p.lastLog())
			}
		})
	}
	t.Run("hostname", func(t *testing.T) {
		named := &tls.Config{Certificates: []tls.Certificate{ca.server(time.Hour, "named.example")}}
		q := query("tls", serve(t, "tcp", "127.0.0.1:0", script(named, "*")))
		q.Set("hostname", "named.example")
		if got := p.both(t, q, nil); got.value("probe_success") != "1" {
			t.Error(p.lastLog())
		}
	})
	for _, target := range []string{"127.0.0.1:1", "127.0.0.1", "localhost:1", "nonexistent.invalid:80", "[::1]:1", "127.0.0.1:nonsense", ":80"} {
		t.Run(target, func(t *testing.T) { p.both(t, query("connect", target), nil) })
		t.Run("ip4 "+target, func(t *testing.T) { p.both(t, query("ip4", target), nil) })
	}
	t.Run("no socket", func(t *testing.T) { p.both(t, query("unix", "/nonexistent"), nil) })
}

// TestDialoguesThatBlackboxExporterGetsWrong: blackbox_exporter panics at these dialogues,
// or finds them good or bad by chance.
func TestDialoguesThatBlackboxExporterGetsWrong(t *testing.T) {
	ca := newAuthority(t)
	p := newPair(t, strings.ReplaceAll(`
modules:
  two: {prober: tcp, tcp: {query_response: [{expect: "^(.*)$", labels: [{name: first, value: "$1"}]}, {expect: "^(.*)$", labels: [{name: second, value: "$1"}]}]}}
  bytes: {prober: tcp, tcp: {query_response: [{expect: "^go"}, {expect_bytes: "abcdef"}]}}
  start: {prober: tcp, tcp: {tls_config: {ca_file: CA, server_name: mail.example}, query_response: [{expect: "^220"}, {starttls: true}]}}
`, "CA", ca.file))
	for _, c := range []struct {
		name, module string
		speak        func(net.Conn)
		want         map[string]string
	}{
		{"two captures", "two", script(nil, "a\nb\n"), map[string]string{"probe_success": "1", `probe_expect_info{first="a"}`: "1", `probe_expect_info{second="b"}`: "1"}},
		{"bytes read ahead", "bytes", script(nil, "go\nabc", "-"), map[string]string{"probe_success": "0"}},
		{"bytes in pieces", "bytes", func(c net.Conn) {
			for _, piece := range []string{"go\nab", "cd", "ef"} {
				_, _ = io.WriteString(c, piece)
				time.Sleep(20 * time.Millisecond)
			}
		}, map[string]string{"probe_success": "1", "probe_failed_due_to_bytes": "0"}},
		{
			"injected before TLS", "start", script(&tls.Config{Certificates: []tls.Certificate{ca.server(time.Hour, "mail.example")}}, "220 go\r\n250 injected\r\n", "*"),
			map[string]string{"probe_success": "0"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ask(t, p.handler, query(c.module, serve(t, "tcp", "127.0.0.1:0", c.speak)), map[string]string{timeoutHeader: "1.2"})
			for series, want := range c.want {
				if got.value(series) != want {
					t.Errorf("%s is %q, want %s\n%s", series, got.value(series), want, p.lastLog())
				}
			}
		})
	}
}
