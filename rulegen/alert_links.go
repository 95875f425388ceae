package rulegen

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Links are the pages that alerts link to, besides the dashboard.
type Links struct {
	Runbooks     string // the folder of runbooks, with a page of Markdown for each alert; RunbooksURL if empty
	Pages        string // where our own pages are; "" for no links
	Alertmanager string // where silences are made; "" for no links
}

// RunbooksURL is the folder of the runbooks that come with the program.
const RunbooksURL = "https://github.com/upheld-sla/upheld/blob/main/docs/runbooks"

// runbook is the page to read about alerts of a kind.
func (l Links) runbook(k *sla.AlertKind) string {
	base := l.Runbooks
	if base == "" {
		base = RunbooksURL
	}
	return strings.TrimRight(base, "/") + "/" + k.Name + ".md"
}

// runbookOf is the page to read about an alert of a whole agreement.
func (l Links) runbookOf(a *sla.Agreement, k *sla.AlertKind) string {
	return cmp.Or(a.Alerting.Runbook, l.runbook(k))
}

// page is the page of a level.
func (l Links) page(id sla.ID) string {
	return fmt.Sprintf("%s/level/%s/%s/%s", strings.TrimRight(l.Pages, "/"), url.PathEscape(id.SLA), url.PathEscape(id.Service), url.PathEscape(id.SLO))
}

// silence is the form to silence an alert of a level, for all its groups.
func (l Links) silence(k *sla.AlertKind, id sla.ID) string {
	filter := fmt.Sprintf(`{alertname=%q,%s=%q,%s=%q,%s=%q}`, k.Name, metricnames.SLA, id.SLA, metricnames.Service, id.Service, metricnames.SLO, id.SLO)
	return strings.TrimRight(l.Alertmanager, "/") + "/#/silences/new?filter=" + strings.ReplaceAll(url.QueryEscape(filter), "+", "%20")
}
