package exporter_test

import (
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/probe"
	"github.com/upheld-sla/upheld/sla"
)

// changingZone is a DNS server whose one name has other addresses from time to
// time.
type changingZone struct {
	mu        sync.Mutex
	addresses []string // none: the name does not exist
	broken    bool
	at        netip.AddrPort
}

func (z *changingZone) set(addresses ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.addresses = addresses
}

func (z *changingZone) breakDown() {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.broken = true
}

// ServeDNS answers as the zone is now.
func (z *changingZone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	m := new(dns.Msg).SetReply(q)
	switch {
	case z.broken:
		m.Rcode = dns.RcodeServerFailure
	case len(z.addresses) == 0:
		m.Rcode = dns.RcodeNameError
	}
	for _, a := range z.addresses {
		kind := "A"
		if strings.Contains(a, ":") {
			kind = "AAAA"
		}
		if record, err := dns.NewRR(q.Question[0].Name + " 0 IN " + kind + " " + a); err == nil && record.Header().Rrtype == q.Question[0].Qtype {
			m.Answer = append(m.Answer, record)
		}
	}
	_ = w.WriteMsg(m)
}

func startZone(t *testing.T, addresses ...string) *changingZone {
	t.Helper()
	z := &changingZone{addresses: addresses}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	z.at = netip.MustParseAddrPort(pc.LocalAddr().String())
	srv := &dns.Server{PacketConn: pc, Handler: z}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = srv.ActivateAndServe() }()
	t.Cleanup(func() { pc.Close(); <-ended })
	return z
}

// eachOf is a level that is probed at each address of shop.test.
func eachOf(z *changingZone, port string) sla.ProbeTarget {
	level := webTarget("each", "http://shop.test:"+port+"/", 100*time.Millisecond)
	level.Probe.Network = &sla.Network{Addresses: sla.EachAddress, Resolver: z.at}
	level.Probe.Discovery = &sla.Discovery{
		Host: "shop.test", Network: level.Probe.Network, Labels: []string{sla.AddressLabel}, Refresh: 50 * time.Millisecond, Limit: 3,
	}
	return level
}

