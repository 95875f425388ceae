package spec

import (
	"fmt"
	"slices"

	"github.com/upheld-sla/upheld/sla"
)

// scenarioReader reads a scenario of one agreement, whose revisions are known.
type scenarioReader struct {
	revisions []*sla.Agreement
	zone      string
	alerts    []string // names that expectations may have, besides those of levels
}

// readScenarios reads the scenarios, once all agreements are known, and gives them to
// every revision of their agreement.
func (l *loader) readScenarios() {
	read := map[string][]*sla.Scenario{}
	for _, root := range l.scenarios {
		root.name = "a document"
		if s := l.scenario(root); s != nil {
			all := read[s.Agreement]
			if i := slices.IndexFunc(all, func(other *sla.Scenario) bool { return other.Name == s.Name }); i >= 0 {
				root.d.report(sla.Error, s.Pos, "duplicate-scenario", fmt.Sprintf("the scenario %q is already defined at %s", s.Name, all[i].Pos), "give one of them another name")
			}
			if len(all) == maxScenarios {
				root.error("too-many", fmt.Sprintf("the agreement %q has more than %d scenarios", s.Agreement, maxScenarios), "load fewer files")
			}
			if len(all) < maxScenarios {
				read[s.Agreement] = append(all, s)
			}
		}
		l.findings = append(l.findings, root.d.findings...)
	}
	for _, doc := range l.docs {
		doc.agreement.Scenarios = read[doc.agreement.Name]
	}
}

// scenario reads one scenario, nil if it cannot be used.
func (l *loader) scenario(root value) *sla.Scenario {
	o := root.object(scenarioSection)
	if o == nil {
		return nil
	}
	_, _, _ = read(o, "apiVersion", word(apiVersion))
	_, _, _ = read(o, "kind", word(scenarioKind))
	s := &sla.Scenario{Pos: root.pos()}
	var r scenarioReader
	if v, given := o.get("metadata"); given {
		r = l.scenarioOf(v, s)
	}
	v, given := o.get("spec")
	if !given || len(r.revisions) == 0 {
		return nil
	}
	if spec := v.object(scenarioSpecSection); spec != nil {
		r.decode(spec, s)
		return s
	}
	return nil
}

// scenarioOf reads the metadata, and finds the agreement.
func (l *loader) scenarioOf(v value, s *sla.Scenario) (r scenarioReader) {
	o := v.object(scenarioMetadataSection)
	if o == nil {
		return r
	}
	name, at, ok := read(o, "name", value.identifier)
	if s.Name = name; ok {
		s.Pos = at.pos()
	}
	s.Description, _, _ = read(o, "description", value.text)
	agreement, of, ok := read(o, "agreement", value.identifier)
	if s.Agreement = agreement; !ok {
		return r
	}
	r.revisions = l.revisionsOf(agreement, of)
	for _, a := range r.revisions {
		r.zone = a.Zone
	}
	return r
}

func (r scenarioReader) decode(o *object, s *sla.Scenario) {
	s.At, _, _ = read(o, "at", instantIn(r.zone))
	lookFor, lookAt, looked := read(o, "lookFor", value.duration)
	if s.LookFor = lookFor; lookFor > LongestScenario {
		lookAt.error("bad-duration", lookAt.quoted()+" is longer than "+sla.FormatDuration(LongestScenario), "look at less")
	}
	s.Levels, _, _ = read(o, "levels", r.levels)
	scrape, at, ok := read(o, "scrapeInterval", value.duration)
	if s.ScrapeInterval = scrape; ok && (scrape < minScrape || scrape > maxScrape) {
		at.error("bad-duration", fmt.Sprintf("%s is not from %s to %s: a five-minute rate needs four scrapes", at.quoted(), sla.FormatDuration(minScrape), sla.FormatDuration(maxScrape)), "write scrapeInterval: 15s")
	}
	s.Spent, _, _ = read(o, "spent", value.shareOfAll)
	traffic, _, _ := read(o, "traffic", limitedList(maxScenarioSteps))
	for _, item := range traffic {
		r.traffic(item, s)
	}
	series, _, _ := read(o, "series", limitedList(maxGivenSeries))
	for _, item := range series {
		r.series(item, s)
	}
	steps, stepsAt, _ := read(o, "steps", limitedList(maxScenarioSteps))
	for _, item := range steps {
		r.step(item, s)
	}
	if stepsAt.node == nil && len(series) == 0 {
		o.missing("a scenario needs steps, or series", "add steps: [{outage: {for: 20m}}]")
	}
	for _, step := range s.Steps {
		if looked && step.From >= lookFor {
			o.d.report(sla.Error, step.Pos, "bad-step", fmt.Sprintf("this step begins after what is looked at, which is %s", sla.FormatDuration(lookFor)), "let it begin earlier, or look for longer")
		}
	}
	expect, _, _ := read(o, "expect", limitedList(maxExpectations))
	for _, item := range expect {
		if e, ok := r.expectation(item); ok {
			s.Expect = append(s.Expect, e)
		}
	}
}

