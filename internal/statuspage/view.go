package statuspage

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// view is the data of the template.
type view struct {
	Tab, Title, Description, Sentence, Zone string
	Agreement                               string // in addresses
	Style                                   string // changes with the style sheet
	AsOf                                    when
	Mark                                    mark
	Components                              []componentView
	Outages                                 []outageView
	MoreOutages                             int
	Maintenance                             []maintenanceView
}

// mark is a state in words, and the class by which it is drawn.
type mark struct{ Class, Word string }

func markOf(s sla.State) mark { return mark{string(s.Class()), s.Words()} }

// when is a time, or a range of time, for people and for programs.
type when struct{ ISO, Words, UTC string }

type componentView struct {
	Name, Description string
	Mark              mark
	Good              string // the good share of all days; "" if nothing was measured
	Over              string
	Bars              []bar
	Words             string // a description of the bars
	Rows              []row
}

// bar is a day in the drawing, by how much of it was bad.
type bar struct {
	X, Y, Height int
	Class, Title string
}

type row struct{ Date, Words string }

type outageView struct {
	Component, Length string
	Mark              mark
	Times             when
}

type maintenanceView struct {
	Components string
	Times      when
	Open       bool
}

// shownOutages is how many outages the page lists; its JSON has more.
const shownOutages = 30

func newView(agreement, style string, p *Page) view {
	v := view{
		Title: p.Title, Description: p.Description, Sentence: p.Sentence, Zone: p.TimeZone, Agreement: agreement, Style: style,
		AsOf: p.span(p.GeneratedAt, nil), Mark: markOf(p.state), Tab: p.Title,
	}
	bad := 0
	for _, c := range p.Components {
		if c.state >= sla.StateDegraded {
			bad++
		}
		v.Components = append(v.Components, c.view())
	}
	if bad > 0 {
		v.Tab = fmt.Sprintf("(%d) %s", bad, p.Title)
	}
	for _, o := range p.Outages[:min(len(p.Outages), shownOutages)] {
		v.Outages = append(v.Outages, p.outage(o))
	}
	v.MoreOutages = len(p.Outages) - len(v.Outages)
	for _, m := range p.Maintenance {
		v.Maintenance = append(v.Maintenance, maintenanceView{enumerate(m.Components), p.span(m.Start, &m.End), !m.Start.After(p.GeneratedAt)})
	}
	return v
}

func (p *Page) outage(o Outage) outageView {
	length := lengthWords(time.Duration(o.Seconds * float64(time.Second)))
	if o.End == nil {
		length += " so far"
	}
	times := p.span(o.Start, o.End)
	if o.End == nil {
		times.Words = "since " + times.Words
	}
	return outageView{o.Component, length, markOf(o.state), times}
}

// word is the state of an outage, for the middle of a sentence.
func (o Outage) word() string { return strings.ToLower(o.state.Words()) }

// span is a time, or a range of time, in the agreement's zone and in UTC.
func (p *Page) span(from time.Time, to *time.Time) when {
	w := when{ISO: from.UTC().Format(time.RFC3339), Words: spanWords(from.In(p.zone), to)}
	if p.zone != time.UTC && from.In(p.zone).Format("MST") != "UTC" {
		w.UTC = spanWords(from.UTC(), to)
		if date := from.UTC().Format(dayLayout); strings.HasPrefix(w.Words, date) && strings.Count(w.UTC, date) == 1 {
			w.UTC = strings.TrimPrefix(w.UTC, date) // the same day
		}
	}
	return w
}

const dayLayout = "2 January 2006, "

// spanWords prints a range of time in the zone of from: "30 November 2026, 09:14 to
// 09:31 CET".
func spanWords(from time.Time, to *time.Time) string {
	const day, clock, zone = dayLayout, "15:04", " MST"
	if to == nil {
		return from.Format(day + clock + zone)
	}
	end := to.In(from.Location())
	switch sameDay, sameZone := from.Format(day) == end.Format(day), from.Format(zone) == end.Format(zone); {
	case sameDay && sameZone:
		return from.Format(day+clock) + " to " + end.Format(clock+zone)
	case sameZone:
		return from.Format(day+clock) + " to " + end.Format(day+clock+zone)
	}
	return from.Format(day+clock+zone) + " to " + end.Format(day+clock+zone)
}

// lengthWords prints a duration for people, to the minute.
func lengthWords(d time.Duration) string {
	minutes := max(1, int(d.Round(time.Minute)/time.Minute))
	days, hours := minutes/(24*60), minutes/60%24
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes%60)
	}
	return fmt.Sprintf("%d min", minutes)
}

// percent is a good share, rounded down, so that anything imperfect looks so.
func percent(good float64) string {
	const places = 100
	floor := math.Floor(good*100*places+1e-7) / places
	return strconv.FormatFloat(max(floor, 0), 'f', -1, 64) + " %"
}

// bands say how to draw a day, from a bad share on.
var bands = []struct {
	from   float64
	class  string
	height int
	words  string
}{
	{0.05, "bad", 30, "with 5 % bad or more"},
	{0.001, "warn", 20, "with 0.1 % bad or more"},
	{0, "good", 12, "good"},
}

const (
	barWidth   = 10
	tallest    = 30
	unmeasured = 4 // the height of a day without a measurement
)

func (c Component) view() componentView {
	v := componentView{Name: c.Name, Description: c.Description, Mark: markOf(c.state)}
	counts := make([]int, len(bands))
	measured := 0
	for i, d := range c.Days {
		b := bar{X: i * barWidth, Height: unmeasured, Class: "none", Title: d.Date + ": not measured"}
		if d.BadShare != nil {
			measured++
			for n, band := range bands {
				if *d.BadShare >= band.from {
					b.Class, b.Height = band.class, band.height
					counts[n]++
					break
				}
			}
			b.Title = d.Date + ": " + percent(1-*d.BadShare) + " good"
			v.Rows = append(v.Rows, row{d.Date, percent(1 - *d.BadShare)})
		}
		b.Y = tallest - b.Height
		v.Bars = append(v.Bars, b)
	}
	words := []string{}
	for n, band := range bands {
		if counts[n] > 0 {
			words = append(words, fmt.Sprintf("%s %s", daysWords(counts[n]), band.words))
		}
	}
	if without := len(c.Days) - measured; without > 0 {
		words = append(words, daysWords(without)+" not measured")
	}
	v.Words = fmt.Sprintf("The last %d days: %s", len(c.Days), strings.Join(words, ", "))
	if c.GoodShare != nil {
		v.Good, v.Over = percent(*c.GoodShare), "good over "+daysWords(measured)
	}
	return v
}

func daysWords(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
