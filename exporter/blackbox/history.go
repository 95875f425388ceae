package blackbox

import (
	"slices"
	"sync"
)

// record is one remembered probe.
type record struct {
	id      int64
	name    string // of the module
	module  *Module
	target  string
	success bool
	log     string
	out     results
}

// history remembers the last probes, and as many failed ones from before those.
type history struct {
	limit int

	mu     sync.Mutex
	next   int64
	recent []*record // oldest first
	failed []*record // likewise, older than all of recent
}

func (h *history) add(r *record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.id = h.next
	h.next++
	h.recent = append(h.recent, r)
	if len(h.recent) <= h.limit {
		return
	}
	if old := h.recent[0]; !old.success {
		h.failed = append(h.failed, old)
		if len(h.failed) > h.limit {
			h.failed = slices.Delete(h.failed, 0, 1)
		}
	}
	h.recent = slices.Delete(h.recent, 0, 1)
}

// list is all remembered probes, the newest first.
func (h *history) list() []*record {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := slices.Concat(h.failed, h.recent)
	slices.Reverse(all)
	return all
}

// find is the newest probe for which ok is true; nil if there is none.
func (h *history) find(ok func(*record) bool) *record {
	all := h.list()
	if i := slices.IndexFunc(all, ok); i >= 0 {
		return all[i]
	}
	return nil
}
