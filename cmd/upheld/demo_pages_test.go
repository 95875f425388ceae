package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/browsertest"
	"github.com/upheld-sla/upheld/internal/demo"
	"github.com/upheld-sla/upheld/internal/serve"
	"github.com/upheld-sla/upheld/internal/testsize"
	"github.com/upheld-sla/upheld/sla"
)

// brokenForGood is a schedule of which nothing changes while a test looks: the order queue,
// on which no other level depends, refuses connections.
var brokenForGood = demo.Schedule{
	Cycle:  24 * time.Hour,
	Faults: []demo.Fault{{Service: demo.Orders, Effect: demo.Closed, From: time.Second, To: 24 * time.Hour, Words: "the order queue refuses connections"}},
}

// brokenLevel is the level that is down then.
const brokenLevel = "orders/accepting"

// nobodyPays is a schedule in which both payment providers answer 503, and with them the
// checkout is down.
var nobodyPays = demo.Schedule{Cycle: 24 * time.Hour, Faults: []demo.Fault{
	{Service: demo.ProviderA, Effect: demo.Down, From: time.Second, To: 24 * time.Hour, Words: "psp-a answers 503"},
	{Service: demo.ProviderB, Effect: demo.Down, From: time.Second, To: 24 * time.Hour, Words: "psp-b answers 503"},
}}

// stillDemo is the demo with such a schedule, on a past of 35 days, in this process.
func stillDemo(t *testing.T, schedule demo.Schedule) *demoProcess {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := runDemo(ctx, serve.Options{ListenAddress: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)}, schedule, 0, write)
		ended <- err
		write.CloseWithError(err)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewReader(read)
	p := &demoProcess{}
	for p.url == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the demo ended before it named its address: %v", err)
		}
		_, p.url, _ = strings.Cut(strings.TrimSpace(line), "Upheld is at ")
	}
	p.url = strings.TrimSuffix(p.url, "/")
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return p
}

// shown are the figures of a level as a page has them.
type shown struct {
	state, achieved, left, words string
}

var (
	htmlTags   = regexp.MustCompile(`<[^>]*>`)
	levelLinks = regexp.MustCompile(`<h3[^>]*><a href="/level/demo-shop/([^"]*)"`)
	stateMark  = regexp.MustCompile(`class="mark [a-z]*">(?s:.*?)</svg>([^<]*)</span>`)
	shownShare = regexp.MustCompile(`<strong[^>]*>([0-9.]+)\x{202f}%( over)?</strong>`)
	shownLeft  = regexp.MustCompile(`<span>([^<]* (?:of|more than the) [^<]*)</span>`)
)

// figuresIn are those of a card, or of the page of a level.
func figuresIn(html string) shown {
	var s shown
	if m := stateMark.FindStringSubmatch(html); m != nil {
		s.state = m[1]
	}
	under := func(titles ...string) string {
		for _, title := range titles {
			if _, below, found := strings.Cut(html, "<dt>"+title+"</dt>"); found {
				below, _, _ = strings.Cut(below, "</dd>")
				return below
			}
		}
		return ""
	}
	if m := shownShare.FindStringSubmatch(under("Achieved", "So far")); m != nil {
		s.achieved = m[1]
	}
	if m := shownShare.FindStringSubmatch(under("Error budget left")); m != nil {
		s.left = m[1]
		if m[2] != "" {
			s.left = "-" + m[1]
		}
	}
	if m := shownLeft.FindStringSubmatch(under("Error budget left", "So far")); m != nil {
		s.words = m[1]
	}
	return s
}

// shownBetween fails unless a figure in per cent is one of two shares, or between them, as far
// as its digits tell.
func shownBetween(t *testing.T, what, text string, a, b float64) {
	t.Helper()
	got, err := strconv.ParseFloat(text, 64)
	_, digits, _ := strings.Cut(text, ".")
	slack := math.Pow10(-len(digits)) * 1.001
	if low, high := 100*min(a, b)-slack, 100*max(a, b)+slack; err != nil || got < low || got > high {
		t.Errorf("%s is %q, and the API has %.6f to %.6f", what, text, 100*a, 100*b)
	}
}

// apiFigures are what the API has of each level.
type apiFigures struct{ state, bad, left map[string]float64 }

