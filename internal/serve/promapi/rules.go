package promapi

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"

	"github.com/upheld-sla/upheld/exporter/redact"
)

type ruleGroups struct {
	Groups    []ruleGroup `json:"groups"`
	NextToken string      `json:"groupNextToken,omitempty"`
}

type ruleGroup struct {
	Name           string    `json:"name"`
	File           string    `json:"file"`
	Rules          []any     `json:"rules"` // alertingRule or recordingRule, in the order of the file
	Interval       float64   `json:"interval"`
	Limit          int       `json:"limit"`
	EvaluationTime float64   `json:"evaluationTime"`
	LastEvaluation time.Time `json:"lastEvaluation"`
}

type alertingRule struct {
	State          string           `json:"state"`
	Name           string           `json:"name"`
	Query          string           `json:"query"`
	Duration       float64          `json:"duration"`
	KeepFiringFor  float64          `json:"keepFiringFor"`
	Labels         labels.Labels    `json:"labels"`
	Annotations    labels.Labels    `json:"annotations"`
	Alerts         []alert          `json:"alerts"`
	Health         rules.RuleHealth `json:"health"`
	LastError      string           `json:"lastError,omitempty"`
	EvaluationTime float64          `json:"evaluationTime"`
	LastEvaluation time.Time        `json:"lastEvaluation"`
	Type           string           `json:"type"`
}

type recordingRule struct {
	Name           string           `json:"name"`
	Query          string           `json:"query"`
	Labels         labels.Labels    `json:"labels"`
	Health         rules.RuleHealth `json:"health"`
	LastError      string           `json:"lastError,omitempty"`
	EvaluationTime float64          `json:"evaluationTime"`
	LastEvaluation time.Time        `json:"lastEvaluation"`
	Type           string           `json:"type"`
}

type alert struct {
	Labels          labels.Labels `json:"labels"`
	Annotations     labels.Labels `json:"annotations"`
	State           string        `json:"state"`
	ActiveAt        *time.Time    `json:"activeAt,omitempty"`
	KeepFiringSince *time.Time    `json:"keepFiringSince,omitempty"`
	Value           string        `json:"value"`
}

// ruleFilter says which rules of which groups are wanted.
type ruleFilter struct {
	names, groups, files []string // empty: all
	kind                 string   // "alert", "record" or both
	withoutAlerts        bool
	matchers             [][]*labels.Matcher
	limit                int    // groups on a page, 0 for all
	token                string // of the first group of the page
}

func (a *api) ruleFilter(r *http.Request) (ruleFilter, *result) {
	bad := func(res result) (ruleFilter, *result) { return ruleFilter{}, &res }
	if err := r.ParseForm(); err != nil {
		return bad(fail(badData, fmt.Errorf("error parsing form values: %w", err)))
	}
	f := ruleFilter{names: r.Form["rule_name[]"], groups: r.Form["rule_group[]"], files: r.Form["file[]"]}
	var err error
	if f.matchers, err = a.parseMatchers(r.Form["match[]"]); err != nil {
		return bad(fail(badData, err))
	}
	f.kind = strings.ToLower(r.FormValue("type"))
	if f.kind != "" && f.kind != "alert" && f.kind != "record" {
		return bad(badParameter("type", fmt.Errorf("not supported value %q", f.kind)))
	}
	if text := strings.ToLower(r.FormValue("exclude_alerts")); text != "" {
		if f.withoutAlerts, err = strconv.ParseBool(text); err != nil {
			return bad(badParameter("exclude_alerts", fmt.Errorf("error converting exclude_alerts: %w", err)))
		}
	}
	limit := r.FormValue("group_limit")
	f.token = r.FormValue("group_next_token")
	switch {
	case limit == "" && f.token != "":
		return bad(badParameter("group_next_token", errors.New("group_limit needs to be present in order to paginate over the groups")))
	case limit == "":
		return f, nil
	}
	if f.limit, err = strconv.Atoi(limit); err != nil {
		return bad(badParameter("group_limit", fmt.Errorf("group_limit needs to be a valid number: %w", err)))
	}
	if f.limit <= 0 {
		return bad(badParameter("group_limit", errors.New("group_limit needs to be greater than 0")))
	}
	return f, nil
}

