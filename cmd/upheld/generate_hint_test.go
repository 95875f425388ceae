package main

import (
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

// What shared groups save is told where it matters, and to nobody who has them,
// makes no rules or only looks.
func TestSharedGroupsAreNamedToThoseWithManyLevels(t *testing.T) {
	of := func(levels int) []*sla.Agreement {
		return []*sla.Agreement{{Levels: make([]*sla.ServiceLevel, levels-1)}, {Levels: make([]*sla.ServiceLevel, 1)}}
	}
	plain := generateOptions{chosen: outputFolders}
	shared, looking, without := plain, plain, plain
	shared.rules.RuleOptions = emit.RuleOptions{GroupSize: 1000}
	looking.verify, without.chosen = true, []string{"dashboards"}
	for name, c := range map[string]struct {
		o      generateOptions
		levels int
		told   bool
	}{
		"many": {plain, manyLevels, true}, "fewer": {plain, manyLevels - 1, false}, "shared": {shared, manyLevels, false},
		"verify": {looking, manyLevels, false}, "no rules": {without, manyLevels, false},
	} {
		if told := c.o.groupsHint(of(c.levels)); strings.HasPrefix(told, "1000 levels have two rule groups each") != c.told || (told == "") == c.told {
			t.Errorf("%s: told %q", name, told)
		}
	}
}
