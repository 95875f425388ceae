//go:build integration

package integration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	example "github.com/upheld-sla/upheld/examples/demo"
	"github.com/upheld-sla/upheld/internal/demo"
)

// The demo's shop at a pace of its own: the first provider fails alone, and after
// it has been well again both fail. Rules see each half a minute later, and the
// states of the two faults do not touch.
var providersFail = demo.Schedule{
	Cycle: time.Hour,
	Faults: []demo.Fault{
		{Service: demo.ProviderA, Effect: demo.Down, From: 20 * time.Second, To: 52 * time.Second, Words: "psp-a is down alone"},
		{Service: demo.ProviderA, Effect: demo.Down, From: 88 * time.Second, To: 50 * time.Minute, Words: "psp-a is down"},
		{Service: demo.ProviderB, Effect: demo.Down, From: 88 * time.Second, To: 50 * time.Minute, Words: "psp-b is down, too"},
	},
}

// edits shorten what the demo's agreement waits for; and since shares are of the
// minutes that were measured at all, six seconds of the first two minutes may
// not be a burning budget yet.
var edits = []struct{ from, to string }{
	{"page: {groupWait: 45s,", "page: {groupWait: 5s,"},
	{"{after: 2m, notify: [lead]}", "{after: 1m, notify: [lead]}"},
	{"      target: \"99.5\"\n", "      target: \"98\"\n"},
}

const (
	shopPace      = 2 * time.Second // of scrapes and rules, as in the demo
	leadAfter     = time.Minute
	ticketWait    = time.Minute // groupWait of the agreement's tickets
	failoverSlots = 3           // 6s, in slots of the pace
	slotWindow    = 60.0        // seconds that the state of a probed component is read from
	wholePage     = "checkout/paying page"
)

// providers is the demo's shop, served, with a real Alertmanager behind it.
type providers struct {
	server       prometheus
	alertmanager string // address
	config       string // of Alertmanager
	desk         *desk
	at           map[string]time.Time // "receiver service/slo severity escalation": when it was first sent
}

// TestComposite shows from the outside who is sent what when the components of a
// composite fail: one of two alone, and both.
func TestComposite(t *testing.T) {
	t.Parallel() // it mostly waits
	w := startProviders(t)
	begun := time.Now()

	// One provider alone: six bad seconds, no page.
	await(t, 2*time.Minute, "the first provider has been down alone, and is well again", func() error {
		w.look()
		return w.sawDown("psp-a/availability", 15)
	})
	late := w.checkSlots(t)
	if at, told := w.first(wholePage); told && late == 0 {
		t.Errorf("the composite's page was told %s after the start, with one provider down alone", at.Sub(begun))
	}

	// Both: the page names them, their own alerts are held back.
	await(t, 2*time.Minute, "the composite's page is told", func() error {
		if w.look(); !w.told("upheld-demo-shop/on-call " + wholePage + " ") {
			return fmt.Errorf("told so far: %v", w.at)
		}
		return nil
	})
	w.checkPage(t)
	w.checkEscalation(t)
	w.checkHeldBack(t)
	w.checkSlots(t)
	w.checkBlame(t)
	for key := range w.at {
		// On a busy machine answers do take longer than they should.
		if !strings.Contains(key, "checkout/paying") && !strings.Contains(key, "response-time") && !strings.Contains(key, "payments/latency") && !strings.Contains(key, "psp-") {
			t.Errorf("told of what is well: %s", key)
		}
	}
	checkRouting(t, w.config)
	t.Logf("told: %v", w.at)
}

func startProviders(t *testing.T) *providers {
	const install = "install the package prometheus-alertmanager"
	alertmanager := program(t, "prometheus-alertmanager", install)
	built, dir := build(t), t.TempDir()
	w := &providers{desk: newDesk(t), alertmanager: freeAddress(t), at: map[string]time.Time{}}
	text := example.Spec
	for _, e := range edits {
		if strings.Count(text, e.from) < 1 {
			t.Fatalf("the demo's agreement does not have %q any more", e.from)
		}
	}
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	edited := func(text string) string {
		whole := strings.LastIndex(text, edits[2].from) // of several levels with that target the composite is the last
		text = text[:whole] + edits[2].to + text[whole+len(edits[2].from):]
		for _, e := range edits[:2] {
			text = strings.Replace(text, e.from, e.to, 1)
		}
		return text
	}
	generated := filepath.Join(dir, "generated")
	run(t, ".", built.upheld, "generate", put("generated-from.yaml", edited(text)), "-o", generated)
	w.config = startAlertmanager(t, alertmanager, generated, w.alertmanager, w.desk)

	shop, err := demo.Start(providersFail, func(elapsed time.Duration, words string) { t.Logf("%s %s", elapsed, words) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shop.Close(); err != nil {
			t.Error(err)
		}
	})
	scrape := fmt.Sprintf("scrape_configs:\n  - {job_name: payments, scrape_interval: %s, scrape_timeout: %[1]s, static_configs: [{targets: [%q]}]}\n", shopPace, shop.Addresses[demo.Payments])
	w.server.address = freeAddress(t)
	p := start(t, "upheld serve", built.upheld, "serve", put("shop.yaml", edited(example.SpecAt(shop.Addresses))),
		"--web.listen-address="+w.server.address, "--storage.path="+filepath.Join(dir, "data"), "--scrape.config.file="+put("scrape.yaml", scrape),
		"--scrape.interval="+shopPace.String(), "--rules.interval="+shopPace.String(), "--alertmanager.url=http://"+w.alertmanager)
	awaitReady(t, p, w.server.address)
	return w
}

