package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// ascii replaces the spaces that keep numbers and units together.
func ascii(text string) string { return strings.NewReplacer(thin, " ", "\u00a0", " ").Replace(text) }

func TestCountsHaveNoNegativeZero(t *testing.T) {
	for _, n := range []float64{0, -1e-12, 1e-12, -0.001} {
		if got := count(n, false); got != "0" {
			t.Errorf("%v is shown as %q", n, got)
		}
	}
}

func TestACalendarPeriodIsNotTheLastOne(t *testing.T) {
	for want, p := range map[string]sla.Period{
		"the last 30 d": {Rolling: 30 * 24 * time.Hour}, "a calendar month (Europe/Berlin)": {Calendar: sla.Month, Zone: "Europe/Berlin"},
	} {
		if got := ascii(overWords(p)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	s := sample()[0]
	s.Level.Period = sla.Period{Calendar: sla.Month}
	if body := get(t, handlerFor(t, fixed{levels: []LevelStatus{s}}), levelPath(s.Level.ID)).Body.String(); strings.Contains(body, "the last a calendar") {
		t.Error(`the page says "the last a calendar month"`)
	}
}

// Times are those of the agreement's zone, with UTC in their titles.
func TestTimesAreInTheZoneOfTheAgreement(t *testing.T) {
	s := sample()[0]
	s.Agreement.Zone = "Europe/Berlin"
	s.Since = noon.Add(-4 * time.Second)
	for _, path := range []string{"/", levelPath(s.Level.ID), "/alerts", agreementPath("shop")} {
		body := get(t, handlerFor(t, fixed{levels: []LevelStatus{s}}), path).Body.String()
		if !strings.Contains(body, `title="2026-03-14 12:00:00 UTC">13:00:00 CET</time>`) {
			t.Errorf("%s is not as of 13:00:00 CET", path)
		}
	}
	body := get(t, handlerFor(t, fixed{levels: []LevelStatus{s}}), levelPath(s.Level.ID)).Body.String()
	if !strings.Contains(body, `Down since <time datetime="2026-03-14T11:59:56Z" title="2026-03-14 11:59:56 UTC">12:59:56 CET</time>`) {
		t.Error("the level is not down since 12:59:56 CET")
	}
}

// While a level is down the page does not say that its target is met, without saying that it
// is down; and it says of when its figures are.
func TestATargetIsNotMetWithoutQualificationDuringAnOutage(t *testing.T) {
	s := sample()[0]
	s.Achieved, s.BudgetRemaining, s.AsOf = Known(1), Known(1), noon.Add(-20*time.Second)
	for _, path := range []string{"/", levelPath(s.Level.ID), agreementPath("shop")} {
		body := get(t, handlerFor(t, fixed{levels: []LevelStatus{s}}), path).Body.String()
		if !strings.Contains(body, "Target met so far, and it is down now") || strings.Contains(body, "Target met so far</span>") {
			t.Errorf("%s says that the target is met", path)
		}
		if path != agreementPath("shop") && !strings.Contains(body, "as of\u00a0<time datetime=\"2026-03-14T11:59:40Z\"") {
			t.Errorf("%s does not say of when its figures are", path)
		}
	}
}

// One vocabulary: what is down, what misses its target and what fires are counted by the
// words that the levels themselves have.
func TestTheSummaryUsesTheWordsOfTheLevels(t *testing.T) {
	var got []string
	for _, m := range summaryOf(sample()) {
		got = append(got, m.Word)
	}
	want := "1 down; 1 unknown; 2 up; 2 targets missed; 2 alerts firing, 1 of them a page"
	if words := strings.Join(got, "; "); words != want {
		t.Errorf("got %s\nwant %s", words, want)
	}
	hours := sample()[1]
	hours.State = sla.StateOutOfHours
	body := get(t, handlerFor(t, fixed{levels: []LevelStatus{hours}}), "/").Body.String()
	if !strings.Contains(body, "Out of hours") || strings.Contains(body, "Failing") || strings.Contains(body, "Needs attention") {
		t.Error("a level outside its hours needs attention")
	}
}

func TestEventsThatNothingScrapesAreNamed(t *testing.T) {
	s := sample()[2]
	s.Achieved, s.State, s.NoSeries = Figure{}, sla.StateUnknown, []string{`http_requests_total{job="payments"}`}
	for _, path := range []string{"/", levelPath(s.Level.ID)} {
		body := get(t, handlerFor(t, fixed{levels: []LevelStatus{s}}), path).Body.String()
		if !strings.Contains(body, `No series match <code>http_requests_total{job=&#34;payments&#34;}</code>`) || !strings.Contains(body, "--scrape.config.file") {
			t.Errorf("%s does not say what no series match", path)
		}
	}
}

func TestAgreementsAreDescribed(t *testing.T) {
	s := sample()[0]
	s.Agreement.Description = "A shop, <as> its customers meet it"
	s.Agreement.Terms = sla.Terms{Customers: []string{"ACME"}, NotIncluded: []string{"Beta features"}}
	h := handlerFor(t, fixed{levels: []LevelStatus{s}})
	for _, path := range []string{"/", agreementPath("shop")} {
		if body := get(t, h, path).Body.String(); !strings.Contains(body, "A shop, &lt;as&gt; its customers meet it") {
			t.Errorf("%s does not describe the agreement", path)
		}
	}
	body := ascii(get(t, h, agreementPath("shop")).Body.String())
	for _, want := range []string{"The shop answers its customers", "99.9 % over the last 30 d", "which allows 43 min 12 s of outage", "at all times", "ACME", "Beta features"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page of the agreement does not say %q", want)
		}
	}
	if w := get(t, h, "/agreement/none"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "There is no agreement none.") {
		t.Errorf("an agreement that there is not: %d", w.Code)
	}
}

func TestAlertsAndRulesHavePages(t *testing.T) {
	groups := []RuleGroup{
		{Name: "shop:storefront", Interval: time.Minute, Last: noon.Add(-3 * time.Second), Took: 2 * time.Millisecond, Rules: []Rule{
			{Name: "sla:bad:rate5m", Expr: "vector(1)", Problem: "found <duplicate> series"}, {Name: "SLABudgetBurn", Expr: "vector(2)", Alert: true, State: Firing},
		}},
		{Name: "shop:payments", Interval: time.Minute},
	}
	h := handlerFor(t, fixed{levels: sample(), groups: groups})
	alerts := get(t, h, "/alerts").Body.String()
	for _, want := range []string{"2 alerts firing, 1 of them a page", `href="/level/shop/storefront/availability#alerts"`, "Pending"} {
		if !strings.Contains(alerts, want) {
			t.Errorf("the page of alerts does not say %q", want)
		}
	}
	if page, ticket := strings.Index(alerts, `data-name="Severity">page`), strings.Index(alerts, `data-name="Severity">ticket`); page < 0 || ticket < page {
		t.Error("tickets are before pages")
	}
	rules := get(t, h, "/rules").Body.String()
	for _, want := range []string{"of which 1 failed", "found &lt;duplicate&gt; series", "SLABudgetBurn", "1 failed", "evaluated 3"} {
		if !strings.Contains(rules, want) {
			t.Errorf("the page of rules does not say %q", want)
		}
	}
	if found := get(t, h, "/rules?q=budgetburn").Body.String(); strings.Contains(found, "sla:bad:rate5m") || !strings.Contains(found, "vector(2)") {
		t.Error("the search does not find the one rule")
	}
	for _, path := range []string{"/", "/alerts"} {
		if body := get(t, h, path).Body.String(); strings.Contains(body[:strings.Index(body, "<main")], "/api/v1/") {
			t.Errorf("the navigation of %s leads to raw data", path)
		}
	}
}

func TestFilterWorksByAddress(t *testing.T) {
	h := handlerFor(t, fixed{levels: sample()})
	for query, want := range map[string][]string{
		"?q=STOREFRONT":             {"availability", "response-time"},
		"?q=shop+answers":           {"availability"},
		"?state=up":                 {"response-time", "errors"},
		"?state=down&q=payments":    {},
		"?state=alerting":           {"availability"},
		"?state=nonsense":           {},
		"?agreement=shop&state=":    {"availability", "response-time", "errors", "queue"},
		"?agreement=other":          {},
		"?q=%22%3E%3Cscript%3Ealer": {},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+query, nil))
		body := w.Body.String()
		for _, name := range []string{"availability", "response-time", "errors", "queue"} {
			shown := strings.Contains(body, `id="shop_storefront_`+name+`"`) || strings.Contains(body, `id="shop_payments_`+name+`"`) || strings.Contains(body, `id="shop_orders_`+name+`"`)
			wanted := strings.Contains(" "+strings.Join(want, " ")+" ", " "+name+" ")
			if shown != wanted {
				t.Errorf("%s: %s is shown: %v", query, name, shown)
			}
		}
		if strings.Contains(body, "<script>alert") {
			t.Errorf("%s injects", query)
		}
	}
}

