package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/upheld-sla/upheld/internal/filetree"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

// alertmanagerPath is where the complete configuration goes, unless it is merged
// into one that is there.
const alertmanagerPath = "alertmanager/alertmanager.yml"

// mergedFile is the configuration that agreements are merged into.
type mergedFile struct {
	path  string
	ready *filetree.Replacement // nil if nothing changes, or only a difference is looked for
	stale bool
	empty []string // receivers of agreements that tell nobody
}

// merge prepares the merged configuration, if one is asked for and the
// agreements are good.
func (o generateOptions) merge(agreements []*sla.Agreement, good bool) (mergedFile, sla.Findings, error) {
	m := mergedFile{path: o.merged}
	if o.merged == "" || !good {
		return m, nil, nil
	}
	have, err := os.ReadFile(o.merged)
	if err != nil {
		return m, nil, fmt.Errorf("--alertmanager.merge: %w", err)
	}
	want, empty, findings := emit.MergeAlertmanager(o.merged, have, agreements)
	m.empty = empty
	if findings.HasErrors() || bytes.Equal(have, want) {
		return m, findings, nil
	}
	m.stale = true
	if !o.verify {
		if m.ready, err = filetree.Replace(o.merged, want); err != nil {
			err = fmt.Errorf("--alertmanager.merge: %w", err)
		}
	}
	return m, findings, err
}

// receiversHint says which receivers are to be filled in. The complete
// configuration is made anew each time, so its receivers always are.
func (o generateOptions) receiversHint(agreements []*sla.Agreement, merged mergedFile) (string, error) {
	switch {
	case o.verify || !o.writes("alertmanager"):
		return "", nil
	case o.merged != "":
		if len(merged.empty) == 0 {
			return "", nil
		}
		return fmt.Sprintf("%s: nobody is told by the empty receivers %s; copy each out of the block of upheld, fill the copy in, and generate again\n",
			o.merged, few(merged.empty)), nil
	}
	_, empty, err := emit.Alertmanager(agreements)
	return fmt.Sprintf("%s/%s: nobody is told yet, its receivers %s are empty; write into a configuration that you have with --alertmanager.merge=FILE, or fill in a copy\n",
		o.dir, alertmanagerPath, few(empty)), err
}

// few lists names, of many the first ones.
func few(names []string) string {
	const most = 6
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

func (m mergedFile) discard() {
	if m.ready != nil {
		m.ready.Discard()
	}
}

func (m mergedFile) commit() error {
	if m.ready == nil {
		return nil
	}
	return m.ready.Commit()
}
