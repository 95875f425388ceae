package rulegen

import (
	"fmt"
	"slices"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// Compile makes the plan of an agreement. Findings are mistakes in the user's
// PromQL with their places, also in broken levels; the plan has the levels
// without an error.
func Compile(a *sla.Agreement, opts Options) (*Plan, sla.Findings) {
	plan := &Plan{Agreement: a}
	findings, _ := Each(a, opts, func(l LevelPlan) error {
		plan.Levels = append(plan.Levels, l)
		return nil
	})
	return plan, findings
}

// Each is Compile without holding more than one level at a time: use gets the
// plan of each level without an error, in the order of the agreement. An error
// of use ends it and is returned.
func Each(a *sla.Agreement, opts Options, use func(LevelPlan) error) (sla.Findings, error) {
	if opts.Interval == 0 {
		opts.Interval = DefaultInterval
	}
	if opts.Now.IsZero() {
		opts.Now = time.Now()
	}
	switch all := needed(a, opts.Now); len(all) {
	case 1:
		return eachOf(all[0], opts, use)
	default:
		return eachOfRevisions(all, opts, use)
	}
}

// eachOf is Each for one revision.
func eachOf(a *sla.Agreement, opts Options, use func(LevelPlan) error) (sla.Findings, error) {
	shared, masks := map[string]bool{}, newMasks(a, opts)
	findings := append(masks.lint(), recoveryQueries(a)...)
	defer func() { findings.Sort() }()
	for _, l := range a.Levels {
		level, fs := compileLevel(l, opts, shared, masks)
		findings = append(findings, fs...)
		if fs.HasErrors() {
			continue
		}
		if err := use(level); err != nil {
			return findings, err
		}
	}
	for _, l := range a.Broken {
		_, fs := compileLevel(l, opts, shared, masks)
		findings = append(findings, slices.DeleteFunc(fs, ofGap)...)
	}
	return findings, nil
}

// ofGap recognises a finding without a place: it is about a query that a broken
// level lacks, which the reader has reported.
func ofGap(f sla.Finding) bool { return f.Pos.File == "" }

// compileLevel makes the rules of a level. shared are the groups that earlier
// levels have added, which it may read; it adds its own.
func compileLevel(l *sla.ServiceLevel, opts Options, shared map[string]bool, masks *masks) (LevelPlan, sla.Findings) {
	of := newLevel(l, opts, masks)
	base, findings := baseSeries(of)
	findings = append(findings, quotedNames(opts, append(append(l.Indicator.Queries(), l.Slots.Weight), recovery{of}.queries()...)...)...)
	if of.kind.lint != nil {
		findings = append(findings, of.kind.lint()...)
	}
	if findings.HasErrors() {
		return LevelPlan{}, findings
	}
	if none := lintShare(of); none.HasErrors() {
		return LevelPlan{}, append(findings, none...)
	}
	ofRecovery, wrong := recovery{of}.rules()
	if findings = append(findings, wrong...); findings.HasErrors() {
		return LevelPlan{}, findings
	}
	name := fmt.Sprintf(GroupPrefix+"%s:%s:%s", l.ID.SLA, l.ID.Service, l.ID.SLO)
	ofFirst, ofSecond := rest(of)
	first := Group{Name: name, Interval: opts.Interval, Rules: slices.Concat(base, ofRecovery, ofFirst), age: firstAge(of)}
	second := Group{Name: name + ":long", Interval: secondLayer * opts.Interval, Rules: ofSecond, age: secondAge(opts.Interval)}
	third := Group{Name: name + ":hours", Interval: thirdLayer, Rules: hourRules(of), age: secondAge(opts.Interval)}
	findings = append(append(findings, lint(of, opts)...), clashes(of)...)
	groups := append(reminderGroup(masks.agreement, opts, shared), calendarGroups(of, opts, shared)...)
	if l.Masked() {
		var ofMasks []Group
		ofMasks, wrong = masks.group(shared)
		groups, findings = append(groups, ofMasks...), append(findings, wrong...)
	}
	groups = append(groups, first, second)
	if len(third.Rules) > 0 {
		groups = append(groups, third)
	}
	return LevelPlan{Agreement: masks.agreement, Level: l, Groups: append(groups, rollupGroup(of, shared)...)}, findings
}

// rest makes the level's alerts and all its rules but the base series, for the
// groups of the first two layers.
func rest(l level) (first, second []Rule) {
	short, long := l.windowLengths()
	over, alerts := newWindows(l), newAlerts(l)
	first = slices.Concat(agreedTime{l}.alertingMask(), agreedTime{l}.alertsBeginMask(), over.ratios(short), promises{l}.constants(), stating{promises{l}}.rules())
	second = slices.Concat(over.increases(), goodSeen(l), over.ratios(long), periodFigures(l), rollups(l))
	ofFirst, ofSecond := alerts.rules()
	first, second = append(first, ofFirst...), append(second, ofSecond...)
	return append(first, alerts.escalations(first)...), append(second, alerts.escalations(second)...)
}

var (
	zero = sla.NewDecimal(0, 1)
	one  = sla.NewDecimal(1, 1)
)
