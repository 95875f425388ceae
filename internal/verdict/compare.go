package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Difference is something in which two verdicts of one period differ.
type Difference struct {
	Level string `json:"level,omitempty"` // "service/slo", or empty for the whole agreement
	What  string `json:"what"`            // verdict, achieved, outage, exclusion, credit, measured, ...
	Kept  string `json:"kept"`            // in the report that is verified; "" if it is not there
	Again string `json:"again"`           // when it was recomputed; "" if it is not there
}

// Tolerance is how far two verdicts may be apart that were measured by different
// servers. The zero value demands that they are equal.
type Tolerance struct {
	Edge   time.Duration // an outage may begin or end so much earlier or later
	Points sla.Decimal   // percentage points that the achieved value may differ by
}

// Exact returns whether nothing may differ.
func (t Tolerance) Exact() bool { return t.Edge == 0 && t.Points.Sign() == 0 }

// Compare returns in what two reports of one period differ, at most mostDifferences.
// Who made them and when is left out. With a tolerance only what decides is compared:
// verdicts, achieved values, outages and credits.
func Compare(kept, again *Report, t Tolerance) []Difference {
	c := &differences{tolerance: t}
	c.text("", "agreement", kept.Agreement, again.Agreement)
	c.text("", "period", periodText(kept.Period), periodText(again.Period))
	c.text("", "specification (SHA-256)", kept.Spec.SHA256, again.Spec.SHA256)
	c.text("", "verdict", string(kept.Verdict), string(again.Verdict))
	if t.Exact() {
		c.text("", "measurements (SHA-256)", kept.Inputs.SHA256, again.Inputs.SHA256)
	}
	c.exclusions(kept.Exclusions, again.Exclusions)
	c.levels(kept.Levels, again.Levels)
	c.text("", "credit", totalCredit(kept.Credit), totalCredit(again.Credit))
	return c.found
}

// mostDifferences bounds the list: more would tell a reader nothing new.
const mostDifferences = 200

type differences struct {
	tolerance Tolerance
	found     []Difference
}

func (c *differences) text(level, what, kept, again string) {
	if kept != again && len(c.found) < mostDifferences {
		c.found = append(c.found, Difference{level, what, kept, again})
	}
}

func periodText(p ReportPeriod) string { return spanText(p.Start, p.Until) }

func spanText(from, to time.Time) string { return timeText(from) + " to " + timeText(to) }

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func totalCredit(t *TotalCredit) string {
	if t == nil {
		return ""
	}
	return strings.TrimSpace(t.Percent + " % " + t.Amount + " " + t.Currency)
}

func levelCredit(l *LevelCredit) string {
	if l == nil {
		return ""
	}
	return strings.TrimSpace(l.Percent + " % " + l.Amount + " " + l.Currency)
}

// key identifies a level, or a group of one.
func (l Level) key() string {
	var key strings.Builder
	key.WriteString(l.Service + "/" + l.SLO)
	for _, label := range slices.Sorted(maps.Keys(l.Group)) {
		fmt.Fprintf(&key, " %s=%q", label, l.Group[label])
	}
	return key.String()
}

func (c *differences) levels(kept, again []Level) {
	others := make(map[string]Level, len(again))
	for _, l := range again {
		others[l.key()] = l
	}
	for _, l := range kept {
		other, ok := others[l.key()]
		delete(others, l.key())
		if !ok {
			c.text(l.key(), "level", "judged", "")
			continue
		}
		c.level(l, other)
	}
	for _, key := range slices.Sorted(maps.Keys(others)) {
		c.text(key, "level", "", "judged")
	}
}

func (c *differences) level(kept, again Level) {
	key := kept.key()
	c.text(key, "verdict", string(kept.Verdict), string(again.Verdict))
	c.text(key, "target", kept.Target, again.Target)
	c.text(key, "credit", levelCredit(kept.Credit), levelCredit(again.Credit))
	c.outages(key, kept.Outages, again.Outages)
	if !c.tolerance.Exact() {
		if !c.near(kept.Achieved, again.Achieved) {
			c.text(key, "achieved", kept.Achieved, again.Achieved)
		}
		return
	}
	for _, figure := range []struct{ name, kept, again string }{
		{"achieved", kept.Achieved, again.Achieved},
		{"achieved, exactly", kept.Exact, again.Exact},
		{"without exclusions", kept.Raw, again.Raw},
		{"agreed", kept.Agreed, again.Agreed},
		{"bad", kept.Bad, again.Bad},
		{"unknown", kept.Unknown, again.Unknown},
		{"removed", kept.Removed, again.Removed},
		{"excused", kept.Excused, again.Excused},
		{"coverage", kept.Coverage, again.Coverage},
	} {
		c.text(key, figure.name, figure.kept, figure.again)
	}
}

// near returns whether two achieved values, in per cent, differ by no more than the
// tolerance. Both may be missing.
func (c *differences) near(kept, again string) bool {
	if kept == again {
		return true
	}
	a, err := sla.ParseDecimal(kept)
	b, other := sla.ParseDecimal(again)
	if err != nil || other != nil {
		return false
	}
	apart := a.Sub(b)
	if apart.Sign() < 0 {
		apart = b.Sub(a)
	}
	return apart.Cmp(c.tolerance.Points) <= 0
}

func outageText(o Outage) string {
	text := spanText(o.Start, o.End)
	if o.Counted != "" {
		text += ", " + o.Counted + " s count"
	}
	return text
}

// outages pairs the outages of both reports in order of time.
func (c *differences) outages(level string, kept, again []Outage) {
	i, j := 0, 0
	for i < len(kept) || j < len(again) {
		switch {
		case j == len(again) || i < len(kept) && kept[i].End.Add(c.tolerance.Edge).Before(again[j].Start):
			c.lone(level, kept[i], true)
			i++
		case i == len(kept) || again[j].End.Add(c.tolerance.Edge).Before(kept[i].Start):
			c.lone(level, again[j], false)
			j++
		default:
			if !c.alike(kept[i], again[j]) {
				c.text(level, "outage", outageText(kept[i]), outageText(again[j]))
			}
			i, j = i+1, j+1
		}
	}
}

// lone reports an outage that only one of the reports has, unless it is so short that
// the tolerance of its two edges covers it.
func (c *differences) lone(level string, o Outage, inKept bool) {
	if !c.tolerance.Exact() && o.End.Sub(o.Start) <= 2*c.tolerance.Edge {
		return
	}
	if inKept {
		c.text(level, "outage", outageText(o), "")
		return
	}
	c.text(level, "outage", "", outageText(o))
}

func (c *differences) alike(a, b Outage) bool {
	if c.tolerance.Exact() {
		return outageText(a) == outageText(b)
	}
	return a.Start.Sub(b.Start).Abs() <= c.tolerance.Edge && a.End.Sub(b.End).Abs() <= c.tolerance.Edge
}

func (c *differences) exclusions(kept, again []Exclusion) {
	text := func(all []Exclusion) map[string]string {
		texts := make(map[string]string, len(all))
		for _, x := range all {
			var spans []string
			for _, s := range x.Spans {
				spans = append(spans, spanText(s.From, s.To))
			}
			texts[x.Name] += x.Effect + ": " + strings.Join(spans, "; ")
		}
		return texts
	}
	a, b := text(kept), text(again)
	names := maps.Clone(a)
	maps.Copy(names, b)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		c.text("", "exclusion "+name, a[name], b[name])
	}
}
