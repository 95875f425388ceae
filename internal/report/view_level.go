package report

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/sla"
)

// levelView is one level, ready for rendering.
type levelView struct {
	Anchor      string
	Name        string // "storefront/availability"
	Group       string
	Description string
	Indicator   string
	Hours       string
	Mark        mark
	Why         string
	Choices     string
	Target      figure
	Achieved    figure // shortened
	Exactly     string // all digits in the JSON, if there are more
	Bad         figure
	Budget      figure
	Coverage    figure
	Used        string // "46 % of the budget"
	UsedShare   float64
	Left        string // "24 min 11 s left", "3 h 36 min over"
	Over        bool
	Figures     []tile
	Chart       *chart
	Outages     []outageView
	OutageSum   string
	Blame       []blameView
	Places      []placeView
	Gaps        []gapView
	Credit      string
	Trend       []trendCell
}

// tile is one figure of a level with its name and a note below.
type tile struct {
	Name   string
	Figure figure
	Note   string
}

type outageView struct {
	Start, End     moment
	Ongoing        bool
	Began          string // "" if it began in the period
	Lasted, Counts figure
	Excluded       []string
	Cause, Blame   string
	Evidence       evidence
}

type blameView struct {
	Component         string
	Alone, WithOthers figure
}

type placeView struct {
	Name                 string
	Achieved, Bad, Known figure
}

type gapView struct {
	From, To   moment
	Total, Bad string
}

// evidence is where to look something up: a link only for http and https.
type evidence struct{ Text, URL string }

func evidenceOf(text string) evidence {
	text = oneLine(text)
	u, err := url.Parse(text)
	if err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil {
		return evidence{text, u.String()}
	}
	return evidence{text, ""}
}

func newLevel(r *verdict.Report, i int, prefix string, trend *trendView) *levelView {
	l := &r.Levels[i]
	p := periodOf(r, l)
	c := clockOf(p)
	path := fmt.Sprintf("levels.%d.", i)
	v := &levelView{
		Anchor: fmt.Sprintf("%slevel-%d", prefix, i+1), Name: levelName(l), Group: oneLine(labelWords(l.Group)),
		Description: oneLine(l.Description), Indicator: oneLine(l.Indicator), Hours: oneLine(l.Hours),
		Mark: markOf(l.Verdict, running(p)), Why: oneLine(l.Why), Choices: choiceWords(l.Choices),
		Target:   figure{orNone(allDigits(oneLine(l.Target))), l.Target, path + "target"},
		Achieved: figure{orNone(percentText(l.Achieved, l.Target)), l.Achieved, path + "achieved"},
		Bad:      figure{orNone(quantity(l.Bad, l.Unit)), l.Bad, path + "bad"},
		Budget:   figure{orNone(quantity(l.Budget, l.Unit)), l.Budget, path + "budget"},
		Coverage: figure{orNone(percentText(l.Coverage, "")), l.Coverage, path + "coverage"},
		Chart:    newChart(r, p, l, c),
	}
	if l.Achieved != cut(l.Achieved, percentPlaces) {
		v.Exactly = allDigits(l.Achieved)
	}
	v.spent(l)
	v.Figures = tilesOf(p, l, v, path)
	v.outages(l, c, path)
	for j, b := range l.Blame {
		at := fmt.Sprintf("%sblame.%d.", path, j)
		v.Blame = append(v.Blame, blameView{oneLine(b.Component), seconds(b.Alone, at+"alone"), seconds(b.WithOthers, at+"withOthers")})
	}
	for j, p := range l.Places {
		at := fmt.Sprintf("%splaces.%d.", path, j)
		v.Places = append(v.Places, placeView{
			oneLine(labelWords(p.Labels)),
			figure{orNone(percentText(p.Achieved, l.Target)), p.Achieved, at + "achieved"},
			figure{quantity(p.Bad, l.Unit), p.Bad, at + "bad"},
			figure{quantity(p.Known, l.Unit), p.Known, at + "known"},
		})
	}
	for _, g := range l.Gaps {
		v.Gaps = append(v.Gaps, gapView{c.instant(g.From), c.until(g.From, g.To), quantity(g.Total, ""), quantity(g.Bad, "")})
	}
	if l.Credit != nil {
		v.Credit = oneLine(l.Credit.Words)
	}
	if trend != nil {
		v.Trend = trend.Levels[i].Cells
	}
	return v
}

func seconds(value, path string) figure { return figure{quantity(value, "seconds"), value, path} }

// levelName is "storefront/availability".
func levelName(l *verdict.Level) string { return oneLine(l.Service) + "/" + oneLine(l.SLO) }

// spent says how much of the budget is used, if both are numbers.
func (v *levelView) spent(l *verdict.Level) {
	bad, err := sla.ParseDecimal(l.Bad)
	budget, err2 := sla.ParseDecimal(l.Budget)
	if err != nil || err2 != nil || l.Achieved == "" {
		return
	}
	v.UsedShare = share(l.Bad, l.Budget)
	left := budget.Sub(bad)
	v.Over = left.Sign() < 0
	if v.Over {
		v.Left = quantity(bad.Sub(budget).String(), l.Unit) + " over"
	} else {
		v.Left = quantity(left.String(), l.Unit) + " left"
	}
	if budget.Sign() <= 0 {
		return
	}
	v.Used = wholePercent(v.UsedShare) + " of the budget used"
}

