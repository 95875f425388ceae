package main

import (
	"bytes"
	"fmt"
	"os"

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
	want, findings := emit.MergeAlertmanager(o.merged, have, agreements)
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