// levels reads names of levels.
func (r scenarioReader) levels(v value) ([]sla.ID, bool) { return levelNames(v, r.revisions) }

func (r scenarioReader) traffic(item value, s *sla.Scenario) {
	item.name = "traffic"
	o := item.object(trafficSection)
	if o == nil {
		return
	}
	t := sla.ScenarioTraffic{Rate: sla.DefaultTraffic, Shape: sla.TrafficShapes[0]}
	t.Levels, _, _ = read(o, "levels", r.levels)
	if rate, at, ok := read(o, "rate", value.decimal); ok {
		if t.Rate = rate; rate.Sign() <= 0 || rate.Cmp(sla.NewDecimal(maxCount, 1)) > 0 {
			at.error("bad-rate", at.quoted()+" is not above 0, and at most "+itoa(maxCount)+" events a second", `write rate: "10"`)
		}
	}
	if shape, _, ok := read(o, "shape", word(sla.TrafficShapes...)); ok {
		t.Shape = shape
	}
	s.Traffic = append(s.Traffic, t)
}

func (r scenarioReader) series(item value, s *sla.Scenario) {
	item.name = "a series"
	o := item.object(givenSeriesSection)
	if o == nil {
		return
	}
	var g sla.ScenarioSeries
	name, at, ok := read(o, "series", value.text)
	values, valuesAt, valuesOK := read(o, "values", value.scalarOrText)
	g.Every, _, _ = read(o, "every", value.duration)
	if ok && valuesOK {
		g.Series, g.Values, g.Pos, g.ValuesPos = name, values, at.pos(), valuesAt.pos()
		s.Series = append(s.Series, g)
	}
}

// step reads one step.
func (r scenarioReader) step(item value, s *sla.Scenario) {
	item.name = "a step"
	o := item.object(scenarioStepSection)
	if o == nil {
		return
	}
	for _, f := range sla.StepKinds {
		v, given := o.get(string(f.Kind))
		if !given {
			continue
		}
		fields := v.object(scenarioStepSection.field(string(f.Kind)).typ.sections[0])
		if fields == nil {
			return
		}
		step := sla.ScenarioStep{Kind: f.Kind, Share: f.DefaultShare, Pos: v.d.pos(v.key)}
		r.when(fields, &step)
		if f.Share != "" {
			if share, _, ok := read(fields, "share", value.shareOfAll); ok {
				step.Share = share
			}
		}
		if !f.Whole {
			step.Levels, _, _ = read(fields, "levels", r.levels)
		}
		readStepOptions(fields, &step)
		s.Steps = append(s.Steps, step)
		return
	}
}

// when reads the time of a step.
func (r scenarioReader) when(o *object, step *sla.ScenarioStep) {
	length, at, _ := read(o, "for", value.duration)
	from, _, _ := read(o, "from", value.durationOrZero)
	step.For, step.From = length, from
	if from > LongestScenario || length > LongestScenario || step.To() > LongestScenario {
		at.error("bad-duration", "this step ends more than "+sla.FormatDuration(LongestScenario)+" after the begin", "let it end earlier")
	}
}

// readStepOptions reads what only some kinds of step have.
func readStepOptions(o *object, step *sla.ScenarioStep) {
	switch step.Kind {
	case sla.StepBurn:
		rate, at, ok := read(o, "rate", value.decimal)
		if step.Rate = rate; ok && rate.Sign() <= 0 {
			at.error("bad-rate", at.quoted()+" is not above 0", `write rate: "2"`)
		}
	case sla.StepFlapping:
		every, everyAt, ok := read(o, "every", value.duration)
		down, at, downOK := read(o, "down", value.duration)
		if step.Every, step.Down = every, down; ok && downOK && down >= every {
			at.error("bad-duration", at.quoted()+" is not shorter than a turn of "+sla.FormatDuration(every), "let less of each turn fail")
		}
		if ok && step.For/every > mostTurns {
			everyAt.error("bad-duration", fmt.Sprintf("%s makes more than %d turns in %s", everyAt.quoted(), mostTurns, sla.FormatDuration(step.For)), "write every: 5m")
		}
	case sla.StepLost:
		of, _, ok := read(o, "of", word(lostExporter, lostSeries))
		step.Exporter = !ok || of == lostExporter
	}
}

// shareOfAll parses a share in per cent, above 0 and at most 100, as an exact number.
func (v value) shareOfAll() (sla.Decimal, bool) {
	d, ok := v.decimal()
	if ok && (d.Sign() <= 0 || d.Cmp(sla.NewDecimal(100, 1)) > 0) {
		v.error("bad-share", v.quoted()+" is not above 0 and at most 100 per cent", `write a percentage, e.g. "30"`)
		return d, false
	}
	return d, ok
}

// scalarOrText is the text of a scalar, also of a number alone.
func (v value) scalarOrText() (string, bool) {
	if v.node.Kind == yamlScalar && !isNull(v.node) && v.node.Value != "" {
		return v.node.Value, true
	}
	return v.text()
}