// TestEachAddressIsATarget follows a name whose addresses change: each has its
// account, those that stay keep it, and a name without any is down.
func TestEachAddressIsATarget(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	hosts := map[string]bool{}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		hosts[r.Host] = true
	}))
	srv.Start()
	t.Cleanup(srv.Close)
	_, port, _ := net.SplitHostPort(address(srv.URL)) // nobody listens there at 127.0.0.2
	zone := startZone(t, "127.0.0.1", "127.0.0.2")
	e := exporter.New(exporter.Options{Probe: probe.Env{}})
	if err := e.Apply([]sla.ProbeTarget{eachOf(zone, port)}); err != nil {
		t.Fatal(err)
	}
	start(t, e)
	of := func(outcome, address string) float64 {
		return counter(t, scrape(t, e.Metrics()), "upheld_probe_results_total", `outcome="`+outcome+`"`, `target="http://shop.test:`+port+`/",address="`+address+`"`)
	}
	reason := func(address string) string {
		i := slices.IndexFunc([]probe.Reason{probe.ConnectRefused, probe.DNS}, func(r probe.Reason) bool {
			return counter(t, scrape(t, e.Metrics()), "upheld_probe_failures_total", `reason="`+string(r)+`"`, `address="`+address+`"`) > 0
		})
		return []string{"", "connect_refused", "dns"}[i+1]
	}
	eventually(t, "both addresses", func() bool { return of("good", "127.0.0.1") >= 2 && of("bad", "127.0.0.2") >= 2 })
	text := scrape(t, e.Metrics())
	if of("bad", "127.0.0.1")+of("good", "127.0.0.2") != 0 || strings.Contains(text, `phase="resolve"`) || strings.Contains(text, `address=""`) {
		t.Errorf("an address hides how the other is, or was looked up:\n%s", text)
	}
	eventually(t, "the reason", func() bool { return reason("127.0.0.2") == "connect_refused" })
	mu.Lock()
	asked := maps.Clone(hosts)
	mu.Unlock()
	if !asked["shop.test:"+port] || len(asked) != 1 {
		t.Errorf("asked for %v: the host is the name", asked)
	}
	_, landing := ask(e.Handler("/metrics"), http.MethodGet, "/")
	if !strings.Contains(landing, "/ at 127.0.0.2<") || !strings.Contains(landing, "/history?address=127.0.0.2&amp;level=") {
		t.Errorf("the page does not tell addresses apart:\n%s", landing)
	}
	if code, page := ask(e.Handler("/metrics"), http.MethodGet, "/history?address=127.0.0.2&level=shop:storefront/each"); code != 200 || !strings.Contains(page, "connect_refused") || strings.Contains(page, "HTTP 200") {
		t.Errorf("%d\n%s", code, page)
	}

	before := of("good", "127.0.0.1")
	zone.set("127.0.0.1", "127.0.0.3")
	eventually(t, "the third address in the place of the second", func() bool {
		return of("bad", "127.0.0.3") >= 1 && !strings.Contains(scrape(t, e.Metrics()), "127.0.0.2")
	})
	if of("good", "127.0.0.1") < before {
		t.Error("an address that stays lost its counts")
	}
	ok := func() float64 { return counter(t, scrape(t, e.Metrics()), "upheld_exporter_discovery_ok") }
	zone.set("127.0.0.1", "127.0.0.4", "127.0.0.5", "127.0.0.6")
	eventually(t, "too many to be noticed", func() bool { return ok() == 0 })
	if text := scrape(t, e.Metrics()); !strings.Contains(text, "127.0.0.3") || strings.Contains(text, "127.0.0.5") {
		t.Errorf("the targets did not stay:\n%s", text)
	}
	zone.set()
	eventually(t, "the name to be down", func() bool { return of("bad", "") >= 1 && reason("") == "dns" && ok() == 1 })
	if text := scrape(t, e.Metrics()); strings.Contains(text, "127.0.0.1\"") {
		t.Errorf("an address that the name has no longer is probed:\n%s", text)
	}
	zone.set("127.0.0.1")
	eventually(t, "the name to be back", func() bool { return of("good", "127.0.0.1") >= 1 })
	zone.breakDown()
	eventually(t, "the resolver's failure", func() bool { return ok() == 0 })
	kept := of("good", "127.0.0.1")
	eventually(t, "the address to stay", func() bool { return of("good", "127.0.0.1") > kept })
	account(t, scrape(t, e.Metrics()))
}

// TestANameThatIsNeverFoundIsDown: there is a series from the first look on.
func TestANameThatIsNeverFoundIsDown(t *testing.T) {
	zone := startZone(t)
	e := exporter.New(exporter.Options{})
	if err := e.Apply([]sla.ProbeTarget{eachOf(zone, "1")}); err != nil {
		t.Fatal(err)
	}
	start(t, e)
	eventually(t, "a failure", func() bool {
		return counter(t, scrape(t, e.Metrics()), "upheld_probe_failures_total", `reason="dns"`, `address=""`) >= 1
	})
}

// account holds every target to its account.
func account(t *testing.T, text string) {
	t.Helper()
	sum := map[string]float64{}
	for line := range strings.Lines(text) {
		for metric, sign := range map[string]float64{"upheld_probe_results_total{": 1, "upheld_probe_scheduled_total{": -1} {
			if rest, ok := strings.CutPrefix(line, metric); ok {
				labels, _, _ := strings.Cut(rest, "}")
				i := strings.Index(labels, "service=")
				sum[labels[i:]] += sign * counter(t, line, metric[:len(metric)-1])
			}
		}
	}
	if len(sum) == 0 {
		t.Error("there is no account")
	}
	for labels, left := range sum {
		if left != 0 {
			t.Errorf("%s: outcomes less what was owed are %v", labels, left)
		}
	}
}
