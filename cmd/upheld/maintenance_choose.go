package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/maintenance"
	"github.com/upheld-sla/upheld/sla"
)

// choose finds the agreement, the revision and the exclusion that get the window, and
// its time.
func (c *change) choose(agreements []*sla.Agreement) error {
	a, err := c.oneOf(agreements)
	if err != nil {
		return err
	}
	if f := foreignFormat(a); f != nil {
		return fmt.Errorf("%s: the agreement %s is a specification for %s, which has no maintenance windows; write it as ours first: upheld import %s %s -o FILE", a.Pos, a.Name, f.Title, f.Name, a.Pos.File)
	}
	if c.window, err = c.times(a); err != nil {
		return err
	}
	c.of = sla.InForce(a.AllRevisions(), c.window.From)
	if c.of == nil {
		return fmt.Errorf("no revision of %s is in force at %s", a.Name, c.window.From.In(a.Location()).Format("2006-01-02 15:04"))
	}
	for _, r := range a.AllRevisions() {
		if from := r.InForceFrom(); from.After(c.window.From) && from.Before(c.window.To) {
			return fmt.Errorf("another revision of %s takes effect within the window, on %s; add one window before that and one after", a.Name, r.Terms.EffectiveFrom)
		}
	}
	if err := c.known(); err != nil {
		return err
	}
	if c.exclusion, err = c.chooseExclusion(); err != nil {
		return err
	}
	return c.notice()
}

// oneOf returns the agreement that is meant.
func (c *change) oneOf(agreements []*sla.Agreement) (*sla.Agreement, error) {
	var names []string
	known := map[string]bool{}
	for _, a := range agreements {
		names, known[a.Name] = append(names, a.Name), true
	}
	switch {
	case c.agreement != "":
		if err := namesKnown("the specifications have", "agreement", []string{c.agreement}, known); err != nil {
			return nil, err
		}
		return agreements[slices.Index(names, c.agreement)], nil
	case len(agreements) > 1:
		return nil, fmt.Errorf("there are %d agreements: %s; name one with --agreement", len(names), strings.Join(names, ", "))
	}
	return agreements[0], nil
}

// times is the time of the window, by the clock of the agreement.
func (c *change) times(a *sla.Agreement) (maintenance.Window, error) {
	w := maintenance.Window{Emergency: c.emergency, Reason: c.reason, ApprovedBy: c.approved}
	w.From = c.now.Truncate(time.Minute).UTC()
	until := c.now
	var err error
	if c.from != "" {
		if w.From, err = wallTime("from", c.from, a.Zone); err != nil {
			return w, err
		}
		until = w.From
	}
	if w.To = until.Add(c.length + time.Minute - time.Nanosecond).Truncate(time.Minute).UTC(); c.from != "" {
		w.To = w.From.Add(c.length)
	}
	if c.to != "" {
		if w.To, err = wallTime("to", c.to, a.Zone); err != nil {
			return w, err
		}
	}
	if c.announced != "" {
		if w.Announced, err = wallTime("announced", c.announced, a.Zone); err != nil {
			return w, err
		}
	}
	switch {
	case !w.From.Before(w.To):
		return w, fmt.Errorf("it would end at %s, which is not after it begins at %s", w.To.In(a.Location()).Format("2006-01-02 15:04"), w.From.In(a.Location()).Format("2006-01-02 15:04"))
	case !w.To.After(c.now):
		return w, fmt.Errorf("it would end at %s, which is past: time that is over is excluded by an adjustment (docs/adjustments.md)", w.To.In(a.Location()).Format("2006-01-02 15:04"))
	}
	return w, nil
}

