package emit_test

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"

	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec"
)

// From a specification to a rule file for Prometheus.
func ExamplePrometheus() {
	agreements, findings := spec.Load("../../examples/smallest.yaml")
	if err := findings.Err(); err != nil {
		fmt.Println(err)
		return
	}
	plan, findings := rulegen.Compile(agreements[0], rulegen.Options{})
	if err := findings.Err(); err != nil {
		fmt.Println(err)
		return
	}
	file, err := emit.Prometheus(plan)
	if err != nil {
		fmt.Println(err)
		return
	}
	for lines := bufio.NewScanner(bytes.NewReader(file)); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "  - name:") {
			fmt.Println(strings.TrimSpace(lines.Text()))
		}
	}
	// Output:
	// - name: upheld:smallest:storefront:availability
	// - name: upheld:smallest:storefront:availability:long
	// - name: upheld:smallest:storefront:availability:hours
}

// The same rules as an object of the Prometheus operator, written level by level.
func ExampleRuleWriter() {
	agreements, findings := spec.Load("../../examples/smallest.yaml")
	if err := findings.Err(); err != nil {
		fmt.Println(err)
		return
	}
	var file bytes.Buffer
	w := emit.NewRuleWriter(&file, emit.RuleOptions{
		Format:   "operator",
		Operator: emit.OperatorObject{Name: "smallest-sla", Namespace: "monitoring", Labels: map[string]string{"release": "prometheus"}},
	})
	if err := writeRules(w, agreements[0]); err != nil {
		fmt.Println(err)
		return
	}
	_, object, _ := strings.Cut(file.String(), "apiVersion:")
	head, _, _ := strings.Cut(object, "spec:")
	fmt.Print(head)
	// Output:
	// monitoring.coreos.com/v1
	// kind: PrometheusRule
	// metadata:
	//   name: smallest-sla
	//   namespace: monitoring
	//   labels:
	//     release: prometheus
}

func writeRules(w *emit.RuleWriter, a *sla.Agreement) error {
	if err := w.Begin(a); err != nil {
		return err
	}
	findings, err := rulegen.Each(a, rulegen.Options{}, w.Level)
	if err != nil {
		return err
	}
	if err := findings.Err(); err != nil {
		return err
	}
	if _, err := w.End(); err != nil {
		return err
	}
	return w.Close()
}
