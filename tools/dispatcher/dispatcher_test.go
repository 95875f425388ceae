package dispatcher

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"github.com/upheld-sla/upheld/internal/routing"
)

// notes are the notifications that a receiver got.
type notes struct {
	mu   sync.Mutex
	all  []string
	from time.Time
}

func (n *notes) add(at time.Time, receiver, kind string, firing, resolved []map[string]string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, fmt.Sprintf("%10s %s %s firing %s resolved %s", at.Sub(n.from), receiver, kind, names(firing), names(resolved)))
}

func (n *notes) sorted() string {
	slices.Sort(n.all)
	return strings.Join(n.all, "\n")
}

func names(all []map[string]string) string {
	var out []string
	for _, l := range all {
		var pairs []string
		for _, k := range slices.Sorted(maps.Keys(l)) {
			pairs = append(pairs, k+"="+l[k])
		}
		out = append(out, strings.Join(pairs, ","))
	}
	slices.Sort(out)
	return fmt.Sprint(out)
}

// notifier is an integration that notes what it is given.
type notifier struct {
	notes          *notes
	receiver, kind string
	resolved       bool
}

func (n notifier) SendResolved() bool { return n.resolved }

func (n notifier) Notify(_ context.Context, alerts ...*alert.Alert) (bool, error) {
	var firing, resolved []map[string]string
	for _, a := range alerts {
		l := map[string]string{}
		for k, v := range a.Labels {
			l[string(k)] = string(v)
		}
		if a.Resolved() {
			resolved = append(resolved, l)
		} else {
			firing = append(firing, l)
		}
	}
	n.notes.add(time.Now(), n.receiver, n.kind, firing, resolved)
	return false, nil
}

