// Package emit prints a plan and the files that go with it, one output each.
// Every output is proven before it is returned: what Prometheus would refuse is
// an error here. It must not write files; the command line does.
package emit

import (
	"fmt"
	"time"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/promql"
)

type ruleFile struct {
	Groups []ruleGroup `yaml:"groups"`
}

type ruleGroup struct {
	Name     string     `yaml:"name"`
	Interval string     `yaml:"interval"`
	Rules    []ruleText `yaml:"rules"`
}

type ruleText struct {
	Record        string            `yaml:"record,omitempty"`
	Alert         string            `yaml:"alert,omitempty"`
	Expr          string            `yaml:"expr"`
	For           string            `yaml:"for,omitempty"`
	KeepFiringFor string            `yaml:"keep_firing_for,omitempty"`
	Labels        map[string]string `yaml:"labels,omitempty"`
	Annotations   map[string]string `yaml:"annotations,omitempty"`
}

// Prometheus prints a plan as a Prometheus rule file (2.42 and later, and what
// reads the same format: Thanos, Mimir, VictoriaMetrics). The same plan gives
// the same bytes.
func Prometheus(p *rulegen.Plan) ([]byte, error) {
	file := ruleFile{Groups: []ruleGroup{}}
	for _, l := range p.Levels {
		for _, g := range l.Groups {
			out := ruleGroup{Name: g.Name, Interval: duration(g.Interval)}
			for _, r := range g.Rules {
				out.Rules = append(out.Rules, ruleText{
					Record: r.Record, Alert: r.Alert, Expr: r.Expr.String(),
					For: optional(r.For), KeepFiringFor: optional(r.KeepFiringFor),
					Labels: r.Labels, Annotations: r.Annotations,
				})
			}
			file.Groups = append(file.Groups, out)
		}
	}
	var head comment
	head.line("%s from the agreement %s. Do not edit: change the agreement and generate again.", Marker, p.Agreement.Name)
	head.line("")
	head.line("Rules read across groups by design: the long windows are summed from what the")
	head.line("first tier recorded. The next line says so to pint, which checks rule files.")
	head.line("pint file/disable rule/dependency")
	content, err := document(head, file)
	if err != nil {
		return nil, fmt.Errorf("rules of %s: %w", p.Agreement.Name, err)
	}
	if err := promql.ProveRuleFile(content); err != nil {
		return nil, fmt.Errorf("rules of %s: what was made is not a valid rule file, a fault of upheld: %w", p.Agreement.Name, err)
	}
	return content, nil
}

// optional is a duration, or nothing if it is 0.
func optional(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return duration(d)
}
