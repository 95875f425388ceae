package emit

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/upheld-sla/upheld/internal/promql"
	"github.com/upheld-sla/upheld/rulegen"
)

// ruleShapes are the shapes of rule that Prometheus' reader has accepted.
var ruleShapes = struct {
	sync.Mutex
	exprs map[*promql.Shape]uint64 // numbered in the order they came
	last  uint64                   // number given; none is given twice
	known map[string]bool
}{exprs: map[*promql.Shape]uint64{}, known: map[string]bool{}}

// maxShapes bounds the memory of a process that generates for long.
const maxShapes = 20_000

// prove makes sure that the rule, as it is printed, reads back as it is meant.
func (r *RuleWriter) prove(head []pair, rule *rulegen.Rule) error {
	if rule.Proof.Text == "" {
		var err error
		if rule.Proof, err = rule.Expr.Proof(); err != nil {
			return err
		}
	}
	if rule.Proof.Shape == nil {
		return proveByReader(head, rule)
	}
	ruleShapes.Lock()
	number, ok := ruleShapes.exprs[rule.Proof.Shape]
	if !ok {
		if len(ruleShapes.exprs) >= maxShapes || len(ruleShapes.known) >= maxShapes {
			clear(ruleShapes.exprs)
			clear(ruleShapes.known)
		}
		ruleShapes.last++
		number = ruleShapes.last
		ruleShapes.exprs[rule.Proof.Shape] = number
	}
	r.shape(number, head, rule)
	known := ruleShapes.known[string(r.key)]
	ruleShapes.Unlock()
	if known {
		return nil
	}
	if err := proveByReader(head, rule); err != nil {
		return err
	}
	ruleShapes.Lock()
	ruleShapes.known[string(r.key)] = true
	ruleShapes.Unlock()
	return nil
}

// shape writes the rule's shape into the key: all of it but plain texts.
func (r *RuleWriter) shape(number uint64, head []pair, rule *rulegen.Rule) {
	k := binary.BigEndian.AppendUint64(r.key[:0], number)
	k = append(k, byte(style(rule.Proof.Text)))
	for _, p := range head {
		k = appendText(k, p.key)
		if p.key == "name" {
			k = appendPlain(k, p.value)
		} else {
			k = appendText(k, p.value)
		}
	}
	k = appendText(k, rule.Record)
	k = appendText(k, rule.Alert)
	k = binary.BigEndian.AppendUint64(k, uint64(rule.For))
	k = binary.BigEndian.AppendUint64(k, uint64(rule.KeepFiringFor))
	for _, texts := range []map[string]string{rule.Labels, rule.Annotations} {
		k = binary.AppendUvarint(k, uint64(len(texts)))
		for _, name := range r.sorted(texts) {
			k = appendText(k, name)
			k = appendPlain(k, texts[name])
		}
	}
	r.key = k
}

// appendText delimits a text by its length.
func appendText(k []byte, s string) []byte {
	return append(binary.AppendUvarint(k, uint64(len(s))+1), s...)
}

// appendPlain leaves only the style of a text that cannot be read otherwise.
func appendPlain(k []byte, s string) []byte {
	if how := style(s); how != byLibrary && !isTemplate(s) {
		return append(k, 0, byte(how))
	}
	return appendText(k, s)
}

// proveByReader prints a file of one rule and reads it as Prometheus would.
func proveByReader(head []pair, rule *rulegen.Rule) error {
	w := &RuleWriter{}
	w.text.line(0, "groups:")
	if err := w.text.groupHead(head); err != nil {
		return err
	}
	if err := w.rule(rule); err != nil {
		return err
	}
	back, err := promql.ReadRuleFile(w.text.out)
	if err != nil {
		return fmt.Errorf("what was made is not a valid rule, a fault of upheld: %w", err)
	}
	meant := promql.RuleText{
		Record: rule.Record, Alert: rule.Alert, Expr: rule.Proof.Text, For: rule.For, KeepFiringFor: rule.KeepFiringFor,
		Labels: rule.Labels, Annotations: rule.Annotations,
	}
	if len(back) != 1 || back[0].Name != head[0].value || len(back[0].Rules) != 1 || !back[0].Rules[0].Equal(meant) {
		return fmt.Errorf("what was made reads back as something else, a fault of upheld: %s", w.text.out)
	}
	return nil
}
