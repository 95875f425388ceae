package emit

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
)

// receiver is a receiver that somebody has to fill in.
type receiver struct {
	name    string
	above   string   // a comment above it
	who     string   // completes "Fill in ...", or ""
	example []string // an integration, as YAML lines below "- name:"
	foreign *sla.Contact
}

// Integrations that are shown where a receiver is to be filled in.
var (
	pagerExample = []string{
		"pagerduty_configs:",
		"  - routing_key: <the key of your PagerDuty service>",
		"    send_resolved: true",
	}
	deskExample = []string{
		"webhook_configs:",
		"  - url: https://desk.example/hooks/upheld",
		"    send_resolved: true",
	}
)

// severityReceivers get the alerts that no escalation step sends to anyone at once.
func severityReceivers(severities []severity) []receiver {
	var all []receiver
	for _, severity := range severities {
		r := receiver{name: receiverPrefix + severity.name, who: "who looks at it in working hours", example: deskExample}
		if severity.urgency == sla.Page {
			r.who, r.example = "who is woken", pagerExample
		}
		all = append(all, r)
	}
	return all
}

// receiverOf is the name of the receiver that reaches a contact.
func receiverOf(a *sla.Agreement, contact string) string {
	for _, c := range a.Contacts {
		if c.Name == contact && c.Receiver != "" {
			return c.Receiver
		}
	}
	return receiverPrefix + a.Name + "/" + contact
}

// contactReceivers are the receivers of contacts that escalations name, each once.
func contactReceivers(agreements []*sla.Agreement) []receiver {
	var all []receiver
	for _, a := range agreements {
		told := map[string]bool{}
		for _, l := range a.Levels {
			for _, s := range l.Escalation {
				for _, who := range s.Notify {
					told[who] = true
				}
			}
		}
		for i, c := range a.Contacts {
			name := receiverOf(a, c.Name)
			if !told[c.Name] || slices.ContainsFunc(all, func(r receiver) bool { return r.name == name }) {
				continue
			}
			r := receiver{name: name, who: "how " + c.Name + " of " + a.Name + " is notified", example: deskExample}
			if c.Description != "" {
				r.above = strings.Join(strings.Fields(c.Description), " ")
			}
			if c.Receiver != "" {
				r.foreign = &a.Contacts[i]
			}
			all = append(all, r)
		}
	}
	return all
}

// write prints the receiver without the library, because its most important
// part is the comment that shows how to fill it in.
func (r receiver) write(out *bytes.Buffer, indent string) error {
	item, err := yaml.Marshal([]namedReceiver{{Name: r.name}})
	if err != nil {
		return fmt.Errorf("receiver %q: %w", r.name, err)
	}
	if r.above != "" {
		fmt.Fprintf(out, "%s# %s\n", indent, r.above)
	}
	for line := range strings.Lines(string(item)) {
		out.WriteString(indent + line)
	}
	if r.who == "" {
		return nil
	}
	fmt.Fprintf(out, "%s  # Fill in %s, for example:\n", indent, r.who)
	for _, line := range r.example {
		fmt.Fprintf(out, "%s  # %s\n", indent, line)
	}
	return nil
}
