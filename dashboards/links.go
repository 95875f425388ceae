package dashboards

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// Links keep the chosen data source, and the range unless they set one.

const keepDatasource = "?${" + varDatasource + ":queryparam}"

func (b *board) link(title, uid string) dashboard.DashboardLink {
	return urlLink(title, "/d/"+uid+keepDatasource, "dashboard", true)
}

func urlLink(title, target, icon string, keepTime bool) dashboard.DashboardLink {
	return dashboard.DashboardLink{
		Title: title, Type: dashboard.DashboardLinkTypeLink, Icon: icon, Url: &target, Tags: []string{}, KeepTime: keepTime,
	}
}

// taggedLink is a menu of all generated dashboards.
func taggedLink(title string) dashboard.DashboardLink {
	return dashboard.DashboardLink{
		Title: title, Type: dashboard.DashboardLinkTypeDashboards, Icon: "external link",
		Tags: []string{tag}, AsDropdown: true, KeepTime: true, IncludeVars: true,
	}
}

// keepLevel passes the chosen level on.
const keepLevel = "&${" + varService + ":queryparam}&${" + varSLO + ":queryparam}"

// linkAgreement links the other boards of an agreement from one of them. From a board
// of one level they open on the same level, and a link for each period shows that
// period.
func (b *board) linkAgreement(a *sla.Agreement, self string) {
	b.Links = append(b.Links, b.link("Overview", OverviewUID))
	ofLevel := self != UID(a.Name)
	for _, to := range []struct {
		title, uid string
		exists     bool
	}{
		{a.Name, UID(a.Name), true},
		{"Level", LevelUID(a.Name), len(a.Levels) > 0},
		{"Composite", uidOf(compositePrefix, a.Name), len(composites(a)) > 0},
		{"Probes", uidOf(probesPrefix, a.Name), len(probed(a)) > 0},
	} {
		if !to.exists || to.uid == self {
			continue
		}
		link := b.link(to.title, to.uid)
		if ofLevel && to.uid != UID(a.Name) {
			*link.Url += keepLevel
		}
		b.Links = append(b.Links, link)
	}
	b.Links = append(b.Links, b.link("Exporters", ExporterUID))
	if !ofLevel {
		return
	}
	for _, p := range periods(a) {
		b.Links = append(b.Links, urlLink("Period: "+p.String(),
			fmt.Sprintf("/d/%s%s%s&var-%s=%s&from=%s&to=now", self, keepDatasource, keepLevel, varPeriod, p, rangeOf(p)), "time", false))
	}
}

// runbooks is the folder of runbooks.
func (o Options) runbooks() string {
	return strings.TrimRight(cmp.Or(o.RunbooksURL, rulegen.RunbooksURL), "/")
}

// linkLevel links the page of the chosen level.
func (o Options) linkLevel(b *board, a *sla.Agreement) {
	o.linkPages(b, "/level/"+url.PathEscape(a.Name)+"/${service:percentencode}/${slo:percentencode}")
}

// linkReports links the reports of past periods, which upheld serve keeps.
func (o Options) linkReports(b *board) {
	if o.PagesURL != "" {
		b.Links = append(b.Links, urlLink("Reports", strings.TrimRight(o.PagesURL, "/")+"/reports", "doc", false))
	}
}

// linkPages links a page of upheld serve, if its address is known.
func (o Options) linkPages(b *board, path string) {
	if o.PagesURL != "" {
		b.Links = append(b.Links, urlLink("Upheld's page", strings.TrimRight(o.PagesURL, "/")+path, "external link", false))
	}
}

// rangeOf is the range of time that shows a period, in Grafana's notation. A calendar
// period is shown in the viewer's time zone.
func rangeOf(p sla.Period) string {
	if p.Calendar == "" {
		if name := p.String(); strings.IndexFunc(name, unicode.IsLetter) == len(name)-1 { // Grafana does not know 1h30m
			return "now-" + name
		}
		return fmt.Sprintf("now-%ds", int(p.Rolling.Seconds()))
	}
	for _, r := range calendarRanges() {
		if r.calendar == p.Calendar {
			return r.from
		}
	}
	return "now-" + fmt.Sprint(int(p.Longest().Hours())) + "h"
}

type calendarRange struct {
	calendar sla.Unit
	from     string
}

func calendarRanges() []calendarRange {
	return []calendarRange{{sla.Week, "now/w"}, {sla.Month, "now/M"}, {sla.Quarter, "now/Q"}, {sla.Year, "now/y"}}
}

// Labels that only serve the links of tables.
const (
	labelBoard = "dashboard"
	labelRange = "range"
	colBoard   = "Dashboard"
	colRange   = "Range"
)

// linkToLevels links each line of a table of levels to the level's board, with the
// level's first period as range. The query computes uid and range, because the overview
// also shows agreements that were generated elsewhere.
func linkToLevels(p *panel, of selector, agreements ...*sla.Agreement) {
	expr := fmt.Sprintf(`label_replace(%s, "%s", "%s$1", "%s", "(.*)")`, of.info(), labelBoard, levelPrefix, metricnames.SLA)
	for _, a := range agreements {
		if LevelUID(a.Name) != levelPrefix+a.Name {
			expr = fmt.Sprintf(`label_replace(%s, "%s", "%s", "%s", "%s")`, expr, labelBoard, LevelUID(a.Name), metricnames.SLA, a.Name)
		}
	}
	ranges := [][2]string{{"now-24h", ".*"}, {"now-$1", `([0-9]+[smhdwy])(,.*)?`}}
	for _, r := range calendarRanges() {
		ranges = append(ranges, [2]string{r.from, string(r.calendar) + "(,.*)?"})
	}
	for _, r := range ranges {
		expr = fmt.Sprintf(`label_replace(%s, "%s", "%s", "%s", "%s")`, expr, labelRange, r[0], metricnames.Period, r[1])
	}
	setExpr(p, 0, expr)
	options := p.Transformations[1].Options.(map[string]any)
	rename, order := options["renameByName"].(map[string]string), options["indexByName"].(map[string]int)
	for _, c := range [][2]string{{labelBoard, colBoard}, {labelRange, colRange}} {
		rename[c[0]] = c[1]
		order[c[0]] = len(order)
		p.hidden(c[1])
	}
	target := strings.Join([]string{
		"/d/${__data.fields." + colBoard + "}" + keepDatasource,
		"var-" + varService + "=${__data.fields." + colService + ":percentencode}",
		"var-" + varSLO + "=${__data.fields." + colLevel + ":percentencode}",
		"from=${__data.fields." + colRange + "}", "to=now",
	}, "&")
	p.override(colLevel, property{Id: "links", Value: []map[string]any{{"title": "Open the level's dashboard", "url": target, "targetBlank": false}}})
}
