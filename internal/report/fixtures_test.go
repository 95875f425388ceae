package report

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// The fixtures are reports as months really look: what they say is made up by hand, and
// adds up.

func at(t *testing.T, zone, text string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	when, err := time.ParseInLocation("2006-01-02 15:04:05", text, loc)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

const berlin = "Europe/Berlin"

// october is the month of the shop: a whole month in Berlin, with a change of the clock,
// so of 2,682,000 seconds.
func october(t *testing.T) *verdict.Report {
	start, end := at(t, berlin, "2026-10-01 00:00:00"), at(t, berlin, "2026-11-01 00:00:00")
	return &verdict.Report{
		Format: verdict.ReportFormat, Agreement: "shop", Description: "Webshop of Bücher Müller", Version: 1,
		Provider: "Example Hosting GmbH", Customer: "Bücher Müller KG",
		Period:  verdict.ReportPeriod{Name: "2026-10", Start: start, End: end, Zone: berlin, Until: end},
		Spec:    verdict.Document{SHA256: strings.Repeat("3f", 32)},
		Inputs:  verdict.Document{SHA256: strings.Repeat("a7", 32)},
		Sources: []string{"https://prometheus.example:9090"},
		Verdict: verdict.Met, Summary: "Met: the shop was available 99.954 % of agreed time in October 2026; 99.9 % was promised.",
		Levels: []verdict.Level{availability(t), responseTime(t), checkoutErrors(t)},
		Exclusions: []verdict.Exclusion{
			{
				Name: "patch-night", Category: "maintenance", Effect: "treat_as_up", Seconds: "1260", CapLeft: "13140",
				Spans:    []verdict.TimeSpan{{From: at(t, berlin, "2026-10-18 02:00:00"), To: at(t, berlin, "2026-10-18 04:00:00")}},
				Approval: "announced on 8 October, ten days before", Reason: "new database version",
				Evidence: "https://status.example/incidents/4711",
			},
			{
				Name: "late-certificate", Category: "customer_caused", Effect: "treat_as_up", Seconds: "540",
				Spans:    []verdict.TimeSpan{{From: at(t, berlin, "2026-10-22 09:00:00"), To: at(t, berlin, "2026-10-22 09:09:00")}},
				Approval: "approved by both: A. Schmidt (provider) on 3 November, B. Müller (customer) on 4 November",
				Reason:   "the certificate came two days after the agreed date", Evidence: "minutes/2026-11-04.md",
			},
		},
		Obligations: []verdict.Obligation{
			{Party: "customer", Name: "new certificate", Due: "2026-10-20", Done: "2026-10-22", Late: true, Excused: "540"},
			{Party: "provider", Name: "monthly report", Due: "2026-11-06", Done: "2026-11-03"},
		},
		Findings: []verdict.Finding{
			{Level: "storefront/availability", Kind: "gap", Message: "the exporter in Paris was restarted on 7 October; 4 min 30 s have no result from there"},
		},
		Made: verdict.Made{At: at(t, berlin, "2026-11-03 06:00:00"), By: "upheld 0.2.0"},
	}
}

func availability(t *testing.T) verdict.Level {
	return verdict.Level{
		Service: "storefront", SLO: "availability", Description: "The shop answers within 5 seconds",
		Indicator: "HTTP probes of https://shop.example/health every 15 s from three locations",
		Method:    "share of time; down while at least 2 of 3 locations fail for 3 minutes, from the first failure on",
		Verdict:   verdict.Met, Why: "20 min 31 s were bad; the promise allows 44 min 42 s.",
		Target: "99.9", Achieved: "99.95410141", Exact: "2680769/2682000", Raw: "99.88698732", Best: "99.95410141",
		Unit: "seconds", Agreed: "2682000", Bad: "1231", Unknown: "270", Excluded: "1800", Removed: "0", Excused: "1800", Budget: "2682", Coverage: "99.98993288",
		Choices: verdict.Choices{Exclusions: "treat_as_up", Unknown: "excluded", Standing: "final"},
		Outages: []verdict.Outage{
			{
				Start: at(t, berlin, "2026-10-06 14:02:15"), End: at(t, berlin, "2026-10-06 14:20:46"), Seconds: "1111", Counted: "1111",
				Cause: "a release took the payment pages down", Blame: "provider", Evidence: "https://status.example/incidents/4702",
			},
			{
				Start: at(t, berlin, "2026-10-18 02:31:00"), End: at(t, berlin, "2026-10-18 02:52:00"), Seconds: "1260", Counted: "0",
				Excluded: []verdict.ExcludedPart{{Name: "patch-night", Seconds: "1260"}}, Cause: "new database version", Blame: "provider",
			},
			{
				Start: at(t, berlin, "2026-10-22 09:00:00"), End: at(t, berlin, "2026-10-22 09:11:00"), Seconds: "660", Counted: "120",
				Excluded: []verdict.ExcludedPart{{Name: "late-certificate", Seconds: "540"}}, Cause: "expired certificate", Blame: "customer",
				Evidence: "ticket OPS-311",
			},
		},
		Recovery: []verdict.Recovery{
			{Objective: "each outage restored within 4 h", Verdict: verdict.Met, Value: "21 min", Limit: "4 h", Words: "The longest of three outages took 21 minutes."},
			{Objective: "mean time to restore", Verdict: verdict.Met, Value: "16 min 50 s", Limit: "1 h", Words: "Three outages, 50 min 31 s together."},
			{Objective: "last restored backup", Verdict: verdict.Breached, Value: "94 d", Limit: "90 d", Words: "The restore drill was last run on 29 July 2026 and is overdue since 27 October."},
		},
		Places: []verdict.PlaceResult{
			{Labels: map[string]string{"location": "fra"}, Achieved: "99.95", Bad: "1341", Known: "2682000"},
			{Labels: map[string]string{"location": "ams"}, Achieved: "99.948", Bad: "1395", Known: "2682000"},
			{Labels: map[string]string{"location": "par"}, Achieved: "99.61", Bad: "10459", Known: "2681730"},
		},
		Course:      course(t, 2682000, map[int]int64{6: 1111, 22: 120}),
		NotMeasured: []verdict.TimeSpan{{From: at(t, berlin, "2026-10-07 03:00:00"), To: at(t, berlin, "2026-10-07 03:04:30")}},
		But: []verdict.But{
			{Check: "worst_hour", Words: "In its worst hour, 6 October 14:00 to 15:00, the shop was available 69.1 % of the time."},
			{Check: "one_place", Words: "Seen from Paris alone it was available 99.61 %, below the promise."},
		},
	}
}

// course has a point for each midnight of October; bad is by day of the month.
func course(t *testing.T, agreed int64, bad map[int]int64) []verdict.Point {
	start := at(t, berlin, "2026-10-01 00:00:00")
	points := []verdict.Point{{At: start, Agreed: "0", Bad: "0"}}
	sum := int64(0)
	for day := 1; day <= 31; day++ {
		sum += bad[day]
		points = append(points, verdict.Point{
			At: start.AddDate(0, 0, day), Agreed: strconv.FormatInt(agreed*int64(day)/31, 10), Bad: strconv.FormatInt(sum, 10),
		})
	}
	return points
}

func responseTime(t *testing.T) verdict.Level {
	return verdict.Level{
		Service: "storefront", SLO: "response-time", Description: "Pages are fast in prime time",
		Indicator: "response time of the probes at most 800 ms", Method: "share of 5-minute slots in which 95 % of the probes were fast enough",
		Hours: "Monday to Friday 08:00 to 20:00, without holidays", Verdict: verdict.Met, Why: "9 of 3168 slots were bad; the promise allows 31.",
		Target: "99", Achieved: "99.71590909", Exact: "351/352", Raw: "99.71590909", Best: "99.71590909",
		Unit: "slots", Agreed: "3168", Bad: "9", Unknown: "1", Excluded: "0", Removed: "0", Excused: "0", Budget: "31.68", Coverage: "99.96843434",
		Choices: verdict.Choices{Exclusions: "none", Unknown: "excluded", Standing: "final"},
		Course:  course(t, 3168, map[int]int64{6: 4, 13: 2, 27: 3}),
	}
}

func checkoutErrors(t *testing.T) verdict.Level {
	return verdict.Level{
		Service: "checkout", SLO: "errors", Description: "Orders go through",
		Indicator: "orders that the shop answered with an error", Method: "share of requests",
		Verdict: verdict.Met, Why: "No order failed.", Target: "99.95", Achieved: "100", Exact: "1", Raw: "100", Best: "100",
		Unit: "events", Agreed: "182441", Bad: "0", Unknown: "", Excluded: "0", Removed: "0", Excused: "0", Budget: "91.2205", Coverage: "100",
		Choices: verdict.Choices{Exclusions: "none", Unknown: "excluded", Standing: "final"},
		Course:  course(t, 182441, nil),
	}
}

// pastOf are the eleven months before, of the levels as they are in the report.
func pastOf(t *testing.T, r *verdict.Report) []*verdict.Report {
	achieved := []string{"99.981", "99.972", "99.874", "99.99", "", "99.962", "99.995", "100", "99.938", "99.951", "99.967"}
	var past []*verdict.Report
	for i, share := range achieved {
		start := at(t, berlin, "2025-11-01 00:00:00").AddDate(0, i, 0)
		p := &verdict.Report{
			Agreement: r.Agreement, Version: 1, Verdict: verdict.Met,
			Period: verdict.ReportPeriod{Name: start.Format("2006-01"), Start: start, End: start.AddDate(0, 1, 0), Zone: berlin, Until: start.AddDate(0, 1, 0)},
		}
		for _, l := range r.Levels[:min(3, len(r.Levels))] {
			old := verdict.Level{Service: l.Service, SLO: l.SLO, Group: l.Group, Target: l.Target, Verdict: verdict.Met, Achieved: "99.99", Unit: l.Unit, Budget: "100", Bad: "10"}
			if l.SLO == "availability" {
				old.Achieved = share
				switch {
				case share == "":
					old.Verdict, p.Verdict, old.Bad = verdict.Insufficient, verdict.Insufficient, "0"
				case share < "99.9" && share != "100":
					old.Verdict, p.Verdict, old.Bad = verdict.Breached, verdict.Breached, "126"
				default:
					old.Bad = strconv.Itoa((i * 31) % 80)
				}
			}
			p.Levels = append(p.Levels, old)
		}
		past = append(past, p)
	}
	return past
}

func breached(t *testing.T) *verdict.Report {
	r := october(t)
	r.Agreement, r.Verdict, r.Description = "hosting-acme", verdict.Breached, "Hosting for ACME"
	r.Version, r.Supersedes, r.Reason = 2, 1, "both sides agreed on 4 November that the outage of 22 October was caused by a late certificate"
	r.Summary = "Breached: the shop was available 99.416 % of agreed time in October 2026; 99.9 % was promised. A credit of 25 % of the monthly fee is due."
	l := &r.Levels[0]
	l.Verdict, l.Why = verdict.Breached, "4 h 20 min 51 s were bad; the promise allows 44 min 42 s."
	l.Achieved, l.Exact, l.Raw, l.Best, l.Bad = "99.41644295", "888783/894000", "99.34932885", "99.41644295", "15651"
	l.Outages[0].End, l.Outages[0].Seconds, l.Outages[0].Counted = at(t, berlin, "2026-10-06 18:21:06"), "15531", "15531"
	l.Course = course(t, 2682000, map[int]int64{6: 15531, 22: 120})
	l.But = nil
	began := at(t, berlin, "2026-09-30 23:50:00")
	l.Outages = append([]verdict.Outage{{
		Start: r.Period.Start, End: at(t, berlin, "2026-10-01 00:05:00"), Began: &began, Seconds: "300", Counted: "0",
		Excluded: []verdict.ExcludedPart{{Name: "patch-night", Seconds: "300"}}, Cause: "unknown",
	}}, l.Outages...)
	l.Recovery[0] = verdict.Recovery{
		Objective: "each outage restored within 4 h", Verdict: verdict.Breached, Value: "4 h 18 min 51 s", Limit: "4 h",
		Words: "The outage of 6 October took 18 min 51 s longer than promised.",
	}
	l.Credit = &verdict.LevelCredit{
		Percent: "25", Amount: "1250.00", Currency: "EUR",
		Words: "99.416 % is below 99.5 %: the second tier, 25 % of the fee of 5000.00 EUR.",
	}
	r.Credit = &verdict.TotalCredit{
		Percent: "12", Amount: "600.00", Currency: "EUR", CappedBy: "12 % of the monthly fee", Gross: "1250.00", Earned: "0.00", ClaimBy: "2026-12-31",
		Words: "One level was breached: 1250.00 EUR, cut to the cap of 12 % of the monthly fee of 5000.00 EUR.",
	}
	return r
}

// insufficient is a month in which the exporter did not run.
func insufficient(t *testing.T) *verdict.Report {
	r := october(t)
	r.Agreement, r.Verdict = "warehouse", verdict.Insufficient
	r.Description, r.Exclusions, r.Obligations = "", nil, nil
	r.Summary = "Insufficient data: only 41.2 % of agreed time was measured in October 2026; the agreement asks for 99 %."
	r.Levels = r.Levels[:1]
	l := &r.Levels[0]
	l.Service, l.Description = "warehouse", ""
	l.Verdict, l.Why = verdict.Insufficient, "41.2 % of agreed time was measured, and 99 % is needed for a verdict."
	l.Achieved, l.Exact, l.Raw, l.Best = "", "", "", ""
	l.Bad, l.Unknown, l.Excluded, l.Excused, l.Coverage = "0", "1577016", "0", "0", "41.2"
	l.Outages, l.Recovery, l.But, l.Places = nil, nil, nil, nil
	l.Course = course(t, 1104984, nil)
	l.NotMeasured = []verdict.TimeSpan{{From: at(t, berlin, "2026-10-13 18:00:00"), To: r.Period.End}}
	r.Findings = []verdict.Finding{{Level: "warehouse/availability", Kind: "no_data", Message: "no series of up after 13 October 18:00"}}
	return r
}

// tenthDay is a month on its tenth day, with an outage that goes on.
func tenthDay(t *testing.T) *verdict.Report {
	r := october(t)
	r.Agreement = "search"
	r.Period.Until = at(t, berlin, "2026-10-10 12:00:00")
	r.Summary = "Met so far: search was available 99.906 % of agreed time until 10 October 2026, 12:00; 99.9 % was promised."
	r.Levels, r.Exclusions, r.Obligations, r.Findings = r.Levels[:1], nil, nil, nil
	l := &r.Levels[0]
	l.Service, l.Description = "search", "Search answers"
	l.Why = "12 min 47 s were bad so far; the promise allows 44 min 42 s in the whole month."
	l.Agreed, l.Bad, l.Excluded, l.Excused, l.Unknown = "820800", "767", "0", "0", "0"
	l.Achieved, l.Exact, l.Raw, l.Best, l.Coverage = "99.90655458", "820033/820800", "99.90655458", "99.97140193", "100"
	l.Choices = verdict.Choices{Exclusions: "none", Unknown: "excluded", Standing: "to_date"}
	l.Outages = []verdict.Outage{{Start: at(t, berlin, "2026-10-10 11:47:13"), End: r.Period.Until, Ongoing: true, Seconds: "767", Counted: "767", Cause: "unknown"}}
	l.Recovery, l.But, l.Places, l.NotMeasured = nil, nil, nil, nil
	l.Course = append(course(t, 2682000, nil)[:10], verdict.Point{At: r.Period.Until, Agreed: "820800", Bad: "767"})
	return r
}

// composite has components to blame.
func composite(t *testing.T) *verdict.Report {
	r := october(t)
	r.Agreement, r.Description = "checkout", "Buying works from the basket to the receipt"
	r.Verdict = verdict.Disputed
	r.Summary = "In dispute: the checkout was available 99.82 % or 99.91 % of agreed time in October 2026, with or without the outage of 6 October; 99.9 % was promised."
	r.Levels = r.Levels[:1]
	l := &r.Levels[0]
	l.Service, l.Indicator = "checkout", "web and cart and at least one of the two payment providers"
	l.Verdict, l.Why = verdict.Disputed, "The parties do not agree whether the outage of 6 October counts."
	l.Blame = []verdict.Blame{
		{Component: "checkout/web", Alone: "1111", WithOthers: "0"},
		{Component: "psp-a/availability", Alone: "0", WithOthers: "120"},
		{Component: "psp-b/availability", Alone: "0", WithOthers: "120"},
	}
	l.Outages[0].Cause = "checkout/web"
	return r
}

// thirty has thirty levels of groups, and one of each other verdict.
func thirty(t *testing.T) *verdict.Report {
	r := october(t)
	r.Agreement, r.Description = "api-gateway", "One promise for each region and tenant"
	r.Verdict = verdict.Breached
	r.Summary = "Breached: 1 of 30 promises was not kept in October 2026."
	r.Levels = nil
	for i := range 30 {
		l := checkoutErrors(t)
		l.Service, l.SLO = fmt.Sprintf("api-%02d", i/3), []string{"availability", "errors", "latency"}[i%3]
		l.Group = map[string]string{"region": []string{"eu-central-1", "us-east-2"}[i%2], "tenant": fmt.Sprintf("tenant-%d", i)}
		l.Description = ""
		switch i {
		case 7:
			l.Verdict, l.Why, l.Achieved, l.Exact, l.Raw, l.Best, l.Bad = verdict.Breached, "99.9496 % is below 99.95 %.", "99.94957273", "182349/182441", "99.94957273", "99.94957273", "92"
			l.Course = course(t, 182441, map[int]int64{3: 12, 4: 30, 20: 50})
		case 11:
			l.Verdict, l.Why, l.Achieved, l.Exact, l.Raw, l.Best, l.Agreed, l.Bad = verdict.NotApply, "There were no requests.", "", "", "", "", "0", "0"
		case 12:
			l.Verdict, l.Why, l.Target, l.Achieved, l.Exact, l.Budget = verdict.DeclaredOnly, "The agreement promises no number.", "", "", "", ""
		case 13:
			l.Achieved, l.Exact, l.Raw, l.Best, l.Bad, l.Why = "99.99999999", "99999999999/100000000000", "99.99999999", "99.99999999", "1", "1 of 100 000 000 000 requests failed."
			l.Agreed, l.Budget = "100000000000", "50000000"
		}
		r.Levels = append(r.Levels, l)
	}
	return r
}

// flapping has 200 outages.
func flapping(t *testing.T) *verdict.Report {
	r := october(t)
	r.Agreement, r.Description = "edge", ""
	r.Summary = "Met: edge was available 99.925 % of agreed time in October 2026; 99.9 % was promised."
	r.Levels = r.Levels[:1]
	l := &r.Levels[0]
	l.Outages, l.Recovery, l.Places, l.NotMeasured = nil, nil, nil, nil
	start := at(t, berlin, "2026-10-01 01:00:00")
	byDay := map[int]int64{}
	for i := range 200 {
		s := start.Add(time.Duration(i) * 13000 * time.Second)
		l.Outages = append(l.Outages, verdict.Outage{Start: s, End: s.Add(10 * time.Second), Seconds: "10", Counted: "10", Cause: "unknown"})
		byDay[s.In(start.Location()).Day()] += 10
	}
	l.Bad, l.Achieved, l.Exact, l.Raw, l.Best = "2000", "99.92542878", "1340/1341", "99.92542878", "99.92542878"
	l.Course = course(t, 2682000, byDay)
	l.Why = "33 min 20 s were bad; the promise allows 44 min 42 s."
	l.But = []verdict.But{{Check: "many_outages", Words: "There were 200 outages, more than six a day."}}
	return r
}

// hostile has texts of people who mean harm, and names that are too long.
func hostile(t *testing.T) *verdict.Report {
	r := october(t)
	evil := `</style><script>alert(1)</script><img src=x onerror=alert(2)>`
	r.Agreement = "evil" + strings.Repeat("x", 300)
	r.Description = evil
	r.Provider, r.Customer = `=HYPERLINK("http://evil.example","x")`, "`rm -rf`|pipe|\n# heading"
	r.Summary = "Met: " + evil
	r.Reason = "[link](javascript:alert(3)) ![pic](http://evil.example/x.png) <!-- @everyone"
	r.Sources = []string{"javascript:alert(4)", "\u202eexe.tset"}
	r.Levels = r.Levels[:1]
	l := &r.Levels[0]
	l.Service, l.SLO = `"><svg onload=alert(5)>`, "a|b\\|c"
	l.Group = map[string]string{"tenant\r\n": "=1+2", "x": strings.Repeat("ä", 200)}
	l.Description, l.Indicator, l.Method = "{{.Secret}} ${7*7}", "`code` *bold* _under_ ~~gone~~ <b>", "line\nbreak | pipe"
	l.Why = "https://evil.example/\" onmouseover=\"alert(6)"
	l.Outages[0].Cause, l.Outages[0].Evidence = "=cmd|' /C calc'!A0", "javascript:alert(7)"
	l.Outages[1].Cause, l.Outages[1].Evidence = "@SUM(1+1)", "https://ok.example/a_b|c?d=\"e\"<f>"
	l.Outages[2].Cause, l.Outages[2].Evidence = "\t=1", "-2+3"
	l.But[0].Words = evil
	r.Findings = []verdict.Finding{{Kind: evil, Level: evil, Message: evil}}
	return r
}

// fixture is a report, and whether it stands for a kind that the goldens hold.
type fixture struct {
	name    string
	make    func(*testing.T) *verdict.Report
	history bool
}

func fixtures() []fixture {
	return []fixture{
		{"met", october, true},
		{"breached", breached, true},
		{"insufficient", insufficient, false},
		{"running", tenthDay, true},
		{"composite", composite, false},
		{"thirty-levels", thirty, true},
		{"many-outages", flapping, false},
		{"hostile", hostile, false},
	}
}

func (f fixture) reports(t *testing.T) (reports, history []*verdict.Report) {
	r := f.make(t)
	if f.history {
		history = pastOf(t, r)
	}
	return []*verdict.Report{r}, history
}