func (p *demoProcess) figures(t *testing.T) apiFigures {
	t.Helper()
	var f apiFigures
	for query, into := range map[string]*map[string]float64{
		"sla:service:state": &f.state, `sla:error:ratio_period{period="30d"}`: &f.bad, `sla:budget_remaining:ratio_period{period="30d"}`: &f.left,
	} {
		values, err := p.values(query)
		if err != nil {
			t.Fatal(err)
		}
		*into = values
	}
	return f
}

// budgets are what the levels by time may be bad in 30 days.
var budgets = map[string]time.Duration{
	"storefront/availability": 43*time.Minute + 12*time.Second, "storefront/response-time": 7*time.Hour + 12*time.Minute,
	"orders/accepting": 43*time.Minute + 12*time.Second, "checkout/paying": 3*time.Hour + 36*time.Minute,
	"psp-b/availability": 14*time.Hour + 24*time.Minute, "psp-a/availability": 14*time.Hour + 24*time.Minute,
}

// timeOf reads "29 min 9 s".
func timeOf(t *testing.T, text string) time.Duration {
	t.Helper()
	var sum time.Duration
	for _, m := range regexp.MustCompile(`([0-9]+)\x{202f}(d|h|min|s)`).FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(n) * map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour, "min": time.Minute, "s": time.Second}[m[2]]
	}
	return sum
}

// compare fails unless the figures of a page are those that the API had before and after.
func compare(t *testing.T, page, level string, s shown, before, after apiFigures) {
	t.Helper()
	if want, _ := sla.StateOf(after.state[level]); s.state != want.Words() {
		t.Errorf("%s: %s is %q, and the API has %s", page, level, s.state, want.Words())
	}
	if level == brokenLevel {
		return // it is down, and pages are ahead of what is recorded every ten seconds
	}
	shownBetween(t, page+": achieved of "+level, s.achieved, 1-before.bad[level], 1-after.bad[level])
	if s.left != "" {
		shownBetween(t, page+": budget left of "+level, s.left, before.left[level], after.left[level])
	}
	if budget, byTime := budgets[level]; byTime {
		left, _, _ := strings.Cut(s.words, " of ")
		fraction := float64(timeOf(t, left)) / float64(budget)
		slack := float64(time.Minute+time.Second) / float64(budget) // of hours no seconds are shown
		if low, high := min(before.left[level], after.left[level])-slack, max(before.left[level], after.left[level])+slack; fraction < low || fraction > high {
			t.Errorf("%s: of %s %q is left, and the API has %.4f to %.4f of it", page, level, s.words, before.left[level], after.left[level])
		}
	}
}

