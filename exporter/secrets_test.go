package exporter_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/internal/logtest"
	"github.com/upheld-sla/upheld/sla"
)

// checksOf are checks of every kind with an address.
func checksOf(address, url string) []sla.Check {
	steps := []sla.Step{{Send: "s3cret-sent"}, {Expect: "x"}}
	return []sla.Check{
		&sla.HTTPCheck{URL: url, Headers: map[string]string{"Authorization": "Bearer s3cret-header"}, Body: "s3cret-body"},
		&sla.HTTPCheck{URL: url, Options: &sla.HTTPOptions{Proxy: &sla.Proxy{URL: "http://bob:s3cret-proxy@127.0.0.1:1"}}},
		&sla.HTTPCheck{URL: url, Options: &sla.HTTPOptions{Auth: &sla.HTTPAuth{OAuth2: &sla.OAuth2{ClientID: "a", ClientSecret: sla.SecretText("s3cret-client"), TokenURL: url}}}},
		&sla.TCPCheck{Address: address, Dialogue: steps}, &sla.TLSCheck{Address: address, TLSOptions: sla.TLSOptions{ServerName: "s3cret@host"}}, &sla.UDPCheck{Address: address, Dialogue: steps},
		&sla.GRPCCheck{Address: address, Metadata: map[string]string{"authorization": "s3cret-metadata"}},
		&sla.ICMPCheck{Host: address, Packets: 1, PayloadSize: 56}, &sla.UnixCheck{Path: url}, &sla.UnixCheck{Path: "/run/bob:s3cret@nowhere", Dialogue: steps},
		&sla.DNSCheck{Server: address, Transport: sla.DNSOverTCP, Type: "A", Name: "a.example"}, &sla.DNSCheck{Server: url, Transport: sla.DNSOverHTTPS, Type: "A", Name: "a.example"},
		&sla.WebSocketCheck{Request: sla.HTTPCheck{URL: url}}, &sla.JourneyCheck{Steps: []sla.JourneyStep{{Name: "one", Request: sla.HTTPCheck{URL: url}}}},
	}
}

// TestNoPageMetricOrLogShowsAPassword whichever kind of probe has it, where it is
// declared and where it is found, whether it is an address or none.
func TestNoPageMetricOrLogShowsAPassword(t *testing.T) {
	for _, info := range []string{"bob:s3cret@", "s3cret@", "bob:%zzs3cret@", "bob:s3cret/x@", "bob:a@b:s3cret@"} {
		address, link := info+"127.0.0.1:1", "http://"+info+"127.0.0.1:1/"
		var targets []sla.ProbeTarget
		var refused []error
		kinds := map[string]bool{}
		for i, check := range checksOf(address, link) {
			kinds[check.ProbeKind()] = true
			level := webTarget(fmt.Sprintf("level-%d", i), "", 200*time.Millisecond)
			level.Probe.Check = check
			if err := exporter.New(exporter.Options{}).Apply([]sla.ProbeTarget{level}); err != nil {
				refused = append(refused, err)
			} else {
				targets = append(targets, level)
			}
			if addressed, ok := check.(sla.Addressed); ok {
				found := webTarget(fmt.Sprintf("found-%d", i), "", 200*time.Millisecond)
				entry := address
				if strings.Contains(check.Target(), "://") {
					entry = link
				}
				found.Probe.Check, found.Probe.Discovery = addressed, &sla.Discovery{Pattern: sla.TargetVariable, Static: []string{entry}, Refresh: time.Hour, Limit: 9}
				targets = append(targets, found)
			}
		}
		for _, kind := range probe.Kinds() {
			if !kinds[kind] {
				t.Errorf("no check of the kind %q is tried", kind)
			}
		}
		var log logtest.Buffer
		e := exporter.New(exporter.Options{
			Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Probe:  probe.Env{Excerpt: probe.DefaultExcerpt}, References: []string{"http://bob:s3cret@127.0.0.1:1/"},
		})
		if err := e.Apply(targets); err != nil {
			t.Fatal(err)
		}
		start(t, e)
		eventually(t, "results of all that is probed", func() bool {
			for _, level := range targets {
				if strings.HasPrefix(level.ID.SLO, "level") && len(e.Recent(level.ID)) == 0 {
					return false
				}
			}
			return true
		})
		scrape(t, e.Metrics())
		shown := fmt.Sprint(refused, exporter.CheckReferences([]string{"ftp://" + info + "host", "tcp://" + info + "host"})) + "\n" + scrape(t, e.Metrics())
		h := e.Handler("/metrics")
		_, landing := ask(h, http.MethodGet, "/")
		shown += landing
		for _, level := range targets {
			code, page := ask(h, http.MethodGet, "/history?level="+url.QueryEscape(level.ID.SLA+":"+level.ID.Service+"/"+level.ID.SLO))
			if strings.HasPrefix(level.ID.SLO, "level") && code != http.StatusOK {
				t.Errorf("%s: %d", level.ID, code)
			}
			shown += page
			for _, r := range e.Recent(level.ID) {
				shown += fmt.Sprintf("%s: %s %s\n", level.ID, r.Detail, r.Excerpt)
			}
		}
		shown += log.String()
		for line := range strings.Lines(shown) {
			if strings.Contains(line, "s3cret") {
				t.Errorf("%s: %s", info, line)
			}
		}
	}
}