// alertmanagers are the notifications of Alertmanager's own parts, in a bubble of time.
func alertmanagers(t *testing.T, text string, received []routing.Received, until time.Time) (got string) {
	synctest.Test(t, func(t *testing.T) {
		cfg, err := config.Load(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		began := time.Now() // synctest's midnight of 2000-01-01
		n := &notes{from: began}
		logger, recorder, registry, flags := slog.New(slog.NewTextHandler(io.Discard, nil)), eventrecorder.NopRecorder(), prometheus.NewRegistry(), featurecontrol.NoopFlags{}
		ctx, cancel := context.WithCancel(t.Context())
		alerts, err := mem.NewAlerts(ctx, 30*time.Minute, 0, nil, logger, recorder, registry, flags)
		fail(t, err)
		silences, err := silence.New(silence.Options{Retention: time.Hour, Metrics: registry, Logger: logger, EventRecorder: recorder})
		fail(t, err)
		log, err := nflog.New(nflog.Options{Retention: 120 * time.Hour, Metrics: registry, Logger: logger})
		fail(t, err)
		integrations := map[string][]notify.Integration{}
		for _, r := range cfg.Receivers {
			add := func(kind string, nth int, sends bool) {
				integrations[r.Name] = append(integrations[r.Name], notify.NewIntegration(notifier{n, r.Name, kind, sends}, notifier{resolved: sends}, kind, nth, r.Name))
			}
			for i, w := range r.WebhookConfigs {
				add("webhook", i, w.SendResolved())
			}
			for i, w := range r.SlackConfigs {
				add("slack", i, w.SendResolved())
			}
		}
		times := map[string][]timeinterval.TimeInterval{}
		for _, ti := range cfg.TimeIntervals {
			times[ti.Name] = ti.TimeIntervals
		}
		inhibitor := inhibit.NewInhibitor(alerts, cfg.InhibitRules, logger, recorder)
		groups := marker.NewGroupMarker()
		pipeline := notify.NewPipelineBuilder(registry, flags, recorder).New(integrations, func() time.Duration { return 0 },
			inhibitor, silence.NewSilencer(silences, logger, recorder), timeinterval.NewIntervener(times), groups, log, nil)
		d := dispatch.NewDispatcher(alerts, dispatch.NewRoute(cfg.Route, nil), pipeline, groups, func(d time.Duration) time.Duration { return d },
			30*time.Second, nil, logger, recorder, dispatch.NewDispatcherMetrics(false, prometheus.NewRegistry(), flags), nil)
		stop := make(chan struct{})
		go log.Maintenance(10*time.Second, "", stop, nil) // a server does it each quarter of an hour
		go inhibitor.Run()
		inhibitor.WaitForLoading()
		go d.Run(began)
		d.WaitForLoading()
		synctest.Wait()
		for _, r := range received {
			time.Sleep(time.Until(r.At))
			l := model.LabelSet{}
			for k, v := range r.Labels {
				l[model.LabelName(k)] = model.LabelValue(v)
			}
			fail(t, alerts.Put(ctx, &alert.Alert{Alert: model.Alert{Labels: l, StartsAt: r.StartsAt, EndsAt: r.EndsAt}, UpdatedAt: time.Now()}))
			synctest.Wait()
		}
		time.Sleep(time.Until(until))
		synctest.Wait()
		close(stop)
		d.Stop()
		inhibitor.Stop()
		alerts.Close()
		cancel()
		got = n.sorted()
	})
	return got
}

func fail(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// predicted are the same by internal/routing.
func predicted(t *testing.T, text string, received []routing.Received, until time.Time) string {
	c, err := routing.Read("alertmanager.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	n := &notes{from: start}
	for _, x := range c.Notifications(received, until) {
		n.add(x.At, x.Receiver, x.Kind, x.Firing, x.Resolved)
	}
	return n.sorted()
}

// start is when time begins in a bubble of synctest.
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// TestNotificationsAreAlertmanagersOwn draws configurations and alerts, and compares.
func TestNotificationsAreAlertmanagersOwn(t *testing.T) {
	compat.InitFromFlags(slog.New(slog.DiscardHandler), featurecontrol.NoopFlags{})
	sent := 0
	for seed := range uint64(400) {
		draw := rand.New(rand.NewPCG(seed, 1))
		text, received := drawConfig(draw), drawAlerts(draw)
		until := start.Add(14*time.Hour + 777*time.Microsecond)
		want, got := alertmanagers(t, text, received, until), predicted(t, text, received, until)
		sent += strings.Count(want, "\n")
		if got != want {
			t.Fatalf("seed %d, %s\nAlertmanager's dispatcher alone: %s\nrouting alone: %s", seed, text, less(want, got), less(got, want))
		}
	}
	if sent < 4000 {
		t.Errorf("only %d notifications were compared", sent)
	}
	t.Log(sent, "notifications")
}

// less are the lines of a text that another does not have.
func less(text, other string) string {
	lines := strings.Split(other, "\n")
	return strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return slices.Contains(lines, l) }), "\n  ")
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func drawConfig(r *rand.Rand) string {
	var b strings.Builder
	node := func(indent string) {
		fmt.Fprintf(&b, "%sgroup_wait: %s\n%sgroup_interval: %s\n%srepeat_interval: %s\n", indent, pick(r, "0s", "30s", "5m"), indent, pick(r, "1m", "5m", "17m"), indent, pick(r, "20m", "1h", "4h"))
		if by := pick(r, "", "[alertname]", "[severity, of]", "['...']", "[]"); by != "" {
			fmt.Fprintf(&b, "%sgroup_by: %s\n", indent, by)
		}
	}
	b.WriteString("route:\n  receiver: all\n")
	node("  ")
	b.WriteString("  routes:\n")
	// Routes with the same matchers share what they remember, and two that are looked at
	// at once race for it.
	matchers := []string{`severity="page"`, `severity=~"page|ticket"`, `of!="a"`, `alertname="A"`}
	r.Shuffle(len(matchers), func(i, j int) { matchers[i], matchers[j] = matchers[j], matchers[i] })
	for i := range 1 + r.IntN(3) {
		fmt.Fprintf(&b, "    - receiver: %s\n      matchers: ['%s']\n", pick(r, "page", "ticket"), matchers[i])
		if r.IntN(3) == 0 {
			b.WriteString("      continue: true\n")
		}
		if r.IntN(4) == 0 {
			fmt.Fprintf(&b, "      %s: [work]\n", pick(r, "active_time_intervals", "mute_time_intervals"))
		}
		if r.IntN(2) == 0 {
			node("      ")
		}
		if r.IntN(3) == 0 {
			fmt.Fprintf(&b, "      routes:\n        - {receiver: ticket, matchers: ['%s']}\n", pick(r, `of="a"`, `alertname="B"`))
		}
	}
	// Each target has one source: of several, Alertmanager 0.34 looks at the one that
	// would end last, even if that has just been resolved and another fires on; 0.25 looks
	// at all, as the documentation says and routing does.
	if r.IntN(2) == 0 {
		b.WriteString("inhibit_rules:\n" + pick(r,
			"  - {source_matchers: ['severity=\"page\"'], target_matchers: ['severity=\"ticket\"'], equal: [alertname, of]}\n",
			"  - {source_match: {of: a}, target_match_re: {of: \"b|c\"}, equal: [alertname, severity]}\n"))
	}
	fmt.Fprintf(&b, "time_intervals:\n  - name: work\n    time_intervals: [{times: [{start_time: '%s', end_time: '09:30'}]}]\n", pick(r, "02:00", "05:15"))
	b.WriteString("receivers:\n  - name: all\n    webhook_configs: [{url: 'http://127.0.0.1/'}]\n")
	fmt.Fprintf(&b, "  - name: page\n    webhook_configs: [{url: 'http://127.0.0.1/', send_resolved: %v}, {url: 'http://127.0.0.1/'}]\n", r.IntN(2) == 0)
	b.WriteString("  - name: ticket\n    slack_configs: [{api_url: 'http://127.0.0.1/', channel: x}]\n")
	return b.String()
}

// drawAlerts are episodes of some alerts over ten hours, and a server that is away
// for a while. No two are received at the same moment, nor when a group is looked at.
func drawAlerts(r *rand.Rand) []routing.Received {
	var all []routing.Received
	moment := time.Duration(1)
	awayFrom := time.Duration(r.IntN(600)) * time.Minute
	awayFor := time.Duration(r.IntN(40)) * time.Minute
	for _, name := range []string{"A", "B"} {
		for _, severity := range []string{"page", "ticket"} {
			for _, of := range []string{"a", "b"} {
				at := start.Add(time.Duration(r.IntN(240)) * time.Minute)
				for range r.IntN(3) {
					moment += time.Millisecond
					firing := at.Add(moment)
					resolved := firing.Add(time.Duration(1+r.IntN(pick(r, 5, 60, 300))) * time.Minute)
					e := routing.Alert{
						Labels: map[string]string{"alertname": name, "severity": severity, "of": of},
						Firing: firing, Resolved: resolved, Validity: 4 * time.Minute,
					}
					for at := firing; at.Before(resolved); at = at.Add(2 * time.Minute) {
						if since := at.Sub(start); since < awayFrom || since >= awayFrom+awayFor {
							e.Sent = append(e.Sent, at)
						}
					}
					e.Sent = append(e.Sent, resolved)
					all = append(all, e.Received()...)
					at = resolved.Add(time.Duration(1+r.IntN(90)) * time.Minute)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b routing.Received) int { return a.At.Compare(b.At) })
	for i := range all { // each at a moment of its own
		all[i].At = all[i].At.Add(time.Duration(i) * time.Microsecond)
	}
	return all
}
