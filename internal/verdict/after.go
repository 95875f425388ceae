package verdict

import "slices"

// After returns the evidence preceded by that of an earlier time: the stretches of a
// level with one group and one place go in front of those that it has here. Levels
// without evidence here get the earlier one.
func (e Evidence) After(before Evidence) Evidence {
	if len(before.Levels) == 0 {
		return e
	}
	e.Levels = slices.Clone(e.Levels)
	e.Sources = slices.Concat(before.Sources, e.Sources)
	for _, old := range before.Levels {
		i := slices.IndexFunc(e.Levels, func(l LevelEvidence) bool { return l.Level == old.Level })
		if i < 0 {
			e.Levels = append(e.Levels, old)
			continue
		}
		e.Levels[i].Groups = groupsAfter(e.Levels[i].Groups, old.Groups)
	}
	return e
}

func groupsAfter(groups, before []GroupEvidence) []GroupEvidence {
	if len(groups) == 0 || len(groups[0].Places) == 0 {
		return before
	}
	if len(before) != 1 || len(before[0].Places) != 1 {
		return groups
	}
	groups = slices.Clone(groups)
	first := &groups[0]
	first.Places = slices.Clone(first.Places)
	place := &first.Places[0]
	var all []Stretch
	for _, s := range before[0].Places[0].Stretches {
		if len(place.Stretches) == 0 || !s.To.After(place.Stretches[0].From) {
			all = append(all, s)
		}
	}
	place.Stretches = append(all, place.Stretches...)
	return groups
}