// look notes what was sent for the first time.
func (w *providers) look() {
	for _, n := range w.desk.received() {
		for _, a := range n.Alerts {
			key := strings.Join([]string{n.Receiver, level(a.Labels), a.Labels["severity"], a.Labels["escalation"]}, " ")
			if !w.told(key) {
				w.at[key] = time.Now()
			}
		}
	}
}

func (w *providers) told(key string) bool { return !w.at[key].IsZero() }

// first is when anything whose key contains a text was first sent.
func (w *providers) first(part string) (time.Time, bool) {
	for key, at := range w.at {
		if strings.Contains(key, part) {
			return at, true
		}
	}
	return time.Time{}, false
}

// checkPage holds the page to naming those components that are down, and no other.
func (w *providers) checkPage(t *testing.T) {
	t.Helper()
	for _, n := range w.desk.received() {
		for _, a := range n.Alerts {
			if level(a.Labels)+" "+a.Labels["severity"] != wholePage || a.Labels["escalation"] != "" {
				continue
			}
			words := a.Annotations["components_down"]
			for _, want := range []string{"psp-a/availability is down since ", "psp-b/availability is down since "} {
				if strings.Count(words, want) != 1 {
					t.Errorf("the page says %q", words)
				}
			}
			if strings.Contains(words, "storefront") {
				t.Errorf("the page blames the storefront: %q", words)
			}
			return
		}
	}
	t.Error("no page")
}

// checkEscalation awaits the step, at its own receiver, and holds it to its delay.
func (w *providers) checkEscalation(t *testing.T) {
	t.Helper()
	const step = "upheld-demo-shop/lead " + wholePage + " 1m"
	await(t, 2*time.Minute, "the lead is told", func() error {
		if w.look(); !w.told(step) {
			return fmt.Errorf("told so far: %v", w.at)
		}
		return nil
	})
	fired := map[string]time.Time{} // by severity: the pages
	for _, n := range w.desk.received() {
		for _, a := range n.Alerts {
			if level(a.Labels) == "checkout/paying" && a.Labels["severity"] == "page" && a.Labels["escalation"] == "" {
				fired[a.Labels["severity"]] = a.StartsAt
			}
		}
	}
	for _, n := range w.desk.received() {
		for _, a := range n.Alerts {
			if (n.Receiver == "upheld-demo-shop/lead") != (a.Labels["escalation"] == "1m") {
				t.Errorf("%s was told of the step %q", n.Receiver, a.Labels["escalation"])
			}
			if a.Labels["escalation"] == "" {
				continue
			}
			begun, known := fired[a.Labels["severity"]]
			if waited := a.StartsAt.Sub(begun); !known || waited < leadAfter || waited > leadAfter+5*shopPace {
				t.Errorf("the step of %s came %s after its page", a.Labels["severity"], waited)
			}
		}
	}
	// Told at once when it is due, though another step of the level may be held back.
	for _, begun := range fired {
		if late := w.at[step].Sub(begun); late >= leadAfter && late < leadAfter+15*time.Second {
			return
		}
	}
	t.Errorf("the lead was told at %s, of pages that fire since %v", w.at[step], fired)
}

// checkHeldBack waits for as long as alerts of the components wait to be sent, and
// wants none of them to have begun while the composite's page fires: what was
// down alone before that may have been sent.
func (w *providers) checkHeldBack(t *testing.T) {
	t.Helper()
	paged, _ := w.first(wholePage)
	await(t, 3*time.Minute, "tiers of both providers have burnt for longer than their alerts wait", func() error {
		w.look()
		for _, service := range []string{"psp-a", "psp-b"} {
			burnt, err := w.server.query(fmt.Sprintf(`sla:burn_tier:ratio{service=%q} and on (service) (sla:burn_tier:ratio offset %s)`, service, ticketWait+30*time.Second))
			if err != nil || len(burnt) == 0 {
				return fmt.Errorf("no tier of %s has yet: %w", service, err)
			}
		}
		return nil
	})
	for _, n := range w.desk.received() {
		for _, a := range n.Alerts {
			if strings.HasPrefix(a.Labels["service"], "psp-") && a.StartsAt.After(paged) {
				t.Errorf("%v began at %s, after the composite's page at %s", a.Labels, a.StartsAt, paged)
			}
			if a.Labels["service"] == "psp-b" {
				t.Errorf("told though it only failed with the composite: %v", a.Labels)
			}
		}
	}
}