func (a *api) rules(r *http.Request) result {
	filter, bad := a.ruleFilter(r)
	if bad != nil {
		return *bad
	}
	answer := ruleGroups{Groups: []ruleGroup{}}
	started := filter.token == ""
	for _, group := range a.Rules.RuleGroups() {
		if !started && groupToken(group) != filter.token {
			continue
		}
		started = true
		if !accepts(filter.groups, group.Name()) || !accepts(filter.files, group.File()) {
			continue
		}
		found := filter.rulesOf(group)
		if len(found) == 0 {
			continue
		}
		if filter.limit > 0 && len(answer.Groups) == filter.limit {
			answer.NextToken = groupToken(group)
			break
		}
		answer.Groups = append(answer.Groups, ruleGroup{
			Name:           group.Name(),
			File:           group.File(),
			Rules:          found,
			Interval:       group.Interval().Seconds(),
			Limit:          group.Limit(),
			EvaluationTime: group.GetEvaluationTime().Seconds(),
			LastEvaluation: group.GetLastEvaluation(),
		})
	}
	if !started {
		return badParameter("group_next_token", fmt.Errorf("invalid group_next_token '%v'. were rule groups changed?", filter.token))
	}
	return result{data: answer}
}

func accepts(wanted []string, value string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, value)
}

// groupToken names a group in a page's link to the next one.
func groupToken(g *rules.Group) string {
	sum := sha256.Sum256([]byte(g.File() + ";" + g.Name()))
	return hex.EncodeToString(sum[:])
}

func (f ruleFilter) rulesOf(group *rules.Group) []any {
	var found []any
	for _, rule := range group.Rules(f.matchers...) {
		if !accepts(f.names, rule.Name()) {
			continue
		}
		switch rule := rule.(type) {
		case *rules.AlertingRule:
			if f.kind != "record" {
				found = append(found, describeAlerting(rule, f.withoutAlerts))
			}
		case *rules.RecordingRule:
			if f.kind != "alert" {
				found = append(found, describeRecording(rule))
			}
		}
	}
	return found
}

func describeAlerting(rule *rules.AlertingRule, withoutAlerts bool) alertingRule {
	described := alertingRule{
		State:          rule.State().String(),
		Name:           rule.Name(),
		Query:          rule.Query().String(),
		Duration:       rule.HoldDuration().Seconds(),
		KeepFiringFor:  rule.KeepFiringFor().Seconds(),
		Labels:         rule.Labels(),
		Annotations:    rule.Annotations(),
		Health:         rule.Health(),
		LastError:      errorText(rule.LastError()),
		EvaluationTime: rule.GetEvaluationDuration().Seconds(),
		LastEvaluation: rule.GetEvaluationTimestamp(),
		Type:           "alerting",
	}
	if !withoutAlerts {
		described.Alerts = describeAlerts(rule)
	}
	return described
}

func describeRecording(rule *rules.RecordingRule) recordingRule {
	return recordingRule{
		Name:           rule.Name(),
		Query:          rule.Query().String(),
		Labels:         rule.Labels(),
		Health:         rule.Health(),
		LastError:      errorText(rule.LastError()),
		EvaluationTime: rule.GetEvaluationDuration().Seconds(),
		LastEvaluation: rule.GetEvaluationTimestamp(),
		Type:           "recording",
	}
}

func (a *api) alerts(*http.Request) result {
	found := []alert{}
	for _, rule := range a.Rules.AlertingRules() {
		found = append(found, describeAlerts(rule)...)
	}
	return result{data: struct {
		Alerts []alert `json:"alerts"`
	}{found}}
}

func describeAlerts(rule *rules.AlertingRule) []alert {
	active := rule.ActiveAlerts()
	described := make([]alert, 0, len(active))
	for _, one := range active {
		d := alert{
			Labels:      one.Labels,
			Annotations: one.Annotations,
			State:       one.State.String(),
			ActiveAt:    &one.ActiveAt,
			Value:       strconv.FormatFloat(one.Value, 'e', -1, 64),
		}
		if !one.KeepFiringSince.IsZero() {
			d.KeepFiringSince = &one.KeepFiringSince
		}
		described = append(described, d)
	}
	return described
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return redact.Error(err)
}
