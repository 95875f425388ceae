package foreign

import (
	"cmp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// opensloSLO is what all levels of an SLO share.
type opensloSLO struct {
	*opensloObject
	agreement *agreement
	name      string // in the form of our names
	service   string // the same
	text      *yaml.Node
	labels    []pair
	period    *yaml.Node
	method    opensloMethod
	policies  []place
	notes     []string
	own       *yaml.Node // keys of the level in our own format
}

// slo converts an SLO: each of its objectives becomes a level.
func (r *opensloReader) slo(o *opensloObject) {
	spec := o.spec.object("the spec of an SLO", "description", "service", "indicator", "indicatorRef", "timeWindow", "budgetingMethod", "objectives", "alertPolicies")
	if spec == nil {
		return
	}
	s := &opensloSLO{opensloObject: o}
	if !r.head(s, spec) {
		return
	}
	objectives := spec.list("objectives")
	if items, given := spec.get("objectives"); len(objectives) == 0 {
		if !given || items.node.Kind == yaml.SequenceNode {
			spec.error("no-objective", "the SLO has no objective, so there is nothing to measure it by", "add objectives: [{target: 0.99}]")
		}
		return
	}
	_, inline := spec.get("indicator")
	_, named := spec.get("indicatorRef")
	composite := false
	for _, at := range objectives {
		composite = composite || entryOf(at.node, "indicator") != nil || entryOf(at.node, "indicatorRef") != nil
	}
	if s.own != nil && (composite || len(objectives) > 1) {
		at, _ := s.meta.ownText(OwnLevel)
		at.error("bad-annotation", "the annotation is of one level, and this SLO becomes several", "take it out")
		return
	}
	if composite {
		if inline || named {
			spec.error("conflicting-keys", "there is an indicator of the SLO and one of an objective", "keep that of the SLO, or one in each objective")
			return
		}
		r.composite(s, objectives)
		return
	}
	sli := r.indicatorOf(spec)
	if sli == nil {
		return
	}
	names := map[string]bool{}
	for i, at := range objectives {
		name := s.name
		if len(objectives) > 1 {
			name = r.part(s.name, scalarOf(at.node, "displayName"), i, names)
		}
		if l := r.objective(s, at, sli, name); l != nil {
			if display := scalarOf(at.node, "displayName"); len(objectives) > 1 && display != "" {
				l.description = r.text(at, joined(s.text, display))
			}
			r.alerts(s, l)
			s.agreement.levels = append(s.agreement.levels, l)
		}
	}
}

// head reads what the levels of an SLO share. It is false if there can be none.
func (r *opensloReader) head(s *opensloSLO, spec *object) bool {
	service, at, ok := spec.mustText("service")
	if !ok {
		return false
	}
	if s.service = r.name(at, service); s.service == "" {
		return false
	}
	if s.name = r.name(s.meta.at, s.meta.name); s.name == "" {
		return false
	}
	s.own = r.ownKeys(s.meta, OwnLevel)
	if s.agreement = r.agreementOf(s.meta, at, service, s.service); s.agreement == nil {
		return false
	}
	text, textAt, given := spec.text("description")
	s.text = r.described(s.meta, text, textAt, given)
	if !says(s.own, "labels") {
		s.labels = r.labels(s.meta.labels)
	}
	r.notCarriedAnnotations(s.meta)
	s.policies = spec.list("alertPolicies")
	if s.method, ok = readOpenSLOMethod(spec); !ok {
		return false
	}
	if !says(s.own, "period") {
		s.period, ok = r.window(s, spec)
	}
	return ok
}

// agreementOf finds the agreement of an SLO, or begins it. It is nil after an error.
func (r *opensloReader) agreementOf(meta opensloMeta, at place, service, name string) *agreement {
	key := name
	if own, ok := meta.ownText(OwnAgreement); ok {
		at, key = own, own.node.Value
		name, _, _ = strings.Cut(key, "@")
	}
	if o := r.find("Service", service); o != nil {
		o.used = true
	}
	for _, a := range r.agreements {
		if a.key == key {
			return a
		}
	}
	if name = r.name(at, name); name == "" {
		return nil
	}
	o := r.services[key]
	if o == nil {
		o = r.find("Service", service)
	}
	return r.newAgreement(at, key, name, o)
}

// newAgreement begins an agreement with what a Service says about it.
func (r *opensloReader) newAgreement(at place, key, name string, o *opensloObject) *agreement {
	a := &agreement{at: at, key: key, name: name}
	r.agreements = append(r.agreements, a)
	r.terms[a] = &opensloTerms{}
	if o == nil {
		return a
	}
	o.used = true
	a.ownMetadata, a.ownSpec = r.ownKeys(o.meta, OwnMetadata), r.ownKeys(o.meta, OwnSpec)
	if !says(a.ownMetadata, "labels") {
		a.labels = r.labels(o.meta.labels)
	}
	r.notCarriedAnnotations(o.meta)
	var text string
	var textAt place
	given := false
	if o.spec.node != nil && !isNull(o.spec.node) {
		if spec := o.spec.object("the spec of a Service", "description"); spec != nil {
			text, textAt, given = spec.text("description")
		}
	}
	a.description = r.described(o.meta, text, textAt, given)
	return a
}

// described is the description of an object, after its name for display.
func (r *opensloReader) described(meta opensloMeta, text string, at place, given bool) *yaml.Node {
	text = strings.TrimSpace(text)
	switch {
	case !given && meta.display == "":
		return nil
	case !given:
		return r.text(meta.at, strings.TrimSpace(meta.display))
	case meta.display == "" || strings.Contains(text, meta.display):
		return r.text(at, text)
	}
	return r.text(at, strings.TrimSpace(meta.display)+": "+text)
}

// notCarriedAnnotations reports annotations, which are for other programs.
func (r *opensloReader) notCarriedAnnotations(meta opensloMeta) {
	for _, e := range meta.annotations {
		if strings.HasPrefix(e.name, OwnPrefix) {
			continue
		}
		e.key.notCarried("the annotation "+strconv.Quote(shortened(e.name))+" is not carried: it is for another program", "leave it where it is")
	}
}

// joined is a description with what it is about.
func joined(text *yaml.Node, part string) string {
	if text == nil {
		return part
	}
	return part + ": " + text.Value
}

// part names one of several levels of an SLO, if possible after a text.
func (r *conversion) part(name, text string, i int, taken map[string]bool) string {
	number := strconv.Itoa(i + 1)
	suffix := r.rules.ToName(text)
	if suffix == "" || taken[suffix] {
		suffix = number
	}
	taken[suffix] = true
	full := name + "-" + suffix
	if len(full) > 63 {
		full = strings.TrimRight(name[:min(len(name), 62-len(number))], "-") + "-" + number
	}
	return full
}

// objective converts an objective with an indicator. It is nil if there would be nothing
// to measure.
func (r *opensloReader) objective(s *opensloSLO, at place, sli *opensloObject, name string) *level {
	o := at.object("an objective", "displayName", "op", "value", "target", "targetPercent", "timeSliceTarget", "timeSliceWindow", "indicator", "indicatorRef", "compositeWeight")
	if o == nil {
		return nil
	}
	l := &level{at: at, name: r.text(s.meta.at, name), description: s.text, period: s.period, notes: append([]string(nil), s.notes...), own: s.own, exported: r.services[s.agreement.key] != nil}
	if s.service != s.agreement.name {
		l.service = r.text(s.meta.at, s.service)
	}
	if l.target = r.target(o); l.target == nil {
		return nil
	}
	if says(s.own, "indicator") {
		l.indicator, l.labels = entryOf(s.own, "indicator"), s.labels
		return l
	}
	l.labels = with(r.labels(sli.meta.labels), s.labels...)
	if sli.used {
		r.notCarriedAnnotations(sli.meta)
	}
	slice, ok := s.method.slice(o)
	if !ok {
		return nil
	}
	r.indicator(l, o, sli, slice)
	if l.indicator == nil {
		return nil
	}
	return l
}

// target is the target share of an objective.
func (r *opensloReader) target(o *object) *yaml.Node {
	share, isShare := o.get("target")
	percent, isPercent := o.get("targetPercent")
	switch {
	case isShare && isPercent:
		o.error("conflicting-keys", "target and targetPercent are the same in two units", "keep one of them")
	case isShare:
		return r.percent(share, "target", 100)
	case isPercent:
		return r.percent(percent, "targetPercent", 1)
	default:
		o.error("missing-key", `"target" is missing in an objective`, "add target: 0.99, or targetPercent: 99")
	}
	return nil
}

// composite converts an SLO whose objectives have indicators of their own: each becomes a
// level, and the whole is their weighted mean.
func (r *opensloReader) composite(s *opensloSLO, objectives []place) {
	names := map[string]bool{}
	var parts []*level
	var weights []decimal
	for i, at := range objectives {
		o := at.object("an objective")
		if o == nil {
			return
		}
		sli := r.indicatorOf(o)
		if sli == nil {
			return
		}
		name := s.name
		if len(objectives) > 1 {
			name = r.part(s.name, sli.meta.name, i, names)
		}
		l := r.objective(s, at, sli, name)
		weight, ok := readWeight(o)
		if l == nil || !ok {
			return
		}
		if l.description == s.text && len(objectives) > 1 {
			l.description = r.text(at, joined(s.text, cmp.Or(scalarOf(at.node, "displayName"), sli.meta.display, sli.meta.name)))
		}
		parts, weights = append(parts, l), append(weights, weight)
	}
	if len(parts) == 1 {
		r.alerts(s, parts[0])
		s.agreement.levels = append(s.agreement.levels, parts[0])
		return
	}
	whole := r.whole(s, parts, weights)
	r.alerts(s, whole)
	for _, l := range parts {
		l.alerts = alerts{at: l.at, disabled: true}
	}
	s.agreement.levels = append(append(s.agreement.levels, whole), parts...)
}

func readWeight(o *object) (decimal, bool) {
	at, ok := o.get("compositeWeight")
	if !ok {
		return whole(1), true
	}
	text, ok := at.scalar("compositeWeight")
	if !ok {
		return decimal{}, false
	}
	weight, ok := parseDecimal(text)
	if !ok || weight.r.Sign() <= 0 {
		at.error("bad-number", "compositeWeight "+strconv.Quote(shortened(text))+" is no number above 0", "write it like 2.5")
		return decimal{}, false
	}
	return weight, true
}

// whole makes the level of a composite.
func (r *opensloReader) whole(s *opensloSLO, parts []*level, weights []decimal) *level {
	l := &level{at: s.place, name: r.text(s.meta.at, s.name), description: s.text, period: s.period, labels: s.labels}
	if s.service != s.agreement.name {
		l.service = r.text(s.meta.at, s.service)
	}
	of := r.list(s.place)
	target, sum := whole(0), whole(0)
	for i, part := range parts {
		share, _ := parseDecimal(part.target.Value)
		target, sum = target.plus(share.mul(weights[i])), sum.plus(weights[i])
		member := r.mapping(part.at).set("weight", r.quoted(part.at, weights[i].String())).set("needs", r.text(part.at, s.service+"/"+part.name.Value))
		of.Content = append(of.Content, member.flow().node)
	}
	weighted := r.mapping(s.place).set("normalize", r.boolean(s.place, true)).set("of", of)
	l.indicator = r.mapping(s.place).set("composite", r.mapping(s.place).set("weighted", weighted.node).node).node
	l.target = r.quoted(s.place, target.over(sum).roundedUp(9))
	l.note("OpenSLO says no target of the whole: this is the mean of its objectives' targets, by their weights.")
	l.note("A component is up or down in each minute, however bad it is, and the whole is the mean of them by weight. Its alerts follow the whole.")
	s.warn("changed-meaning", "the SLO with several indicators becomes a composite, whose components are up or down in each minute", "read docs/composites.md, and set downAbove to the share of bad events at which a component is down")
	return l
}