// sawDown is an error until a component has been down for some slots and is up
// again.
func (w *providers) sawDown(component string, slots int) error {
	states, err := w.server.raw(fmt.Sprintf(`sla:component:bad{service="checkout",component=%q}`, component), "10m")
	if err != nil {
		return err
	}
	if len(states) != 1 {
		return errors.New("its state is not known yet")
	}
	down := 0
	for _, v := range states[0].value {
		down += int(v)
	}
	if last := states[0].value[len(states[0].value)-1]; down < slots || last != 0 {
		return fmt.Errorf("it was down for %d slots, and is %v", down, last)
	}
	return nil
}

// checkRouting has amtool say where alerts go, against a table that is written
// from the agreement's words.
func checkRouting(t *testing.T, config string) {
	t.Helper()
	amtool := program(t, root+"/bin/tools/amtool", "run make prometheus-tools")
	const (
		onCall, lead, desk = "upheld-demo-shop/on-call", "upheld-demo-shop/lead", "upheld-demo-shop/desk"
		ticket             = "upheld-ticket" // also whatever is not of these agreements
	)
	for labels, want := range map[string]string{
		// the composite: pages to the one on call, after a while to the lead; tickets to the desk
		"alertname=SLABudgetBurn sla=demo-shop service=checkout slo=paying severity=page":                     onCall,
		"alertname=SLABudgetBurn sla=demo-shop service=checkout slo=paying severity=page escalation=1m":       lead,
		"alertname=SLABudgetBurn sla=demo-shop service=checkout slo=paying severity=ticket":                   desk,
		"alertname=SLABudgetExhausted sla=demo-shop service=checkout slo=paying severity=ticket":              desk,
		"alertname=SLACompositeDivergence sla=demo-shop service=checkout slo=paying severity=ticket":          desk,
		"alertname=SLABudgetBurn sla=demo-shop service=checkout slo=paying severity=page team=x unheard-of=y": onCall,
		// components: where they go is no question of what holds them back
		"alertname=SLABudgetBurn sla=demo-shop service=psp-a slo=availability severity=ticket inhibited_by=demo-shop:checkout/paying composite=demo-shop:checkout/paying": desk,
		"alertname=SLABudgetBurn sla=demo-shop service=storefront slo=availability severity=page inhibited_by=demo-shop:checkout/paying":                                  onCall,
		"alertname=SLABudgetBurn sla=demo-shop service=storefront slo=availability severity=page escalation=1m inhibited_by=demo-shop:checkout/paying":                    lead,
		"alertname=SLAMeasurementLost sla=demo-shop service=psp-b slo=availability severity=page":                                                                         onCall,
		// a level of the agreement that these rules do not have
		"alertname=SLABudgetBurn sla=demo-shop service=new slo=availability severity=page": onCall,
		// a severity that no step names, and none at all: anyone who reads tickets
		"alertname=SLABudgetBurn sla=demo-shop service=checkout slo=paying severity=urgent": ticket,
		"alertname=SLABudgetBurn sla=demo-shop service=checkout slo=paying":                 ticket,
		// an agreement that the routes are not made for, and an alert of other rules
		"alertname=SLABudgetBurn sla=bank service=checkout slo=paying severity=page":        ticket,
		"alertname=SLABudgetBurn sla=demo-shop-2 service=checkout slo=paying severity=page": ticket,
		"alertname=HandWritten sla=demo-shop service=checkout slo=paying severity=page":     ticket,
		// no agreement
		"alertname=DiskFull severity=page":                                       ticket,
		"alertname=SLABudgetBurn service=checkout slo=paying severity=page":      ticket,
		"alertname=DiskFull severity=page escalation=1m service=checkout team=x": ticket,
	} {
		args := append([]string{"config", "routes", "test", "--config.file=" + config}, strings.Fields(labels)...)
		lines := strings.Split(strings.TrimSpace(run(t, ".", amtool, args...)), "\n") // a warning may come first
		got := strings.Split(lines[len(lines)-1], ",")
		slices.Sort(got)
		if !slices.Equal(slices.Compact(got), []string{want}) {
			t.Errorf("%s goes to %v, want %s", labels, got, want)
		}
	}
}