func TestTheWorstComesFirst(t *testing.T) {
	levels := sample()
	slow := levels[1]
	slow.Level, slow.State = level("z", "degraded", "99", httpProbe()), sla.StateDegraded
	body := get(t, handlerFor(t, fixed{levels: []LevelStatus{levels[3], levels[2], slow, levels[1], levels[0]}}), "/").Body.String()
	last := -1
	for _, id := range []string{"shop_storefront_availability", "shop_z_degraded", "shop_payments_errors", "shop_orders_queue", "shop_storefront_response-time"} {
		at := strings.Index(body, `id="`+id+`"`)
		if at < last {
			t.Errorf("%s is at %d, what is less bad at %d", id, at, last)
		}
		last = at
	}
}

// The tab says how much is down before anybody opens it.
func TestTheTitleCountsWhatIsDown(t *testing.T) {
	h := handlerFor(t, fixed{levels: sample()})
	for path, want := range map[string]string{
		"/": "(1 down) Service levels", "/alerts": "(1 down) Alerts", "/level/shop/storefront/availability": "(1 down) storefront / availability",
		"/level/shop/payments/errors": "payments / errors",
	} {
		if body := get(t, h, path).Body.String(); !strings.Contains(body, "<title>"+want+" · Upheld</title>") {
			t.Errorf("%s has not the title %q", path, want)
		}
	}
}

