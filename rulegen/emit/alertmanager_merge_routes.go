package emit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/pkg/labels"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/internal/routing"
	"github.com/upheld-sla/upheld/sla"
)

// foreignRoute is a route of the file, with the keys that say what it matches.
type foreignRoute struct {
	Match      map[string]string `yaml:"match"`
	MatchRE    map[string]string `yaml:"match_re"`
	Matchers   []string          `yaml:"matchers"`
	Continue   bool              `yaml:"continue"`
	Routes     []foreignRoute    `yaml:"routes"`
	conditions labels.Matchers
}

// parse reads the matchers of a route and of those below it. It fails for one
// that Alertmanager would refuse.
func (r *foreignRoute) parse() error {
	var err error
	if r.conditions, err = routing.Matchers(r.Match, r.MatchRE, r.Matchers); err != nil {
		return err
	}
	for i := range r.Routes {
		if err := r.Routes[i].parse(); err != nil {
			return err
		}
	}
	return nil
}

// ourAlert has the labels of an agreement's alert, as far as they are known
// before it fires.
type ourAlert struct {
	known   map[string]string
	unknown map[string]bool // labels that it may have, with any value
}

// alertsOfLevel are the alerts that a level can have, each with its known labels.
func alertsOfLevel(l *sla.ServiceLevel) []ourAlert {
	var all []ourAlert
	add := func(name, severity string, own map[string]string) {
		a := ourAlert{map[string]string{}, map[string]bool{}}
		for _, given := range []map[string]string{l.Labels, l.Alerting.Labels, own} {
			maps.Copy(a.known, given)
		}
		for label, value := range a.known {
			if strings.Contains(value, "{{") {
				a.unknown[label] = true
			}
		}
		maps.Copy(a.known, map[string]string{
			"alertname": name, metricnames.SLA: l.ID.SLA, metricnames.Service: l.ID.Service, metricnames.SLO: l.ID.SLO, metricnames.Severity: severity,
		})
		for _, label := range slices.Concat(l.GroupBy.Labels, []string{
			metricnames.Escalation, metricnames.Tier, metricnames.LongWindow, metricnames.ShortWindow, metricnames.Period,
			metricnames.Exclusion, metricnames.PartOf, metricnames.InhibitedBy,
		}) {
			a.unknown[label] = true
		}
		all = append(all, a)
	}
	for _, a := range l.Alerts() {
		add(a.Kind.Name, a.Severity, a.Labels)
	}
	return all
}

// matches reports whether conditions hold for an alert: surely, or perhaps, if
// that depends on labels with unknown values.
func (a ourAlert) matches(conditions labels.Matchers) (surely, perhaps bool) {
	surely = true
	for _, c := range conditions {
		switch {
		case a.unknown[c.Name]:
			surely = false
		case !c.Matches(a.known[c.Name]):
			return false, false
		}
	}
	return surely, true
}

// namesUs reports whether a route, or one below it, is made for alerts of
// agreements: it matches an alert by its name, agreement or level.
func (r foreignRoute) namesUs(a ourAlert) bool {
	if _, perhaps := a.matches(r.conditions); !perhaps {
		return false
	}
	for _, c := range r.conditions {
		ours := c.Name == "alertname" || c.Name == metricnames.SLA || c.Name == metricnames.SLO
		if ours && (c.Type == labels.MatchEqual || c.Type == labels.MatchRegexp) && !c.Matches("") && !c.Matches("anything else") {
			return true
		}
	}
	return slices.ContainsFunc(r.Routes, func(below foreignRoute) bool { return below.namesUs(a) })
}

// foreignRoutes warns of the file's routes that take alerts of agreements
// before our route, which stands before the item ours of the file's routes; and
// of routes behind it that were made for such alerts and get none.
func (m *merger) foreignRoutes(ours int, agreements []*sla.Agreement) {
	_, list := find(m.route(), "routes")
	if list == nil {
		return
	}
	var alerts []ourAlert
	for _, a := range agreements {
		for _, l := range a.Levels {
			alerts = append(alerts, alertsOfLevel(l)...)
		}
	}
	for i, item := range list.Content {
		var r foreignRoute
		err := item.Decode(&r)
		if err == nil {
			err = r.parse()
		}
		if err != nil {
			m.refusedRoute(item, err)
			continue
		}
		if i < ours && !r.Continue {
			m.taken(item, r, alerts)
		} else if i >= ours {
			m.unreached(item, r, alerts)
		}
	}
}

func (m *merger) warn(node *yaml.Node, message, remedy string) {
	m.at(node, message, remedy)
	m.findings[len(m.findings)-1].Severity = sla.Warning
}

func (m *merger) refusedRoute(item *yaml.Node, err error) {
	m.warn(item, "this route cannot be read, so nobody knows whether it takes alerts of agreements: "+err.Error(), "let Alertmanager's own check pass first: amtool check-config "+m.file)
}

// taken warns of a route before ours that takes alerts of agreements.
func (m *merger) taken(item *yaml.Node, r foreignRoute, alerts []ourAlert) {
	first, count, sure := ourAlert{}, 0, false
	for _, a := range alerts {
		surely, perhaps := a.matches(r.conditions)
		if perhaps {
			if count++; count == 1 || surely && !sure {
				first = a
			}
			sure = sure || surely
		}
	}
	if count == 0 {
		return
	}
	verb := "takes"
	if !sure {
		verb = "can take"
	}
	m.warn(item, fmt.Sprintf("this route stands above that of upheld and %s alerts of agreements, such as %s", verb, first.words()),
		"move the block of upheld above it, or give it continue: true; if it is meant to take them, all is well")
}

// unreached warns of a route behind ours that was made for alerts of
// agreements.
func (m *merger) unreached(item *yaml.Node, r foreignRoute, alerts []ourAlert) {
	i := slices.IndexFunc(alerts, r.namesUs)
	if i < 0 {
		return
	}
	m.warn(item, fmt.Sprintf("this route names alerts of agreements, such as %s, and gets none of them: the route of upheld stands above it", alerts[i].words()),
		"remove it, and say in the agreements who is notified; or, to keep it, move the block of upheld below it")
}

func (a ourAlert) words() string {
	return fmt.Sprintf("%s of %s/%s/%s with severity=%q", a.known["alertname"], a.known[metricnames.SLA], a.known[metricnames.Service], a.known[metricnames.SLO], a.known[metricnames.Severity])
}
