package rulegen

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Links are where alerts send those who are woken, besides the dashboard.
type Links struct {
	Runbooks     string // the folder of runbooks, a page of Markdown for each alert; RunbooksURL if empty
	Pages        string // our own pages; "" for no links
	Alertmanager string // where silences are made; "" for no links
}

// RunbooksURL is the folder of the runbooks that come with the program.
const RunbooksURL = "https://github.com/upheld-sla/upheld/blob/main/docs/runbooks"

// runbook is what to read about an alert of a kind.
func (l Links) runbook(k *sla.AlertKind) string {
	base := l.Runbooks
	if base == "" {
		base = RunbooksURL
	}
	return strings.TrimRight(base, "/") + "/" + k.Name + ".md"
}

// runbookOf is what to read about an alert of an agreement as a whole.
func (l Links) runbookOf(a *sla.Agreement, k *sla.AlertKind) string {
	return cmp.Or(a.Alerting.Runbook, l.runbook(k))
}

// page is the page of a level.
func (l Links) page(id sla.ID) string {
	return fmt.Sprintf("%s/level/%s/%s/%s", strings.TrimRight(l.Pages, "/"), url.PathEscape(id.SLA), url.PathEscape(id.Service), url.PathEscape(id.SLO))
}

// silence is the form in which an alert of a level is silenced, of all its groups.
func (l Links) silence(k *sla.AlertKind, id sla.ID) string {
	filter := fmt.Sprintf(`{alertname=%q,%s=%q,%s=%q,%s=%q}`, k.Name, metricnames.SLA, id.SLA, metricnames.Service, id.Service, metricnames.SLO, id.SLO)
	return strings.TrimRight(l.Alertmanager, "/") + "/#/silences/new?filter=" + strings.ReplaceAll(url.QueryEscape(filter), "+", "%20")
}