func (p *demoProcess) page(t *testing.T, path string) string {
	t.Helper()
	body, err := fetch(p.url + path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return body
}

// lookedAt are levels of each kind: one that is down, a latency, and a composite. In make
// ci-all a browser looks at the pages of all.
var lookedAt = []string{brokenLevel, "storefront/response-time", "checkout/paying"}

// Every page of the demo shows what the API has, and a browser has nothing to complain
// about any that it looks at.
func TestDemoPagesShowWhatTheAPIHas(t *testing.T) {
	testsize.Skip(t, "the figures of all pages of the demo")
	p := stillDemo(t, brokenForGood)
	eventually(t, time.Now().Add(10*time.Minute), "the order queue is down, all else up", func() error {
		states, err := p.values("sla:service:state")
		if err != nil || len(states) != 8 {
			return fmt.Errorf("%w: %v", err, states)
		}
		for level, state := range states {
			if want := map[bool]float64{true: float64(sla.StateDown.Code())}[level == brokenLevel]; state != want {
				return fmt.Errorf("%s is in state %g", level, state)
			}
		}
		return nil
	})
	levels := slices.Sorted(maps.Keys(p.figures(t).state))
	for path, name := range map[string]string{"/": "overview", "/agreement/demo-shop": "agreement"} {
		before := p.figures(t)
		html := p.page(t, path)
		after := p.figures(t)
		seen := 0
		found := levelLinks.FindAllStringSubmatchIndex(html, -1)
		for i, m := range found {
			end := len(html)
			if i+1 < len(found) {
				end = found[i+1][0]
			}
			seen++
			compare(t, name, html[m[2]:m[3]], figuresIn(html[m[0]:end]), before, after)
		}
		if seen != len(levels) {
			t.Errorf("%s shows %d levels of %d", name, seen, len(levels))
		}
	}
	paths := map[string]string{"overview": "/", "agreement": "/agreement/demo-shop", "months": "/agreement/demo-shop/months", "alerts": "/alerts", "rules": "/rules", "reports": "/reports"}
	for _, level := range levels {
		before := p.figures(t)
		html := p.page(t, "/level/demo-shop/"+level)
		compare(t, "the page of it", level, figuresIn(html), before, p.figures(t))
		paths["level-"+strings.ReplaceAll(level, "/", "-")] = "/level/demo-shop/" + level
	}
	p.compareBlame(t)
	p.compareAlertsAndRules(t)
	p.compareReport(t)
	p.compareOutages(t)
	t.Run("browser", func(t *testing.T) {
		browsertest.Require(t)
		args := []string{"--once"}
		for name, path := range paths {
			if level, ok := strings.CutPrefix(path, "/level/demo-shop/"); ok && !testsize.Every() && !slices.Contains(lookedAt, level) {
				continue
			}
			args = append(args, name+"="+p.url+path)
		}
		browsertest.Look(t, "look.mjs", args...)
	})
}

// The overview and the terminal say in the same words what is wrong and why. Both know what
// the providers answer.
func TestPageAndTerminalSayTheSame(t *testing.T) {
	testsize.Skip(t, "the sentence of the demo's overview and of the terminal")
	p := stillDemo(t, nobodyPays)
	headline := regexp.MustCompile(`(?s)<p class="headline [a-z]*">(.*?)</p>`)
	// They are asked one after the other, and the page counts what was bad since the last sum.
	figures := regexp.MustCompile(` since [0-9]+:[0-9]+|; .*? spent`)
	eventually(t, time.Now().Add(5*time.Minute), "both say that the providers answer 503", func() error {
		m := headline.FindStringSubmatch(p.page(t, "/"))
		if m == nil {
			return errors.New("the overview has no sentence")
		}
		page := html.UnescapeString(htmlTags.ReplaceAllString(m[1], ""))
		var out, problems strings.Builder
		if code := run([]string{"status", "--prometheus.url=" + p.url, "--format=json"}, &out, &problems); code != 0 {
			return fmt.Errorf("status exits with %d: %s", code, problems.String())
		}
		var terminal struct{ Sentence string }
		if err := json.Unmarshal([]byte(out.String()), &terminal); err != nil {
			return err
		}
		words := func(s string) string { return figures.ReplaceAllString(strings.ReplaceAll(s, "\u202f", " "), "") }
		if a, b := words(page), words(terminal.Sentence); a != b || !strings.Contains(a, ": psp-a and psp-b answer 503") {
			return fmt.Errorf("the page says %q\nand the terminal %q", page, terminal.Sentence)
		}
		return nil
	})
}

// compareBlame compares what the components of the checkout have spent.
func (p *demoProcess) compareBlame(t *testing.T) {
	t.Helper()
	blame := func() map[string]float64 {
		spent := map[string]float64{}
		for _, component := range []string{"psp-a", "psp-b", "storefront"} {
			values, err := p.values(fmt.Sprintf(`sum by (service, slo) (sla:blame:budget_ratio_period{service="checkout",period="30d",component=~"%s/.*"})`, component))
			if err != nil {
				t.Fatal(err)
			}
			spent[component] = values["checkout/paying"]
		}
		return spent
	}
	before := blame()
	html := p.page(t, "/level/demo-shop/checkout/paying")
	after := blame()
	for component := range before {
		m := regexp.MustCompile(`(?s)` + component + `/availability</a></strong>.*?<span>([0-9.]+)\x{202f}% of the budget spent`).FindStringSubmatch(html)
		if m == nil {
			t.Errorf("the tree does not say what %s has spent", component)
			continue
		}
		shownBetween(t, "what "+component+" has spent", m[1], before[component], after[component])
	}
}

// compareAlertsAndRules compares how many there are.
func (p *demoProcess) compareAlertsAndRules(t *testing.T) {
	t.Helper()
	var alerts struct {
		Data struct {
			Alerts []struct{ Labels map[string]string }
		}
	}
	count := func() int {
		if err := json.Unmarshal([]byte(p.page(t, "/api/v1/alerts")), &alerts); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, a := range alerts.Data.Alerts {
			if a.Labels["escalation"] == "" { // else it is the same alert, escalated
				n++
			}
		}
		return n
	}
	before := count()
	rows := strings.Count(p.page(t, "/alerts"), `<td data-name="Alert">`)
	if after := count(); rows < min(before, after) || rows > max(before, after) {
		t.Errorf("the page has %d alerts, and the API %d to %d", rows, before, after)
	}
	var rules struct {
		Data struct{ Groups []struct{ Rules []any } }
	}
	if err := json.Unmarshal([]byte(p.page(t, "/api/v1/rules")), &rules); err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, g := range rules.Data.Groups {
		want += len(g.Rules)
	}
	if html := p.page(t, "/rules"); !strings.Contains(html, fmt.Sprintf("%d rules, all of them evaluated without an error", want)) {
		t.Errorf("the page of rules does not say that there are %d, all well", want)
	}
}

// compareReport compares the page of reports with the report that it links.
func (p *demoProcess) compareReport(t *testing.T) {
	t.Helper()
	html := p.page(t, "/reports")
	m := regexp.MustCompile(`href="(/reports/file/[^"]*\.json)"`).FindStringSubmatch(html)
	if m == nil {
		t.Fatal("no closed period is listed")
	}
	var report struct {
		Credit struct{ Amount string }
		Levels []struct{ Service, SLO, Achieved, Verdict string }
	}
	if err := json.Unmarshal([]byte(p.page(t, m[1])), &report); err != nil {
		t.Fatal(err)
	}
	for _, l := range report.Levels {
		rows := regexp.MustCompile(`<th scope="row" class="text">`+l.Service+"/"+l.SLO+`</th>.*`).FindAllString(html, -1)
		if len(rows) == 0 {
			t.Errorf("the page has no row of %s/%s", l.Service, l.SLO)
			continue
		}
		row := rows[len(rows)-1] // the closed period is the last
		achieved := shownShare.FindStringSubmatch(row)
		if achieved == nil || !strings.HasPrefix(l.Achieved, achieved[1]) || !strings.EqualFold(stateMark.FindStringSubmatch(row)[1], l.Verdict) {
			t.Errorf("%s/%s: the page has %s, and the report %s, %s", l.Service, l.SLO, htmlTags.ReplaceAllString(row, " "), l.Achieved, l.Verdict)
		}
	}
	if len(report.Levels) == 0 || !strings.Contains(html, "Credit: <strong>"+report.Credit.Amount) {
		t.Errorf("the page does not have the credit of %s", report.Credit.Amount)
	}
}

// compareOutages compares the times of outages with those on the status page.
func (p *demoProcess) compareOutages(t *testing.T) {
	t.Helper()
	var public struct {
		Outages []struct {
			Component  string
			Start, End time.Time
		}
	}
	eventually(t, time.Now().Add(10*time.Minute), "the status page is rendered", func() error {
		body, err := fetch(p.url + "/status/demo-shop/status.json")
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(body), &public)
	})
	pages := map[string]string{"Shop": "storefront/availability", "Payment": "checkout/paying", "Orders": "orders/accepting"}
	compared := 0
	for _, o := range public.Outages {
		if time.Since(o.Start) > 29*24*time.Hour || o.End.IsZero() {
			continue // the page of a level shows its period
		}
		compared++
		html := p.page(t, "/level/demo-shop/"+pages[o.Component])
		want := `(?s)datetime="` + o.Start.UTC().Format(time.RFC3339) + `"[^<]*>[^<]*</time></th><td data-name="To"><time datetime="` + o.End.UTC().Format(time.RFC3339) + `"`
		if !regexp.MustCompile(want).MatchString(html) {
			t.Errorf("the outage of %s from %s to %s is not on the page of %s", o.Component, o.Start, o.End, pages[o.Component])
		}
	}
	if compared == 0 {
		t.Errorf("no outage was compared: %+v", public.Outages)
	}
}
