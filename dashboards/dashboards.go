// Package dashboards makes Grafana dashboards: one for each agreement and an
// overview of all, as JSON of the classic schema, which Grafana 9 and later
// import and provision.
//
// It asks only for series that rulegen records, for Prometheus' own ALERTS and
// for the exporter's metrics, never for a user's query: what is shown is what
// alerts are raised on. It must not import the PromQL parser or a file format.
package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// OverviewUID is the uid of the overview. No agreement's dashboard has it,
// because names of agreements hold no underscore.
const OverviewUID = "upheld_overview"

const (
	uidPrefix = "upheld-"
	tag       = "upheld"

	// schemaVersion is what Grafana 10 wrote; older servers ignore what they do
	// not know, newer ones migrate it.
	schemaVersion = 39
	// pluginVersion tells newer servers that the panels need no migration from
	// versions before 9.
	pluginVersion = "9.0.0"
)

// maxUID is Grafana's limit.
const maxUID = 40

// UID is the uid of an agreement's dashboard: "upheld-" and the agreement's
// name, which is shortened and told apart by a hash where that is too long. It
// never changes for a name, so links to a dashboard survive its regeneration.
func UID(agreement string) string {
	if uid := uidPrefix + agreement; len(uid) <= maxUID {
		return uid
	}
	hash := fmt.Sprintf("-%08x", sum32(agreement))
	return uidPrefix + agreement[:maxUID-len(uidPrefix)-len(hash)] + hash
}

func sum32(text string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(text)) // never fails
	return h.Sum32()
}

// Overview is the dashboard of all agreements: every service level with its
// target, what is achieved, the budget left and the alerts that fire, the worst
// first. It shows whatever agreements the data source knows, so that several
// repositories can generate the same overview.
func Overview(agreements []*sla.Agreement) ([]byte, error) { return encode(overview(agreements)) }

func overview(agreements []*sla.Agreement) *dashboard.Dashboard {
	d := newDashboard(OverviewUID, "Service levels: overview",
		fmt.Sprintf("%s from %s. Do not edit by hand.", rulegen.Marker, names(agreements)))
	d.Templating.List = append(d.Templating.List,
		valuesVariable(varSLA, "Agreement", choose()))
	d.Links = append(d.Links, taggedLink("Agreements"))
	var g grid
	overviewPanels(&g, agreements)
	d.Panels = g.panels
	return d
}

// Agreement is the dashboard of one agreement: all its service levels in short,
// then a row for each.
func Agreement(a *sla.Agreement) ([]byte, error) { return encode(agreement(a)) }

func agreement(a *sla.Agreement) *dashboard.Dashboard {
	description := fmt.Sprintf("%s from agreement %s. Do not edit by hand.", rulegen.Marker, a.Name)
	if a.Description != "" {
		description += "\n\n" + a.Description
	}
	d := newDashboard(UID(a.Name), "Service levels: "+a.Name, description)
	own := choose(eq("sla", a.Name))
	d.Templating.List = append(d.Templating.List,
		valuesVariable(varService, "Service", own),
		valuesVariable(varSLO, "Service level", own.with(among("service", varService))))
	d.Templating.List = append(d.Templating.List, groupVariables(a)...)
	d.Links = append(d.Links, dashboardLink("Overview", "/d/"+OverviewUID))
	var g grid
	agreementPanels(&g, a)
	d.Panels = g.panels
	return d
}

func newDashboard(uid, title, description string) *dashboard.Dashboard {
	d := dashboard.NewDashboard()
	d.Uid, d.Title, d.Description = &uid, &title, &description
	d.Tags = []string{tag}
	d.SchemaVersion = schemaVersion
	d.Editable = cog.ToPtr(false)
	d.GraphTooltip = cog.ToPtr(dashboard.DashboardCursorSyncCrosshair)
	d.Time = &dashboard.DashboardDashboardTime{From: "now-24h", To: "now"}
	d.Refresh = cog.ToPtr("1m")
	d.Templating.List = []dashboard.VariableModel{datasourceVariable()}
	return d
}

// encode checks a dashboard by the SDK's constraints and prints it, indented,
// with a newline at its end. Equal dashboards give equal bytes.
func encode(d *dashboard.Dashboard) ([]byte, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("dashboard %q: %w", *d.Uid, err)
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("dashboard %q: %w", *d.Uid, err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("dashboard %q: %w", *d.Uid, err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// names is "agreement shop" or "agreements bank, shop", in the order given.
func names(agreements []*sla.Agreement) string {
	list := make([]string, 0, len(agreements))
	for _, a := range agreements {
		list = append(list, a.Name)
	}
	switch len(list) {
	case 0:
		return "no agreement"
	case 1:
		return "agreement " + list[0]
	}
	return "agreements " + strings.Join(list, ", ")
}
