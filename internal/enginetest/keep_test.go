package enginetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

func TestKeepLeavesWhatIsReadOfARule(t *testing.T) {
	const file = `
groups:
- name: first
  interval: 1m
  labels: {team: shop}
  rules:
  - {record: unread, expr: raw}
  - {record: base, expr: 'rate(raw[5m])', labels: {slo: a}}
  - {record: base, expr: 'rate(others[5m])', labels: {slo: b}}
- name: others
  rules:
  - {alert: Unread, expr: base > 1}
- name: second
  rules:
  - {record: ratio, expr: 'sum(base) / (avg_over_time(share[1h:1m]) or vector(1))'}
  - {record: share, expr: '{__name__="base"} / 2'}
  - {alert: Bad, expr: ratio > 1, for: 5m}
`
	const want = `
groups:
- name: first
  interval: 1m
  labels: {team: shop}
  rules:
  - {record: base, expr: 'rate(raw[5m])', labels: {slo: a}}
  - {record: base, expr: 'rate(others[5m])', labels: {slo: b}}
- name: second
  rules:
  - {record: ratio, expr: 'sum(base) / (avg_over_time(share[1h:1m]) or vector(1))'}
  - {record: share, expr: '{__name__="base"} / 2'}
  - {alert: Bad, expr: ratio > 1, for: 5m}
`
	read := func(text []byte) (all any) {
		if err := yaml.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	if d := cmp.Diff(read([]byte(want)), read(Keep(t, []byte(file), "Bad"))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
