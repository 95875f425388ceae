package main

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/upheld-sla/upheld/internal/replay"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

// historyRules are the flags for the rules of a past. They match generate's flags for
// the rules of a server, since the recorded series depend on them.
type historyRules struct {
	interval time.Duration
	labels   map[string]string
}

func (h *historyRules) flags(f *pflag.FlagSet) {
	f.DurationVar(&h.interval, "rules.interval", rulegen.DefaultInterval, "the interval that the rules were generated with")
	f.StringToStringVar(&h.labels, "rules.label", nil, "name=value that the rules were generated with")
}

// of returns the rule files of agreements, as generate writes them.
func (h *historyRules) of(agreements []*sla.Agreement) ([]replay.File, error) {
	if h.interval < time.Second || h.interval > maxRulesInterval {
		return nil, usageError{fmt.Errorf("--rules.interval=%s is not between 1s and %s", h.interval, maxRulesInterval)}
	}
	for name, value := range h.labels {
		if err := rulegen.CheckLabel(name, value); err != nil {
			return nil, usageError{fmt.Errorf("--rules.label=%s=%s: %w", name, value, err)}
		}
	}
	var files []replay.File
	for _, a := range agreements {
		plan, findings := rulegen.Compile(a, rulegen.Options{Interval: h.interval, Labels: h.labels})
		if err := findings.Err(); err != nil {
			return nil, err
		}
		text, err := emit.Prometheus(plan)
		if err != nil {
			return nil, err
		}
		files = append(files, replay.File{Name: "rules/" + a.Name + ".yaml", Text: text})
	}
	return files, nil
}