// wallTime reads a time in a flag: a wall time of the zone, or a time with an offset or
// Z.
func wallTime(flag, text, zone string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05"} {
		if wall, err := time.Parse(layout, text); err == nil {
			return sla.Instant(wall, zone).UTC(), nil
		}
		if at, err := time.Parse(layout+"Z07:00", text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("--%s=%s is no time; write it like 2026-12-01T22:00, or 2026-12-01T21:00Z", flag, text)
}

// known returns an error if a level is named that the agreement does not have.
func (c *change) known() error {
	names := map[string]bool{}
	for _, l := range c.of.Levels {
		names[l.ID.SLO], names[l.ID.Service+"/"+l.ID.SLO] = true, true
	}
	return namesKnown("the agreement has", "level", c.levels, names)
}

// wants returns whether a level is named.
func (c *change) wants(id sla.ID) bool {
	return slices.Contains(c.levels, id.SLO) || slices.Contains(c.levels, id.Service+"/"+id.SLO)
}

// chooseExclusion returns the exclusion that gets the window. If levels are named, it
// is one that applies to exactly these levels.
func (c *change) chooseExclusion() (string, error) {
	given := c.addition.exclusion
	i := slices.IndexFunc(c.of.Exclusions, func(e *sla.Exclusion) bool { return e.Name == given })
	switch {
	case given != "" && given != sla.MaintenanceName && i < 0:
		known := map[string]bool{}
		for _, e := range c.of.Exclusions {
			known[e.Name] = true
		}
		return "", namesKnown("the agreement has", "exclusion", []string{given}, known)
	case given != "" && i >= 0 && len(c.of.Exclusions[i].Windows) == 0:
		return "", fmt.Errorf("--exclusion=%s has no windows, it excuses while a condition holds", given)
	}
	name := given
	if name == "" {
		name = sla.MaintenanceName
		for _, e := range c.of.Exclusions {
			if len(c.levels) > 0 && len(e.Windows) > 0 && c.exactly(maintenance.LevelsOf(c.of, e.Name)) {
				name = e.Name
				break
			}
		}
	}
	at := slices.IndexFunc(c.of.Exclusions, func(e *sla.Exclusion) bool { return e.Name == name })
	switch there := at >= 0; {
	case !there && c.effect == "":
		return "", fmt.Errorf("the agreement %s has no maintenance; say by the contract what it does to its time: --effect=treat_as_up (failures count as good) or --effect=remove_from_agreed_time", c.of.Name)
	case there && c.effect != "" && c.effect != string(c.of.Exclusions[at].Effect):
		return "", fmt.Errorf("--effect=%s: %s of the agreement %s has the effect %s; leave the flag out", c.effect, name, c.of.Name, c.of.Exclusions[at].Effect)
	}
	return name, nil
}

// exactly returns whether ids are exactly the named levels.
func (c *change) exactly(ids []sla.ID) bool {
	for _, l := range c.of.Levels {
		if c.wants(l.ID) != slices.Contains(ids, l.ID) {
			return false
		}
	}
	return true
}

// onlyWanted returns an error if the window also applies to levels that are not named.
func (c *change) onlyWanted() error {
	if len(c.levels) == 0 || c.exactly(c.excused) {
		return nil
	}
	var others, lacking []sla.ID
	for _, l := range c.of.Levels {
		switch excused := slices.Contains(c.excused, l.ID); {
		case excused && !c.wants(l.ID):
			others = append(others, l.ID)
		case !excused && c.wants(l.ID):
			lacking = append(lacking, l.ID)
		}
	}
	if len(lacking) > 0 {
		return usageError{fmt.Errorf("nothing was written: %s would not be excused, because exclusions of the level leaves %s out; name it there", idWords(lacking), c.exclusion)}
	}
	return usageError{fmt.Errorf("nothing was written: the window would also excuse %s, because the exclusion %s is theirs, too. Leave --level out, and it excuses them all. Or write it into %s as an exclusion of its own:\n%s",
		idWords(others), c.exclusion, c.of.Pos.File, c.ownExclusion())}
}

// ownExclusion is text for the specification: an exclusion that gives only the named
// levels the window.
func (c *change) ownExclusion() string {
	i := slices.IndexFunc(c.of.Exclusions, func(e *sla.Exclusion) bool { return e.Name == c.exclusion })
	effect := sla.Effect(c.effect)
	if i >= 0 {
		effect = c.of.Exclusions[i].Effect
	}
	name := "own-" + c.exclusion
	for n := 2; slices.ContainsFunc(c.of.Exclusions, func(e *sla.Exclusion) bool { return e.Name == name }); n++ {
		name = fmt.Sprintf("own-%s-%d", c.exclusion, n)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  exclusions:\n    - name: %s\n      effect: %s\n      windows:\n        - %s\n", name, effect, c.window.Text(c.of.Zone))
	for _, l := range c.of.Levels {
		if !c.wants(l.ID) {
			continue
		}
		var names []string
		for _, e := range l.Exclusions {
			names = append(names, e.Name)
		}
		fmt.Fprintf(&b, "and in the level %s: exclusions: [%s]\n", l.ID.Service+"/"+l.ID.SLO, strings.Join(append(names, name), ", "))
	}
	return b.String() + "The next call with --level finds it."
}

// notice handles the announcement, if the agreement requires one.
func (c *change) notice() error {
	i := slices.IndexFunc(c.of.Exclusions, func(e *sla.Exclusion) bool { return e.Name == c.exclusion })
	if i < 0 || c.of.Exclusions[i].Notice == 0 || c.emergency {
		return nil
	}
	notice := c.of.Exclusions[i].Notice
	if c.window.Announced.IsZero() {
		c.window.Announced = c.now.Truncate(time.Minute).UTC()
	}
	if early := c.window.From.Sub(c.window.Announced); early < notice {
		return fmt.Errorf("it was announced %s before it begins, and %s needs %s, so it would excuse nothing; choose a later --from, say when it was --announced, or write --emergency if the contract allows that",
			sla.FormatDuration(max(early, 0).Truncate(time.Minute)), c.exclusion, sla.FormatDuration(notice))
	}
	return nil
}
