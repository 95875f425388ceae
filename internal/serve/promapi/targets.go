package promapi

import (
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/scrape"
)

type targetList struct {
	Active        []activeTarget  `json:"activeTargets"`
	Dropped       []droppedTarget `json:"droppedTargets"`
	DroppedCounts map[string]int  `json:"droppedTargetCounts"`
}

type activeTarget struct {
	DiscoveredLabels   labels.Labels       `json:"discoveredLabels"`
	Labels             labels.Labels       `json:"labels"`
	ScrapePool         string              `json:"scrapePool"`
	ScrapeURL          string              `json:"scrapeUrl"`
	GlobalURL          string              `json:"globalUrl"`
	LastError          string              `json:"lastError"`
	LastScrape         time.Time           `json:"lastScrape"`
	LastScrapeDuration float64             `json:"lastScrapeDuration"`
	Health             scrape.TargetHealth `json:"health"`
	ScrapeInterval     string              `json:"scrapeInterval"`
	ScrapeTimeout      string              `json:"scrapeTimeout"`
}

type droppedTarget struct {
	DiscoveredLabels labels.Labels `json:"discoveredLabels"`
	ScrapePool       string        `json:"scrapePool"`
}

func (a *api) targets(r *http.Request) result {
	state := strings.ToLower(r.FormValue("state"))
	wants := func(kind string) bool { return state == "" || state == "any" || state == kind }
	pool := r.FormValue("scrapePool")
	answer := targetList{Active: []activeTarget{}, Dropped: []droppedTarget{}}
	builder := labels.NewBuilder(labels.EmptyLabels())
	if wants("active") {
		eachTarget(a.Targets.TargetsActive(), pool, func(pool string, t *scrape.Target) {
			answer.Active = append(answer.Active, activeTarget{
				DiscoveredLabels:   shownLabels(t.DiscoveredLabels(builder)),
				Labels:             shownLabels(t.Labels(builder)),
				ScrapePool:         pool,
				ScrapeURL:          shownURL(t.URL()),
				GlobalURL:          globalURL(t.URL(), a.ExternalHost),
				LastError:          errorText(t.LastError()),
				LastScrape:         t.LastScrape(),
				LastScrapeDuration: t.LastScrapeDuration().Seconds(),
				Health:             t.Health(),
				ScrapeInterval:     t.GetValue(model.ScrapeIntervalLabel),
				ScrapeTimeout:      t.GetValue(model.ScrapeTimeoutLabel),
			})
		})
	}
	if wants("dropped") {
		answer.DroppedCounts = a.Targets.TargetsDroppedCounts()
		eachTarget(a.Targets.TargetsDropped(), pool, func(pool string, t *scrape.Target) {
			answer.Dropped = append(answer.Dropped, droppedTarget{shownLabels(t.DiscoveredLabels(builder)), pool})
		})
	}
	return result{data: answer}
}

// eachTarget visits the targets of one pool, or of all pools in order of their names.
func eachTarget(targets map[string][]*scrape.Target, only string, visit func(pool string, t *scrape.Target)) {
	for _, pool := range slices.Sorted(maps.Keys(targets)) {
		if only != "" && only != pool {
			continue
		}
		for _, t := range targets[pool] {
			visit(pool, t)
		}
	}
}

// globalURL is how a viewer elsewhere might reach a target: a loopback host becomes the
// name of this machine.
func globalURL(u *url.URL, externalHost string) string {
	switch u.Hostname() {
	case "127.0.0.1", "localhost", "::1":
		if externalHost == "" {
			break
		}
		port := u.Port()
		u.Host = externalHost
		if port != "" {
			u.Host = net.JoinHostPort(externalHost, port)
		}
	}
	return shownURL(u)
}

func (a *api) scrapePools(*http.Request) result {
	pools := a.Targets.ScrapePools()
	slices.Sort(pools)
	return result{data: map[string][]string{"scrapePools": pools}}
}

// metadata answers with the metadata that the scraped targets expose, by metric family.
func (a *api) metadata(r *http.Request) result {
	limit, err := optionalNumber(r, "limit")
	if err != nil {
		return fail(badData, err)
	}
	perMetric, err := optionalNumber(r, "limit_per_metric")
	if err != nil {
		return fail(badData, err)
	}
	found := map[string][]metadata.Metadata{}
	eachTarget(a.Targets.TargetsActive(), "", func(_ string, t *scrape.Target) {
		for _, md := range metadataOf(t, r.FormValue("metric")) {
			one := metadata.Metadata{Type: md.Type, Help: md.Help, Unit: md.Unit}
			known := found[md.MetricFamily]
			if slices.Contains(known, one) || perMetric > 0 && len(known) >= perMetric {
				continue
			}
			if known == nil && limit >= 0 && len(found) >= limit {
				continue
			}
			found[md.MetricFamily] = append(known, one)
		}
	})
	return result{data: found}
}

type targetMetadata struct {
	Target       labels.Labels    `json:"target"`
	MetricFamily string           `json:"metric,omitempty"`
	Type         model.MetricType `json:"type"`
	Help         string           `json:"help"`
	Unit         string           `json:"unit"`
}

func (a *api) targetMetadata(r *http.Request) result {
	limit, err := optionalNumber(r, "limit")
	if err != nil {
		return fail(badData, err)
	}
	var matchers []*labels.Matcher
	if selector := r.FormValue("match_target"); selector != "" {
		if matchers, err = a.Parser.ParseMetricSelector(selector); err != nil {
			return badParameter("match_target", err)
		}
	}
	metric := r.FormValue("metric")
	found := []targetMetadata{}
	builder := labels.NewBuilder(labels.EmptyLabels())
	eachTarget(a.Targets.TargetsActive(), "", func(_ string, t *scrape.Target) {
		ls := t.Labels(builder)
		if (limit >= 0 && len(found) >= limit) || !matchesAll(matchers, ls) {
			return
		}
		for _, md := range metadataOf(t, metric) {
			one := targetMetadata{Target: shownLabels(ls), Type: md.Type, Help: md.Help, Unit: md.Unit}
			if metric == "" {
				one.MetricFamily = md.MetricFamily
			}
			found = append(found, one)
		}
	})
	return result{data: found}
}

func matchesAll(matchers []*labels.Matcher, ls labels.Labels) bool {
	for _, m := range matchers {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}

// metadataOf is the metadata of a target about one metric, or about all.
func metadataOf(t *scrape.Target, metric string) []scrape.MetricMetadata {
	if metric == "" {
		return t.ListMetadata()
	}
	if md, ok := t.GetMetadata(metric); ok {
		return []scrape.MetricMetadata{md}
	}
	return nil
}