// wholePercent is a rough share. It shows 0 only for nothing, and 100 only for all.
func wholePercent(share float64) string {
	switch p := share * 100; {
	case p <= 0:
		return "0" + thin + "%"
	case p < 1:
		return "< 1" + thin + "%"
	case p >= 1e6:
		return "> " + group("1000000") + thin + "%"
	default:
		return group(fmt.Sprintf("%d", int(p))) + thin + "%"
	}
}

// thing is what a level counts: time, slots or events.
func thing(unit string) string {
	if unit == "slots" || unit == "events" {
		return unit
	}
	return "time"
}

func tilesOf(p verdict.ReportPeriod, l *verdict.Level, v *levelView, path string) []tile {
	thing := thing(l.Unit)
	achieved := tile{"Achieved", v.Achieved, v.Exactly}
	if v.Exactly != "" {
		achieved.Note = "exactly " + v.Exactly
	}
	tiles := []tile{
		{"Promised", v.Target, ""},
		achieved,
		{"Bad " + thing, v.Bad, v.Used},
		{"Budget", v.Budget, v.Left},
		{"Agreed " + thing, figure{quantity(l.Agreed, l.Unit), l.Agreed, path + "agreed"}, v.Hours},
		{"Measured", v.Coverage, ""},
	}
	note := ""
	if l.Raw != "" {
		note = percentText(l.Raw, l.Target) + " if nothing had been excluded"
	}
	if !isZero(l.Excused) {
		tiles = append(tiles, tile{"Excused", figure{quantity(l.Excused, l.Unit), l.Excused, path + "excused"}, note})
	}
	if !isZero(l.Removed) {
		tiles = append(tiles, tile{"Taken out of agreed " + thing, figure{quantity(l.Removed, l.Unit), l.Removed, path + "removed"}, note})
	}
	if !isZero(l.Unknown) {
		tiles = append(tiles, tile{"Unknown", figure{quantity(l.Unknown, l.Unit), l.Unknown, path + "unknown"}, inWords(unknownWords, l.Choices.Unknown)})
	}
	if running(p) && l.Best != "" {
		tiles = append(tiles, tile{"Best still possible", figure{percentText(l.Best, l.Target), l.Best, path + "best"}, "if nothing more is bad"})
	}
	return tiles
}

func (v *levelView) outages(l *verdict.Level, c clock, path string) {
	for j, o := range l.Outages {
		at := fmt.Sprintf("%soutages.%d.", path, j)
		out := outageView{
			Start: c.instant(o.Start), End: c.until(o.Start, o.End), Ongoing: o.Ongoing,
			Lasted: seconds(o.Seconds, at+"seconds"), Counts: seconds(o.Counted, at+"counted"),
			Cause: upperFirst(inWords(nil, o.Cause)), Blame: upperFirst(inWords(categoryWords, o.Blame)), Evidence: evidenceOf(o.Evidence),
		}
		if o.Began != nil {
			out.Began = c.instant(*o.Began).Text
		}
		for _, e := range o.Excluded {
			out.Excluded = append(out.Excluded, quantity(e.Seconds, "seconds")+" "+oneLine(e.Name))
		}
		v.Outages = append(v.Outages, out)
	}
	if len(l.Outages) > 0 {
		var total, counted sla.Decimal
		for _, o := range l.Outages {
			total, counted = total.Add(parsed(o.Seconds)), counted.Add(parsed(o.Counted))
		}
		v.OutageSum = fmt.Sprintf("%s, %s together, of which %s count", plural(len(l.Outages), "outage"), duration(total), duration(counted))
		if len(l.Outages) == 1 {
			v.OutageSum = fmt.Sprintf("1 outage of %s, of which %s count", duration(total), duration(counted))
		}
	}
}

// parsed is a number of a report, or 0 for any other text.
func parsed(number string) sla.Decimal {
	d, err := sla.ParseDecimal(number)
	if err != nil {
		return sla.Decimal{}
	}
	return d
}

// methodView explains how a level's number was computed.
type methodView struct {
	Name, Href, Group         string
	Indicator, Method, Hours  string
	Choices                   string
	Agreed, Bad, Target       string
	Exact, Shown              string
	Unknown, Excluded, Budget string
}

func newMethod(l *verdict.Level, v *levelView) methodView {
	unit := " " + oneLine(l.Unit)
	with := func(value string) string {
		if value == "" {
			return none
		}
		return group(oneLine(value)) + unit
	}
	m := methodView{
		Name: v.Name, Href: v.Anchor, Group: v.Group, Indicator: v.Indicator, Method: oneLine(l.Method), Hours: orWords(v.Hours, "always"), Choices: v.Choices,
		Agreed: with(l.Agreed), Bad: with(l.Bad), Unknown: with(l.Unknown), Excluded: with(l.Excluded), Budget: with(l.Budget),
		Target: orNone(allDigits(oneLine(l.Target))), Exact: oneLine(l.Exact), Shown: orNone(allDigits(oneLine(l.Achieved))),
	}
	return m
}

func orWords(s, words string) string {
	if strings.TrimSpace(s) == "" {
		return words
	}
	return s
}
