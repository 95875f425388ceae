package main

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/upheld-sla/upheld/dashboards"
	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

// outputFolders are the default folders of generate. Tests of the rules belong to the
// rules.
var outputFolders = []string{"rules", "dashboards", "prometheus", "alertmanager"}

// allOutputs are these and the folders that are only written on request.
var allOutputs = append(slices.Clone(outputFolders), "grafana", "perses", objectsFolder)

// provisionedBoards is the folder of dashboards below Grafana's provisioning folder.
const provisionedBoards = "grafana/dashboards"

// persesName matches the names that Perses allows.
var persesName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,75}$`)

// writes reports whether a folder is written.
func (o generateOptions) writes(folder string) bool { return slices.Contains(o.chosen, folder) }

func (o generateOptions) checkOutputs() error {
	for _, folder := range o.chosen {
		if !slices.Contains(allOutputs, folder) {
			return fmt.Errorf("--outputs: there is no %q; choose of %s", folder, strings.Join(allOutputs, ", "))
		}
	}
	switch {
	case len(o.chosen) == 0:
		return fmt.Errorf("--outputs chooses nothing; choose of %s", strings.Join(allOutputs, ", "))
	case o.tests && !o.writes("rules"):
		return fmt.Errorf("--tests are of the rules; add rules to --outputs")
	case o.writes("perses") && !persesName.MatchString(o.project):
		return fmt.Errorf("--perses.project=%q is not the name of a project: letters, digits, _, . and -, at most 75", o.project)
	case o.writes(objectsFolder) && !o.rules.Objects():
		return fmt.Errorf("--outputs=%s writes objects of Kubernetes; choose how rules are objects, too, for example with --rules.format=%s", objectsFolder, operatorFormat)
	case o.helm && !o.rules.Objects():
		return fmt.Errorf("--helm is for objects of Kubernetes, such as those of --rules.format=%s", operatorFormat)
	case o.writes("grafana") && o.provision.PrometheusURL == "":
		return fmt.Errorf("--grafana.prometheus.url is empty; say where Grafana asks Prometheus, such as http://prometheus:9090")
	case o.merged != "" && !o.writes("alertmanager"):
		return fmt.Errorf("--alertmanager.merge writes Alertmanager's configuration; add alertmanager to --outputs")
	}
	return nil
}

// outputs makes all files for the agreements, checked, on the stage. Findings are
// mistakes in the queries of any agreement. If there is an error among them, or the
// agreements are not good, do not use the files. omissions are what tests of the rules
// leave out, one per line.
func (o generateOptions) outputs(stage *filetree.Stage, agreements []*sla.Agreement, good bool) (findings sla.Findings, omissions string, err error) {
	findings, omissions, err = o.ofEach(stage, agreements, good)
	if err != nil || !good || findings.HasErrors() {
		return findings, "", err
	}
	for path, produce := range o.ofAll(agreements) {
		content, err := produce()
		if err != nil {
			return findings, "", err
		}
		if err := stage.Put(path, o.asTemplate(path, content), names(agreements)...); err != nil {
			return findings, "", err
		}
	}
	return findings, omissions, o.kustomize(stage, agreements)
}

// ofEach makes the files of each agreement, on all processors. The rules of a bundle
// are one file, which one goroutine writes.
func (o generateOptions) ofEach(stage *filetree.Stage, agreements []*sla.Agreement, good bool) (sla.Findings, string, error) {
	findings, omissions := make([]sla.Findings, len(agreements)), make([]string, len(agreements))
	work := make(chan int, len(agreements))
	for i := range agreements {
		work <- i
	}
	close(work)
	workers := runtime.GOMAXPROCS(0)
	if o.rules.Bundle != "" {
		workers = 1
	}
	var all errgroup.Group
	for range workers {
		all.Go(func() (err error) {
			files := agreementFiles{generateOptions: o, stage: stage, rules: newRuleFiles(o, stage, agreements)}
			for i := range work {
				if findings[i], err = files.add(agreements[i], good); err != nil {
					return err
				}
				omissions[i] = files.rules.omissions
			}
			return files.rules.close()
		})
	}
	err := all.Wait()
	return slices.Concat(findings...), strings.Join(omissions, ""), err
}

// agreementFiles makes the files of agreements, one after another.
type agreementFiles struct {
	generateOptions
	stage *filetree.Stage
	rules *ruleFiles
}

// add makes the files of an agreement. If it is not good, add only looks for findings.
func (f *agreementFiles) add(a *sla.Agreement, good bool) (sla.Findings, error) {
	findings, err := f.rules.add(a, good && f.writes("rules"))
	if err != nil || !good || findings.HasErrors() {
		return findings, err
	}
	grafana := func() ([]dashboards.Board, error) { return f.boards.OfAgreement(a) }
	for _, of := range []struct {
		output, folder string
		boards         func() ([]dashboards.Board, error)
	}{
		{"dashboards", "dashboards", grafana},
		{"grafana", provisionedBoards, grafana},
		{"perses", "perses", func() ([]dashboards.Board, error) { return f.boards.PersesOfAgreement(a, f.project) }},
	} {
		if !f.writes(of.output) {
			continue
		}
		boards, err := of.boards()
		if err != nil {
			return findings, fmt.Errorf("dashboards of %s: %w", a.Name, err)
		}
		for _, b := range boards {
			if err := f.stage.Put(of.folder+"/"+b.File, b.JSON, a.Name); err != nil {
				return findings, err
			}
		}
	}
	return findings, f.boardObjects(a)
}

// ofAll are the files that all agreements share, by path.
func (o generateOptions) ofAll(agreements []*sla.Agreement) map[string]func() ([]byte, error) {
	produced := map[string]func() ([]byte, error){}
	for output, folder := range map[string]string{"dashboards": "dashboards", "grafana": provisionedBoards} {
		if o.writes(output) {
			produced[folder+"/"+dashboards.OverviewUID+".json"] = func() ([]byte, error) { return o.boards.Overview(agreements) }
			produced[folder+"/"+dashboards.ExporterUID+".json"] = o.boards.Exporter
		}
	}
	if o.writes("grafana") {
		produced[provisionedBoards+"/upheld.yaml"] = func() ([]byte, error) { return emit.GrafanaDashboards(agreements) }
		produced["grafana/datasources/upheld.yaml"] = func() ([]byte, error) { return emit.GrafanaDatasource(agreements, o.provision, o.scrape) }
	}
	if o.writes("perses") {
		produced["perses/"+dashboards.OverviewUID+".json"] = func() ([]byte, error) { return o.boards.PersesOverview(agreements, o.project) }
	}
	if o.writes("alertmanager") && o.merged == "" {
		produced[alertmanagerPath] = func() ([]byte, error) {
			text, _, err := emit.Alertmanager(agreements)
			return text, err
		}
	}
	if o.writes("alertmanager") && !o.stdout { // stdout prints only one file, and Alertmanager accepts a missing template
		produced["alertmanager/"+emit.TemplateFile] = func() ([]byte, error) { return emit.AlertmanagerTemplate(), nil }
	}
	if o.writes("prometheus") {
		produced["prometheus/scrape.yaml"] = func() ([]byte, error) { return emit.Scrape(agreements, o.scrape) }
		if o.rules.Plain() {
			produced["prometheus/prometheus.yml"] = func() ([]byte, error) { return emit.PrometheusConfig(agreements, o.scrape) }
		} else if o.rules.Format == operatorFormat && emit.Scraped(agreements) {
			produced[serviceMonitorPath] = func() ([]byte, error) {
				return emit.ServiceMonitor(agreements, o.rules.Operator, o.scrape)
			}
		}
	}
	if o.writes(objectsFolder) {
		o.objectsOfAll(agreements, produced)
	}
	return produced
}
