package promapi

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	commonconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/upheld-sla/upheld/exporter/redact"
	"github.com/upheld-sla/upheld/sla"
)

// shownConfig is a configuration as YAML without secrets. Values of Prometheus' type
// Secret hide themselves. This removes user info from URLs and addresses, and
// parameters and headers whose names sound secret.
func shownConfig(c *config.Config) string {
	shown := *c
	shown.ScrapeConfigs = make([]*config.ScrapeConfig, len(c.ScrapeConfigs))
	for i, s := range c.ScrapeConfigs {
		clean := *s
		clean.Params = maps.Clone(s.Params)
		for name, values := range clean.Params {
			if sla.SecretName(name) {
				clean.Params[name] = hide(values)
			}
		}
		clean.HTTPClientConfig.HTTPHeaders = shownHeaders(s.HTTPClientConfig.HTTPHeaders)
		clean.ServiceDiscoveryConfigs = shownTargets(s.ServiceDiscoveryConfigs)
		shown.ScrapeConfigs[i] = &clean
	}
	return redact.Addresses(shown.String())
}

// shownTargets are discoveries with static targets that have no user info.
func shownTargets(all discovery.Configs) discovery.Configs {
	clean := slices.Clone(all)
	for i, one := range all {
		static, ok := one.(discovery.StaticConfig)
		if !ok {
			continue
		}
		groups := make(discovery.StaticConfig, len(static))
		for j, g := range static {
			group := *g
			group.Targets = make([]model.LabelSet, len(g.Targets))
			for k, t := range g.Targets {
				group.Targets[k] = t.Clone()
				group.Targets[k][model.AddressLabel] = model.LabelValue(sla.Redact(string(t[model.AddressLabel])))
			}
			groups[j] = &group
		}
		clean[i] = groups
	}
	return clean
}

func shownHeaders(h *commonconfig.Headers) *commonconfig.Headers {
	if h == nil {
		return nil
	}
	clean := &commonconfig.Headers{Headers: maps.Clone(h.Headers)}
	for name, header := range clean.Headers {
		if sla.SecretName(name) {
			header.Values = hide(header.Values)
			clean.Headers[name] = header
		}
	}
	return clean
}

func hide(values []string) []string {
	hidden := make([]string, len(values))
	for i := range hidden {
		hidden[i] = sla.Hidden
	}
	return hidden
}

// shownLabels are labels of a target without secrets.
func shownLabels(ls labels.Labels) labels.Labels {
	b := labels.NewBuilder(ls)
	ls.Range(func(l labels.Label) {
		param, isParam := strings.CutPrefix(l.Name, model.ParamLabelPrefix)
		switch {
		case isParam && sla.SecretName(param):
			b.Set(l.Name, sla.Hidden)
		case l.Name == model.AddressLabel:
			b.Set(l.Name, sla.Redact(l.Value))
		default:
			b.Set(l.Name, redact.Addresses(l.Value))
		}
	})
	return b.Labels()
}

// shownURL is a URL without secrets.
func shownURL(u *url.URL) string { return redact.Text(u.Redacted()) }
