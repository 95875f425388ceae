package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

// objectsFolder has Kubernetes objects other than rules, and is only written on
// request.
const objectsFolder = "objects"

// kustomizationFile is beside the folders, since kustomize reads nothing above its own.
const kustomizationFile = "kustomization.yaml"

// objectsOfAll are the objects that all agreements share, by path.
func (o generateOptions) objectsOfAll(agreements []*sla.Agreement, produced map[string]func() ([]byte, error)) {
	board := func(uid string, produce func() ([]byte, error)) {
		produced[objectsFolder+"/board-"+uid+".yaml"] = func() ([]byte, error) {
			text, err := produce()
			if err != nil {
				return nil, err
			}
			return emit.BoardObject(agreements, uid+".json", text, o.rules.Operator)
		}
	}
	board(dashboards.OverviewUID, func() ([]byte, error) { return o.boards.Overview(agreements) })
	board(dashboards.ExporterUID, o.boards.Exporter)
	if o.rules.Format != operatorFormat {
		return
	}
	produced[objectsFolder+"/alertmanagerconfig.yaml"] = func() ([]byte, error) {
		return emit.AlertmanagerObject(agreements, o.rules.Operator)
	}
	if o.scrapesAddresses() && emit.Scraped(agreements) {
		produced[objectsFolder+"/scrapeconfig.yaml"] = func() ([]byte, error) {
			return emit.ScrapeObject(agreements, o.rules.Operator, o.scrape)
		}
	}
}

// scrapesAddresses reports whether exporters were named, so that the cluster needs no
// Service for them.
func (o generateOptions) scrapesAddresses() bool {
	return !slices.Equal(o.scrape.Exporters, []string{usualExporter})
}

// boardObjects makes the ConfigMaps of an agreement's dashboards.
func (f *agreementFiles) boardObjects(a *sla.Agreement) error {
	if !f.writes(objectsFolder) {
		return nil
	}
	boards, err := f.boards.OfAgreement(a)
	if err != nil {
		return fmt.Errorf("dashboards of %s: %w", a.Name, err)
	}
	for _, b := range boards {
		text, err := emit.BoardObject([]*sla.Agreement{a}, b.File, b.JSON, f.generateOptions.rules.Operator)
		if err != nil {
			return err
		}
		path := objectsFolder + "/board-" + strings.TrimSuffix(b.File, ".json") + ".yaml"
		if err := f.stage.Put(path, f.asTemplate(path, text), a.Name); err != nil {
			return err
		}
	}
	return nil
}

// kustomize writes the base over all generated objects.
func (o generateOptions) kustomize(stage *filetree.Stage, agreements []*sla.Agreement) error {
	if !o.writes(objectsFolder) {
		return nil
	}
	var files []string
	for _, path := range stage.Taken() {
		scraped := path == serviceMonitorPath && !o.scrapesAddresses()
		if scraped || strings.HasPrefix(path, objectsFolder+"/") || strings.HasPrefix(path, "rules/") {
			files = append(files, path)
		}
	}
	text, err := emit.Kustomization(agreements, files)
	if err != nil {
		return err
	}
	return stage.Put(kustomizationFile, text, names(agreements)...)
}

const serviceMonitorPath = "prometheus/servicemonitor.yaml"

// asTemplate escapes an object for a Helm chart, if requested. Other files stay as they
// are.
func (o generateOptions) asTemplate(path string, text []byte) []byte {
	if o.helm && (path == serviceMonitorPath || strings.HasPrefix(path, objectsFolder+"/")) {
		return emit.HelmEscaped(text)
	}
	return text
}

// ruleSink is the writer for rules, which escapes them for a Helm chart.
func (o generateOptions) ruleSink(w io.Writer) io.Writer {
	if o.helm {
		return emit.HelmWriter{W: w}
	}
	return w
}
