// Package dashboards makes Grafana dashboards: an overview of all agreements, and
// boards of one agreement, of one of its levels, of its composites, of its probes, and
// of the exporters. They are JSON of the classic schema, which Grafana 9 and later
// import and provision.
//
// It only queries series that rulegen records, Prometheus' own ALERTS and the
// exporter's metrics, never a user's query, so boards show what alerts are based on. It
// must not import the PromQL parser or a file format.
package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/url"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/sla"
)

// UIDs of the boards that are not about one agreement. No agreement's board has them,
// because names of agreements contain no underscore.
const (
	OverviewUID = "upheld_overview"
	ExporterUID = "upheld_exporter"
)

const (
	uidPrefix       = "upheld-"
	levelPrefix     = "upheld_level-"
	compositePrefix = "upheld_composite-"
	probesPrefix    = "upheld_probes-"
	tag             = "upheld"

	// schemaVersion is the version of Grafana 10; older servers ignore what they do not
	// know, newer ones migrate it.
	schemaVersion = 39
	// pluginVersion tells newer servers that the panels need no migration from
	// versions before 9.
	pluginVersion = "9.0.0"
)

// Titles of the boards that are not about one agreement, and the beginning of an
// agreement's.
const (
	titlePrefix   = "Service levels: "
	overviewTitle = titlePrefix + "overview"
	exporterTitle = titlePrefix + "exporters"
)

// title is the title of an agreement's board. Grafana refuses a folder with two boards
// of the same title.
func title(a *sla.Agreement) string {
	of := titlePrefix + a.Name
	if of == overviewTitle || of == exporterTitle {
		of += " (agreement)"
	}
	return of
}

// maxUID is Grafana's limit.
const maxUID = 40

// UID is the uid of an agreement's dashboard: "upheld-" and the agreement's name, which
// is shortened and made unique by a hash if it is too long. It never changes for a
// name, so links to a dashboard survive its regeneration.
func UID(agreement string) string { return uidOf(uidPrefix, agreement) }

// LevelUID is the uid of the board of an agreement's levels, where the variables
// service and slo choose one.
func LevelUID(agreement string) string { return uidOf(levelPrefix, agreement) }

func uidOf(prefix, agreement string) string {
	if uid := prefix + agreement; len(uid) <= maxUID {
		return uid
	}
	hash := fmt.Sprintf("-%08x", sum32(agreement))
	return prefix + agreement[:maxUID-len(prefix)-len(hash)] + hash
}

func sum32(text string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(text)) // never fails
	return h.Sum32()
}

// Options apply to all boards of an installation.
type Options struct {
	// PagesURL is where upheld serve shows its pages, which boards then link; "" for no
	// links.
	PagesURL string
	// RunbooksURL is the folder of runbooks, to which alerts on boards link;
	// rulegen.RunbooksURL if it is empty.
	RunbooksURL string
}

// Board is a dashboard, and the name of its file.
type Board struct {
	File string
	JSON []byte
}

// made is a board under construction, and the end of its file's name, after the
// agreement.
type made struct {
	suffix string
	*board
}

// ofAgreement makes the boards of one agreement for which it has levels.
func (o Options) ofAgreement(a *sla.Agreement) []made {
	boards := []made{{"", o.agreement(a)}}
	if len(a.Levels) > 0 {
		boards = append(boards, made{"_level", o.level(a)})
	}
	if len(composites(a)) > 0 {
		boards = append(boards, made{"_composite", o.composite(a)})
	}
	if len(probed(a)) > 0 {
		boards = append(boards, made{"_probes", o.probes(a)})
	}
	return boards
}

// OfAgreement are the boards of one agreement.
func (o Options) OfAgreement(a *sla.Agreement) ([]Board, error) {
	return encodeAll(a, o.ofAgreement(a), (*board).encode)
}

func encodeAll(a *sla.Agreement, all []made, encode func(*board) ([]byte, error)) ([]Board, error) {
	var boards []Board
	for _, m := range all {
		content, err := encode(m.board)
		if err != nil {
			return nil, err
		}
		boards = append(boards, Board{a.Name + m.suffix + ".json", content})
	}
	return boards, nil
}

// Overview is the dashboard of all agreements: every service level with its target, its
// achieved share, the budget left and the firing alerts, the worst first. It shows all
// agreements in the data source, so several repositories can generate the same
// overview.
func (o Options) Overview(agreements []*sla.Agreement) ([]byte, error) {
	return o.overview(agreements).encode()
}

func (o Options) overview(agreements []*sla.Agreement) *board {
	d := newBoard(OverviewUID, overviewTitle,
		fmt.Sprintf("%s from %s. Do not edit by hand.", rulegen.Marker, names(agreements)))
	d.variables(valuesVariable(varSLA, "Agreement", choose()))
	d.Links = append(d.Links, taggedLink("Agreements"), d.link("Exporters", ExporterUID))
	o.linkPages(d, "/")
	d.annotations = alertAnnotations(choose(among("sla", varSLA)), urgenciesOf(agreements...), metricnames.SLA)
	overviewPanels(&d.grid, agreements)
	return d
}

