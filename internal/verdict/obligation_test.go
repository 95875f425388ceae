package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/verdict"
)

// owing is an agreement whose level was down from 1 June 2026 12:00 to 3 June 00:00,
// 129,600 s; 96 % allow 103,680 s of June.
const owing = `  period: month
  obligations:
    customer: [{id: cert, deliver: certificate, dueBefore: 1d, dates: ["2026-06-02"], excuses: [up]}]
    provider: [{id: report, deliver: report, dueBy: business_day_5}]
  serviceLevels:
    - {name: up, target: "96", indicator: {condition: {expr: 'up == 1'}}}
    - {name: other, target: "96", indicator: {condition: {expr: 'other == 1'}}}
`

// judgedOwing judges June 2026 with a record of the obligation cert, if one is given.
func judgedOwing(t *testing.T, approvals, record string) *verdict.Report {
	t.Helper()
	text := owing
	if record != "" {
		text += "---\napiVersion: upheld/v1\nkind: Adjustment\nmetadata: {name: record, agreement: shop}\nspec: {filed: \"2026-07-01\", by: provider, reason: a reason, " +
			approvals + "obligation: {id: cert, due: \"2026-06-01\"" + record + "}}\n"
	}
	in := periodOf(load(t, text)[0], utc(t, "2026-06-10"))
	changes := []verdict.Stretch{down(utc(t, "2026-06-01T12:00"), utc(t, "2026-06-03"))}
	in.Evidence.Levels = []verdict.LevelEvidence{
		evidence("shop", "up", flow{in.Start, in.End, changes}.stretches()), evidence("shop", "other", flow{in.Start, in.End, changes}.stretches()),
	}
	return judge(t, in)
}

func TestLateObligationsExcuseTheirOverlapAlone(t *testing.T) {
	const provider, customer = `{party: provider, name: P, on: "2026-07-02"}`, `{party: customer, name: C, on: "2026-07-03"}`
	both := "approvals: [" + provider + ", " + customer + "], "
	for name, c := range map[string]struct {
		approvals, record string
		verdict           verdict.Verdict
		bad, excused      string
		late              bool
	}{
		"late by eight hours":     {both, `, done: "2026-06-02T08:00"`, verdict.Met, "100800", "28800", true},
		"late by an hour":         {both, `, done: "2026-06-02T01:00"`, verdict.Breached, "126000", "3600", true},
		"still missing":           {both, ` `, verdict.Met, "43200", "86400", true},
		"in time":                 {both, `, done: "2026-05-30T08:00"`, verdict.Breached, "129600", "", false},
		"just in time":            {both, `, done: "2026-06-02T00:00"`, verdict.Breached, "129600", "", false},
		"not approved":            {"approvals: [" + provider + "], ", `, done: "2026-06-02T08:00"`, verdict.Disputed, "129600", "0", true},
		"not approved, no matter": {"", `, done: "2026-06-02T01:00"`, verdict.Breached, "129600", "0", true},
		"nobody wrote of it":      {"", "", verdict.Breached, "129600", "0", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := judgedOwing(t, c.approvals, c.record)
			if l := r.Levels[0]; l.Verdict != c.verdict || l.Bad != c.bad {
				t.Errorf("%s with %s bad, want %s with %s: %s", l.Verdict, l.Bad, c.verdict, c.bad, l.Why)
			}
			if other := r.Levels[1]; other.Bad != "129600" || other.Verdict != verdict.Breached {
				t.Errorf("the level that is not excused: %s with %s bad", other.Verdict, other.Bad)
			}
			var owed []string
			for _, o := range r.Obligations {
				owed = append(owed, o.Party+" "+o.Name)
				if o.Name == "cert" && (o.Late != c.late || o.Excused != c.excused) {
					t.Errorf("%+v", o)
				}
			}
			if got := strings.Join(owed, ", "); got != "customer cert, provider report" {
				t.Errorf("owed: %s", got)
			}
		})
	}
}

func TestRestatingKeepsTheOldReport(t *testing.T) {
	old, now := judgedOwing(t, "", ""), judgedOwing(t, "", "")
	next, err := verdict.Restate(old, now, "a record was found")
	if err != nil || next.Version != 2 || next.Supersedes != 1 || next.Reason == "" || old.Version != 1 || now.Version != 1 {
		t.Errorf("%+v, %v", next, err)
	}
	if third, err := verdict.Restate(next, now, "and another"); err != nil || third.Version != 3 || third.Supersedes != 2 {
		t.Errorf("%+v, %v", third, err)
	}
	if _, err := verdict.Restate(old, now, ""); err == nil {
		t.Error("restated without a reason")
	}
	other := *now
	other.Period.Start = other.Period.Start.Add(time.Hour)
	if _, err := verdict.Restate(old, &other, "x"); err == nil {
		t.Error("restated by another period")
	}
}
