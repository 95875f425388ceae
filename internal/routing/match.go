package routing

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/common/model"
)

// route is a node of the tree, with what it inherits from the nodes above.
type route struct {
	settings
	key      string // the matchers of it and of the routes above: the key under which notifications are remembered
	matchers labels.Matchers
	goesOn   bool // to the following routes, if it matches
	routes   []*route
}

// settings are what a route inherits.
type settings struct {
	receiver            string
	groupBy             map[model.LabelName]bool
	groupByAll          bool
	wait, every, repeat time.Duration
	mute, active        []string // not inherited
}

// defaults are Alertmanager's defaults.
var defaults = settings{wait: 30 * time.Second, every: 5 * time.Minute, repeat: 4 * time.Hour}

// builder makes routes from their texts.
type builder struct {
	receivers map[string][]Integration
	times     map[string][]timeinterval.TimeInterval
}

func (b builder) route(t *routeText, above *route, depth int) (*route, error) {
	if t == nil {
		return nil, &placed{place{1, 1}, "a route is empty", "say what it matches, or remove it"}
	}
	if depth > mostDepth {
		return nil, &placed{t.at, fmt.Sprintf("routes within routes, deeper than %d", mostDepth), "put them side by side"}
	}
	r := &route{settings: defaults, goesOn: t.Continue}
	if above != nil {
		r.settings = above.settings
	}
	r.set(t)
	var err error
	if r.matchers, err = Matchers(t.Match, t.MatchRE, t.Matchers); err != nil {
		return nil, &placed{t.at, err.Error(), `write a matcher as label="value" or label=~"expression"`}
	}
	sort.Sort(r.matchers)
	r.key = r.matchers.String()
	if above != nil {
		r.key = above.key + "/" + r.key
	}
	if r.every < time.Second {
		return nil, &placed{t.at, fmt.Sprintf("a group_interval of %s: a second is the least that is simulated", r.every), "write 5m, which is Alertmanager's own"}
	}
	if _, ok := b.receivers[r.receiver]; !ok {
		return nil, &placed{t.at, fmt.Sprintf("there is no receiver %q", r.receiver), "name one of the receivers of this file"}
	}
	for _, name := range slices.Concat(r.mute, r.active) {
		if _, ok := b.times[name]; !ok {
			return nil, &placed{t.at, fmt.Sprintf("there are no time intervals %q", name), "name some of time_intervals"}
		}
	}
	for _, below := range t.Routes {
		made, err := b.route(below, r, depth+1)
		if err != nil {
			return nil, err
		}
		r.routes = append(r.routes, made)
	}
	return r, nil
}

// set applies a route's own settings.
func (r *route) set(t *routeText) {
	if t.Receiver != "" {
		r.receiver = t.Receiver
	}
	if t.GroupBy != nil { // even if it is empty
		r.groupBy, r.groupByAll = map[model.LabelName]bool{}, false
		for _, name := range t.GroupBy {
			r.groupBy[model.LabelName(name)] = true
			r.groupByAll = r.groupByAll || name == "..."
		}
	}
	for _, d := range []struct {
		to   *time.Duration
		text *duration
	}{{&r.wait, t.GroupWait}, {&r.every, t.GroupInterval}, {&r.repeat, t.RepeatInterval}} {
		if d.text != nil {
			*d.to = time.Duration(*d.text)
		}
	}
	r.mute, r.active = t.Mute, t.Active
}

// matching returns the routes that an alert takes: the deepest one of each branch, and
// of routes side by side the first, unless it has continue.
func (r *route) matching(l model.LabelSet) []*route {
	if !r.matchers.Matches(l) {
		return nil
	}
	var all []*route
	for _, below := range r.routes {
		found := below.matching(l)
		all = append(all, found...)
		if found != nil && !below.goesOn {
			break
		}
	}
	if all == nil {
		all = []*route{r}
	}
	return all
}

// groupOf returns the labels by which a route groups an alert.
func (r *route) groupOf(l model.LabelSet) model.LabelSet {
	group := model.LabelSet{}
	for name, value := range l {
		if r.groupByAll || r.groupBy[name] {
			group[name] = value
		}
	}
	return group
}

// Matchers are the conditions of a route or an inhibition, in Alertmanager's three
// notations. An error is one that Alertmanager would report.
func Matchers(equal, regexps map[string]string, texts []string) (labels.Matchers, error) {
	var all labels.Matchers
	add := func(t labels.MatchType, of map[string]string) error {
		for _, name := range slices.Sorted(maps.Keys(of)) {
			m, err := labels.NewMatcher(t, name, of[name])
			if err != nil {
				return err
			}
			all = append(all, m)
		}
		return nil
	}
	if err := add(labels.MatchEqual, equal); err != nil {
		return nil, err
	}
	if err := add(labels.MatchRegexp, regexps); err != nil {
		return nil, err
	}
	for _, text := range texts {
		some, err := parse.Matchers(text)
		if err != nil { // Alertmanager then tries the older notation too
			some, err = labels.ParseMatchers(text)
		}
		if err != nil {
			return nil, fmt.Errorf("matcher %q: %w", text, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// inhibitRule keeps targets from being notified while a source is firing.
type inhibitRule struct {
	source, target labels.Matchers
	equal          []model.LabelName
}

func inhibitRules(texts []inhibitText) ([]inhibitRule, error) {
	var all []inhibitRule
	for _, t := range texts {
		var r inhibitRule
		var err error
		if r.source, err = Matchers(t.SourceMatch, t.SourceMatchRE, t.SourceMatchers); err == nil {
			r.target, err = Matchers(t.TargetMatch, t.TargetMatchRE, t.TargetMatchers)
		}
		if err != nil {
			return nil, &placed{t.at, err.Error(), `write a matcher as label="value" or label=~"expression"`}
		}
		for _, name := range t.Equal {
			r.equal = append(r.equal, model.LabelName(name))
		}
		all = append(all, r)
	}
	return all, nil
}

// inhibits returns whether a firing alert keeps another from being notified. If both
// are source and target, they do not inhibit each other, so no alert inhibits itself.
func (r inhibitRule) inhibits(source, target model.LabelSet) bool {
	if !r.source.Matches(source) || !r.target.Matches(target) {
		return false
	}
	for _, name := range r.equal {
		if source[name] != target[name] {
			return false
		}
	}
	return !r.source.Matches(target) || !r.target.Matches(source)
}