// agreement is the dashboard of one agreement: a summary of all its levels.
func (o Options) agreement(a *sla.Agreement) *board {
	d := newBoard(UID(a.Name), title(a), describe(a))
	own := choose(eq("sla", a.Name))
	d.variables(valuesVariable(varService, "Service", own),
		valuesVariable(varSLO, "Service level", own.with(among("service", varService))))
	d.linkAgreement(a, UID(a.Name))
	o.linkPages(d, "/agreement/"+url.PathEscape(a.Name))
	o.linkReports(d)
	d.annotations = alertAnnotations(own.with(among("service", varService), among("slo", varSLO)), urgenciesOf(a), metricnames.Service)
	agreementPanels(&d.grid, a)
	return d
}

// level is the board of one service level of an agreement, chosen by variables.
func (o Options) level(a *sla.Agreement) *board {
	d, c := newBoard(LevelUID(a.Name), a.Name+": a service level", describe(a)), chosenLevel(a)
	d.choosesOneOf(a, a.Levels)
	d.variables(groupVariables(a)...)
	d.linkAgreement(a, LevelUID(a.Name))
	o.linkLevel(d, a)
	o.linkReports(d)
	d.annotations = levelAnnotations(c)
	levelPanels(&d.grid, c, o.runbooks())
	return d
}

// composite is the board of one composite of an agreement, chosen by variables.
func (o Options) composite(a *sla.Agreement) *board {
	d := newBoard(uidOf(compositePrefix, a.Name), a.Name+": a composite", describe(a))
	c := chosenLevel(&sla.Agreement{Name: a.Name, Levels: composites(a)})
	d.choosesOneOf(a, c.of.Levels)
	d.linkAgreement(a, *d.Uid)
	o.linkLevel(d, a)
	d.annotations = levelAnnotations(c)
	compositePanels(&d.grid, c)
	return d
}

// probes is the board of the probe that a level counts, chosen by variables.
func (o Options) probes(a *sla.Agreement) *board {
	d := newBoard(uidOf(probesPrefix, a.Name), a.Name+": probes and response times", describe(a))
	d.choosesOneOf(a, probed(a))
	d.Time.From = "now-24h"
	d.linkAgreement(a, *d.Uid)
	o.linkLevel(d, a)
	c := chosenLevel(a)
	d.annotations = levelAnnotations(c)
	probePanels(&d.grid, c)
	return d
}

// Exporter is the board of all exporters: whether their measurements can be trusted.
func (o Options) Exporter() ([]byte, error) {
	d := newBoard(ExporterUID, exporterTitle, rulegen.Marker+" from the exporter's metrics. Do not edit by hand.")
	v := valuesVariable(instance, "Exporter", choose())
	v.Query.String = cog.ToPtr(fmt.Sprintf("label_values(upheld_exporter_build_info, %s)", instance))
	d.variables(v)
	d.Links = append(d.Links, d.link("Overview", OverviewUID))
	exporterPanels(&d.grid)
	return d.encode()
}

func describe(a *sla.Agreement) string {
	description := fmt.Sprintf("%s from agreement %s. Do not edit by hand.", rulegen.Marker, a.Name)
	if a.Description != "" {
		description += "\n\n" + a.Description
	}
	return description
}

// board is a dashboard under construction.
type board struct {
	*dashboard.Dashboard
	grid        grid
	annotations []annotation
}

func newBoard(uid, title, description string) *board {
	d := dashboard.NewDashboard()
	d.Uid, d.Title, d.Description = &uid, &title, &description
	d.Tags = []string{tag}
	d.SchemaVersion = schemaVersion
	d.Editable = cog.ToPtr(false)
	d.GraphTooltip = cog.ToPtr(dashboard.DashboardCursorSyncCrosshair)
	d.Time = &dashboard.DashboardDashboardTime{From: "now-24h", To: "now"}
	d.Refresh = cog.ToPtr("1m")
	d.Templating.List = []dashboard.VariableModel{datasourceVariable()}
	return &board{Dashboard: d}
}

// encode checks a dashboard by the SDK's constraints and prints it, indented,
// with a newline at its end. Equal dashboards give equal bytes.
func (b *board) encode() ([]byte, error) {
	b.Panels = b.grid.panels
	if err := b.Validate(); err != nil {
		return nil, fmt.Errorf("dashboard %q: %w", *b.Uid, err)
	}
	raw, err := json.Marshal(b.Dashboard)
	if err != nil {
		return nil, fmt.Errorf("dashboard %q: %w", *b.Uid, err)
	}
	if raw, err = b.annotate(raw); err != nil {
		return nil, fmt.Errorf("dashboard %q: %w", *b.Uid, err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return nil, fmt.Errorf("dashboard %q: %w", *b.Uid, err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// annotate adds the annotations to the JSON, since the SDK writes none.
func (b *board) annotate(raw []byte) ([]byte, error) {
	if len(b.annotations) == 0 {
		return raw, nil
	}
	list, err := json.Marshal(map[string]any{"list": b.annotations})
	if err != nil {
		return nil, err
	}
	empty := []byte(`"annotations":{}`)
	if bytes.Count(raw, empty) != 1 {
		return nil, fmt.Errorf("the SDK writes annotations in another way: there is no %s in %.200s", empty, raw)
	}
	return bytes.Replace(raw, empty, append([]byte(`"annotations":`), list...), 1), nil
}

// names prints "agreement shop" or "agreements bank, shop", in the given order.
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