// The sentence on top says what is down, since when, which components are the cause and why,
// and what is spent.
func TestHeadline(t *testing.T) {
	source := composed(t)
	whole, web := &source.levels[0], &source.levels[1]
	whole.Since, whole.Level.Impact = noon.Add(-4*time.Minute), "Nobody can pay"
	web.Since = whole.Since
	for i := range whole.Members {
		whole.Members[i].Failures = []Failure{{At: noon.Add(-time.Minute), Reason: "status", Detail: "HTTP 503"}}
	}
	h := newHeadline(source.levels, atNoon)
	if got, want := ascii(h.Before+h.Subject+h.Rest), "Nobody can pay since 11:56: web answers 503; 2 h 53 min of 3 h 36 min are spent."; got != want || h.Path != levelPath(whole.Level.ID) || h.Down != 2 {
		t.Errorf("got  %s (%+v)\nwant %s", got, h, want)
	}
	levels := sample()
	if h := newHeadline(levels[1:3], atNoon); ascii(h.Rest) != "Nothing is down, but the budget of payments/errors is spent." {
		t.Errorf("%+v", h)
	}
	if h := newHeadline(levels[1:], atNoon); h.Before+h.Subject+h.Rest != "Nobody knows how orders/queue is." {
		t.Errorf("%+v", h)
	}
}

// What an outage would cost is calculated from the budget and the tiers.
func TestWhatIf(t *testing.T) {
	s := sample()[1] // 99.5 % of 30 d allows 3 h 36 min
	v := newWhatIf(s, "10m", atNoon)
	if len(v.Rows) != 1 || ascii(v.Rows[0].Spends) != "4.63 %" || ascii(v.Rows[0].Leaves) != "81.5 %" || v.Rows[0].State.Word != "Fine" {
		t.Errorf("10m: %+v", v.Rows)
	}
	if fires := ascii(v.Rows[0].Fires); !strings.Contains(fires, "page after 6 min 49 s") && !strings.Contains(fires, "page after 6 min 48 s") {
		t.Errorf("10m fires %q", fires) // 14.4 x 0.005 of an hour is 259.2 s of outage, and 150 s until rates over 5m contain it
	}
	if v := newWhatIf(s, "1d", atNoon); ascii(v.Rows[0].Spends) != "667 %" || v.Rows[0].State.Word != "Spent" {
		t.Errorf("1d: %+v", v.Rows)
	}
	for _, wrong := range []string{"soon", "-5m", "0s", "900000000000000h", "<b>"} {
		if v := newWhatIf(s, wrong, atNoon); v.Problem == "" || len(v.Rows) == 0 {
			t.Errorf("%q: %+v", wrong, v)
		}
	}
	body := get(t, handlerFor(t, fixed{levels: []LevelStatus{s}}), levelPath(s.Level.ID)+"?outage=%22%3E%3Cscript%3E").Body.String()
	if strings.Contains(body, `"><script>`) {
		t.Error("what was asked for injects")
	}
}

// Days are judged by the target share and by what they cost, and their heights say it, too.
func TestDaysAreJudged(t *testing.T) {
	s := sample()[0]
	v := newDays(s)
	if want := "31 days up to today: 1 not measured, 27 nothing bad, 1 within the target share, 1 below the target share, 1 a tenth of the period's budget or more"; v.Words != want {
		t.Errorf("got %s\nwant %s", v.Words, want)
	}
	rows := v.withRows(s).Rows
	if len(rows) != 31 || ascii(rows[2].Bad) != "19 min 21 s" || rows[2].Date != "Thu 12 March 2026" || rows[27].Achieved != "" {
		t.Errorf("rows %+v", rows)
	}
}

// Outages have their causes, and what goes on has no end.
func TestOutagesAreListedWithTheirCauses(t *testing.T) {
	s := sample()[0]
	body := ascii(get(t, handlerFor(t, fixed{levels: []LevelStatus{s}}), levelPath(s.Level.ID)).Body.String())
	for _, want := range []string{"goes on", "20 min", "status (78×), connect timeout (2×)", "not recorded", "Budget through the period", "processing 6 ms", "missed: overload"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}
