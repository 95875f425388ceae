package exporter_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/sla"
)

// TestManyMiseriesAtOnce probes targets that hang at every stage, break off,
// never end or do not exist, among others that are well. Each must be found for
// its own reason, those that are well must stay so, and nothing may be left.
func TestManyMiseriesAtOnce(t *testing.T) {
	const interval = 4 * time.Second
	each := testsize.Of(5, 40) // targets of each
	miseries := []struct {
		name, url string
		want      probe.Reason // "" for those that are well
	}{
		{"well", wellServer(t), ""},
		{"well-by-name", strings.Replace(wellServer(t), "127.0.0.1", "well.test", 1), ""},
		{"handshake", "https://" + talker(t, silent), probe.Timeout},
		{"header", "http://" + talker(t, silent), probe.Timeout},
		{"body", "http://" + talker(t, says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")), probe.Timeout},
		{"reset", "http://" + talker(t, resets), probe.Reset},
		{"gone", "http://" + talker(t, func(net.Conn) {}), probe.Reset},
		{"endless", endlessServer(t), probe.Timeout},
		{"half-closed", "http://" + talker(t, halfCloses), probe.Reset},
		{"not-accepted", "http://" + unaccepted(t), probe.Timeout},
		{"header-drips", "http://" + talker(t, dripsHeader), probe.Timeout},
		{"redirects", redirectServer(t), probe.Redirect},
		{"no-name", "http://storm.test/", probe.DNS},
	}
	var targets []sla.ProbeTarget
	for _, m := range miseries {
		for i := range each {
			target := webTarget(fmt.Sprintf("%s-%d", m.name, i), m.url, interval)
			target.Probe.Timeout = 600 * time.Millisecond
			if m.want != probe.Timeout { // a busy machine takes its time; these do not wait for the end of theirs
				target.Probe.Timeout = interval - 50*time.Millisecond
			}
			if m.name == "no-name" {
				target.Probe.Check.(*sla.HTTPCheck).URL = fmt.Sprintf("http://%d.storm.test/", i)
			}
			targets = append(targets, target)
		}
	}
	before := runtime.NumGoroutine()
	e := exporter.New(exporter.Options{Probe: probe.Env{Resolver: stormResolver(t)}})
	if err := e.Apply(targets); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	within(t, 2*time.Minute, "as many results of each misery as it has targets", func() bool {
		text := scrape(t, e.Metrics())
		for _, m := range miseries {
			if judged := counter(t, text, "upheld_probe_results_total", `slo="`+m.name+"-", `outcome="good"`) + counter(t, text, "upheld_probe_results_total", `slo="`+m.name+"-", `outcome="bad"`); judged < float64(each) {
				return false
			}
		}
		return true
	})
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	scrape(t, e.Metrics()) // reasons appear with 0
	text := scrape(t, e.Metrics())
	balanced(t, text)
	for _, m := range miseries {
		level := `slo="` + m.name + "-"
		bad, good := counter(t, text, "upheld_probe_results_total", level, `outcome="bad"`), counter(t, text, "upheld_probe_results_total", level, `outcome="good"`)
		if m.want == "" && bad > 0 || m.want != "" && good > 0 {
			t.Errorf("%s: %v good, %v bad", m.name, good, bad)
		}
		if m.want == "" {
			continue
		}
		if n := counter(t, text, "upheld_probe_failures_total", level, `reason="`+string(m.want)+`"`); n != bad {
			t.Errorf("%s: %v of %v failed for %s", m.name, n, bad, m.want)
		}
	}
	eventually(t, "every goroutine to end", func() bool { return runtime.NumGoroutine() <= before+5 })
}

// talker hands every connection to talk and then closes it; it returns the
// address. Connections are cut when the test ends.
func talker(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				talk(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// halfCloses says that it will say no more, and stays.
func halfCloses(c net.Conn) {
	_, _ = c.Read(make([]byte, 4096))
	_ = c.(*net.TCPConn).CloseWrite()
	silent(c)
}

// unaccepted is an address whose connections the kernel takes and nobody else.
func unaccepted(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// dripsHeader sends a header that has no end, a little at a time.
func dripsHeader(c net.Conn) {
	for text := "HTTP/1.1 200 OK\r\n"; ; text = "X-A: b\r\n" {
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func silent(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func says(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, text)
		silent(c)
	}
}

func resets(c net.Conn) {
	_, _ = c.Read(make([]byte, 1))
	_ = c.(*net.TCPConn).SetLinger(0)
}

// endlessServer sends a body that has no end, a little at a time.
func endlessServer(t *testing.T) string {
	return handled(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := io.WriteString(w, "x"); err != nil {
				return
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
}

// redirectServer redirects for ever.
func redirectServer(t *testing.T) string {
	return handled(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) })
}

func handled(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL + "/"
}

// stormResolver knows well.test, the root, and nothing else.
func stormResolver(t *testing.T) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.Additionals = true, nil
			switch name := q.Name.String(); {
			case name != "well.test." && name != ".":
				m.RCode = dnsmessage.RCodeNameError
			case q.Type == dnsmessage.TypeA:
				header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
				m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
			}
			if out, err := m.Pack(); err == nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
	t.Cleanup(func() {
		pc.Close()
		<-done
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}
