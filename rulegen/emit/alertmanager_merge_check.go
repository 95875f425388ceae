package emit

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// find is a key of a mapping with its value, or nil.
func find(in *yaml.Node, name string) (key, value *yaml.Node) {
	if in == nil || in.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(in.Content); i += 2 {
		if in.Content[i].Value == name {
			return in.Content[i], in.Content[i+1]
		}
	}
	return nil, nil
}

// sameNode reports whether two trees hold the same, at whatever lines.
func sameNode(a, b *yaml.Node) bool {
	if a.Kind == yaml.AliasNode && b.Kind == yaml.AliasNode {
		return a.Value == b.Value
	}
	return a.Kind == b.Kind && a.ShortTag() == b.ShortTag() && a.Value == b.Value && a.Anchor == b.Anchor &&
		slices.EqualFunc(a.Content, b.Content, sameNode)
}

// named has the names of the lists' items, with their places.
func (m *merger) named(keys ...string) map[string]*yaml.Node {
	names := map[string]*yaml.Node{}
	for _, key := range keys {
		_, list := find(m.root, key)
		if list == nil {
			continue
		}
		for _, item := range list.Content {
			var named struct {
				Name yaml.Node `yaml:"name"`
			}
			if item.Decode(&named) != nil || named.Name.Value == "" {
				continue
			}
			at := named.Name
			if first, twice := names[at.Value]; twice {
				m.at(&at, fmt.Sprintf("the name %q is in line %d already, and Alertmanager refuses that", at.Value, first.Line), "remove one of them")
				continue
			}
			names[at.Value] = &at
		}
	}
	return names
}

// undefined are the receivers that the file does not define itself.
func (m *merger) undefined(receivers []receiver) []receiver {
	defined := m.named("receivers")
	return slices.DeleteFunc(slices.Clone(receivers), func(r receiver) bool { return defined[r.name] != nil })
}

// empty are the names of receivers that notify nobody: the file does not define
// them, or gives them nothing but a name.
func (m *merger) empty(receivers []receiver) []string {
	filled := map[string]bool{}
	if _, list := find(m.root, "receivers"); list != nil {
		for _, item := range list.Content {
			if item.Kind == yaml.AliasNode {
				item = item.Alias
			}
			if _, name := find(item, "name"); name != nil {
				filled[name.Value] = len(item.Content) > 2
			}
		}
	}
	var names []string
	for _, r := range receivers {
		if !filled[r.name] {
			names = append(names, r.name)
		}
	}
	return names
}

// names reports what Alertmanager would refuse: names that nobody defines, and
// names that are taken.
func (m *merger) names(n notifying) {
	defined := m.named("receivers")
	for _, r := range n.receivers {
		if r.foreign == nil || defined[r.name] != nil {
			continue
		}
		m.findings = append(m.findings, sla.Finding{
			Severity: sla.Error, Rule: "alertmanager-merge", Pos: r.foreign.Pos,
			Message: fmt.Sprintf("the contact %q is reached by the receiver %q, which %s does not define", r.foreign.Name, r.name, m.file),
			Remedy:  "define it there, or leave receiver out: then one is made, to be filled in",
		})
	}
	_, route := find(m.root, "route")
	if !m.has(route, "receiver") {
		m.at(route, "the route at the top has no receiver, and Alertmanager refuses that", "give it one: receiver: …")
	}
	intervals := m.named("time_intervals", "mute_time_intervals")
	for _, t := range n.times {
		if at := intervals[t.Name]; at != nil {
			m.at(at, fmt.Sprintf("the time interval %q is defined here, and an agreement makes one of that name", t.Name), "give it another name")
		}
		intervals[t.Name] = route
	}
	for _, key := range []string{"active_time_intervals", "mute_time_intervals"} {
		m.routed(route, key, func(name *yaml.Node) {
			if intervals[name.Value] == nil {
				m.at(name, fmt.Sprintf("the time interval %q is not defined", name.Value), "define it below time_intervals:, or name another one")
			}
		})
	}
	for _, r := range n.receivers {
		defined[r.name] = route
	}
	m.routed(route, "receiver", func(name *yaml.Node) {
		if defined[name.Value] == nil {
			m.at(name, fmt.Sprintf("the receiver %q is not defined", name.Value), "define it below receivers:, or name another one")
		}
	})
}

// routed calls use with a key's value, or each item of it, in a route and in all
// routes below it.
func (m *merger) routed(route *yaml.Node, key string, use func(*yaml.Node)) {
	if route != nil && route.Kind == yaml.AliasNode {
		return // seen where it is defined
	}
	if _, value := find(route, key); value != nil {
		if value.Kind == yaml.SequenceNode {
			for _, item := range value.Content {
				use(item)
			}
		} else {
			use(value)
		}
	}
	if _, routes := find(route, "routes"); routes != nil {
		for _, r := range routes.Content {
			m.routed(r, key, use)
		}
	}
}
