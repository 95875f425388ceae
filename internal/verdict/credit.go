package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/credit"
	"github.com/upheld-sla/upheld/sla"
)

// owing is what the credits of a level need, and where its verdict stands in the report.
type owing struct {
	index int
	level credit.Level
}

// owing collects what the credits of a level need. Before the period is over it assumes
// that the rest is good, as the live rules do.
func (b *ledger) owing(v Level) credit.Level {
	l := credit.Level{Level: b.level, Group: groupText(v.Group), Known: v.Verdict == Met || v.Verdict == Breached}
	share, ok := b.best()
	l.Known = l.Known && ok
	l.Achieved = share
	l.Met = v.Verdict == Met
	if !b.final() {
		l.Met = share.Cmp(b.target.Quo(hundred)) >= 0
	}
	if b.unit.of != 0 {
		second := sla.NewDecimal(int64(time.Second), 1)
		l.Bad, l.Agreed = b.bad.value().Quo(second), b.atEnd().Quo(second)
	}
	for _, o := range v.Outages {
		counted, err := sla.ParseDecimal(o.Counted)
		if err != nil {
			l.Known = false // an outage without a number decides nothing
		}
		x := credit.Outage{Counted: counted}
		if o.Cause != unknownCause {
			x.Causes = strings.Split(o.Cause, ", ")
		}
		l.Outages = append(l.Outages, x)
	}
	if b.unit.of != 0 && slices.ContainsFunc(b.level.Credits.Schemes, isFreeHours) {
		l.BadByHour = b.badByHour()
	}
	return l
}

func isFreeHours(s sla.CreditScheme) bool {
	_, is := s.(sla.FreeHours)
	return is
}

// badByHour are the bad seconds of each hour of the clock that has any.
func (b *ledger) badByHour() []sla.Decimal {
	hours := map[int64]*sum{}
	for _, e := range b.entries {
		if e.bad.isZero() {
			continue
		}
		for at := e.from; at < e.to; {
			begin, end := cellAt(at, int64(time.Hour), b.zone)
			to := min(end, e.to)
			if hours[begin] == nil {
				hours[begin] = &sum{}
			}
			hours[begin].addSum(e.bad.part(to-at, e.to-e.from))
			at = to
		}
	}
	var all []sla.Decimal
	for _, begin := range slices.Sorted(maps.Keys(hours)) {
		all = append(all, hours[begin].value().Quo(sla.NewDecimal(int64(time.Second), 1)))
	}
	return all
}

// groupText is the labels of a group in one form.
func groupText(labels map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&b, ",%s=%q", name, labels[name])
	}
	return b.String()
}

// settle fills in what is owed for the period.
func (r *Report) settle(in Input, all []owing) {
	a := in.Agreement
	of := credit.Input{Policy: a.CreditPolicy, Termination: a.Termination, Period: in.Period, Start: in.Start, End: in.End, Earlier: earlierCredits(in)}
	settles := len(a.CreditPolicy.BreachCount) > 0 || a.Termination != nil
	for _, o := range all {
		of.Levels = append(of.Levels, o.level)
		settles = settles || o.level.Level.Credits.Any()
	}
	if !settles || len(all) == 0 {
		return
	}
	s := credit.Settle(of)
	for i, o := range all {
		if !o.level.Level.Credits.Any() {
			continue
		}
		c := &LevelCredit{Percent: s.Levels[i].Percent.Rounded(placesOfCredit), Words: s.Levels[i].Words}
		if s.InMoney && s.Levels[i].Days.Sign() == 0 {
			c.Amount, c.Currency = sla.Money{Amount: s.Levels[i].Amount, Currency: s.Currency}.Text(), s.Currency.Code
		}
		r.Levels[o.index].Credit = c
	}
	r.Credit = totalOf(s)
	if in.until().Before(in.End) {
		r.Credit.Words = "If the rest of the period is good: " + r.Credit.Words
	}
}

// placesOfCredit are the decimal places of percentages of credits.
const placesOfCredit = 6

func totalOf(s credit.Settlement) *TotalCredit {
	text := func(d sla.Decimal) string { return d.Rounded(placesOfCredit) }
	t := &TotalCredit{Percent: text(s.Percent), CappedBy: s.CappedBy, Evidence: s.Evidence, Termination: s.Termination, Words: s.Words}
	if s.InMoney {
		text = func(d sla.Decimal) string { return sla.Money{Amount: d, Currency: s.Currency}.Text() }
		t.Amount, t.Currency = text(s.Net), s.Currency.Code
	}
	t.Gross = text(s.Gross)
	if s.EarnedBack.Sign() > 0 {
		t.Earned = text(s.EarnedBack)
	}
	if s.ExtendedBy.Sign() > 0 {
		t.ExtendedBy = s.ExtendedBy.Rounded(placesOfCredit)
	}
	if !s.ClaimBy.IsZero() {
		t.ClaimBy = s.ClaimBy.Format(time.DateOnly)
	}
	return t
}

// earlierCredits are the earlier reports of the agreement as a settlement needs them: of
// each period the newest version, in order of time.
func earlierCredits(in Input) []credit.Earlier {
	newest := map[int64]*Report{}
	for _, p := range in.Previous {
		start := p.Period.Start.UnixNano()
		if before := newest[start]; p.Agreement == in.Agreement.Name && p.Period.End.Compare(in.Start) <= 0 && (before == nil || before.Version < p.Version) {
			newest[start] = p
		}
	}
	var all []credit.Earlier
	for _, start := range slices.Sorted(maps.Keys(newest)) {
		p := newest[start]
		e := credit.Earlier{Start: p.Period.Start, End: p.Period.End, Levels: map[string]credit.EarlierLevel{}}
		for _, l := range p.Levels {
			achieved, ok := ratioOf(l.Exact)
			e.Levels[credit.Key(sla.ID{Service: l.Service, SLO: l.SLO}, groupText(l.Group))] = credit.EarlierLevel{
				Known: ok && (l.Verdict == Met || l.Verdict == Breached), Met: l.Verdict == Met, Achieved: achieved,
			}
		}
		if c := p.Credit; c != nil {
			e.Gross, e.Net = owedOf(c, c.Gross), owedOf(c, c.Amount)
			if c.Amount == "" {
				e.Net.Percent, _ = sla.ParseDecimal(c.Percent)
			}
		}
		all = append(all, e)
	}
	return all
}

// owedOf reads an amount of an earlier report, which is money or per cent.
func owedOf(c *TotalCredit, text string) credit.Owed {
	d, err := sla.ParseDecimal(text)
	switch {
	case err != nil:
		return credit.Owed{}
	case c.Currency == "":
		return credit.Owed{Percent: d}
	}
	return credit.Owed{Amount: d}
}

// ratioOf reads a fraction like "217/218".
func ratioOf(text string) (sla.Decimal, bool) {
	num, den, found := strings.Cut(text, "/")
	n, err := sla.ParseDecimal(num)
	if err != nil || !found {
		return n, err == nil
	}
	d, err := sla.ParseDecimal(den)
	if err != nil || d.Sign() == 0 {
		return sla.Decimal{}, false
	}
	return n.Quo(d), true
}
