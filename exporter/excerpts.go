package exporter

import (
	"container/list"
	"strings"
	"sync"
)

// maxExcerpts bounds, in bytes, the excerpts of all targets together: a few for each of
// 10,000 targets that are down. The oldest are removed first.
const maxExcerpts = 32 << 20

// excerptCost is how many bytes an excerpt needs besides its text.
const excerptCost = 160

// excerpt is the beginning of a target's response. Consecutive results with the same
// one share it.
type excerpt struct {
	of    *excerpts
	text  string // "" once it was removed
	users int    // how many results in histories have it
	place *list.Element
}

// excerpts remembers excerpts of responses, up to maxExcerpts. The zero value is ready
// to use.
type excerpts struct {
	mu     sync.Mutex
	oldest list.List // of *excerpt, the newest at the back
	size   int       // bytes
}

// keep remembers a text for a result. It shares the excerpt of the previous result,
// which may be nil, if the text is the same.
func (e *excerpts) keep(text string, before *excerpt) *excerpt {
	e.mu.Lock()
	defer e.mu.Unlock()
	if before != nil && before.text == text {
		before.users++
		e.oldest.MoveToBack(before.place)
		return before
	}
	x := &excerpt{of: e, text: strings.Clone(text), users: 1}
	x.place = e.oldest.PushBack(x)
	for e.size += len(text) + excerptCost; e.size > maxExcerpts; {
		e.drop(e.oldest.Front().Value.(*excerpt))
	}
	return x
}

// release removes one result's use of the excerpt, which may be nil.
func (e *excerpts) release(x *excerpt) {
	if x == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if x.users--; x.users == 0 {
		e.drop(x)
	}
}

// drop removes the text of an excerpt; e.mu is held.
func (e *excerpts) drop(x *excerpt) {
	if x.place == nil {
		return
	}
	e.oldest.Remove(x.place)
	e.size -= len(x.text) + excerptCost
	x.text, x.place = "", nil
}

// read returns the text, "" once it was removed; x may be nil.
func (x *excerpt) read() string {
	if x == nil {
		return ""
	}
	x.of.mu.Lock()
	defer x.of.mu.Unlock()
	return x.text
}

// forget releases the excerpts of a target that was removed. A probe of it that is
// still running may add another, which is dropped when it is the oldest.
func (h *history) forget(kept *excerpts) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.bad == nil {
		return
	}
	for i := range h.bad.notes {
		n := &h.bad.notes[i]
		for range n.users {
			kept.release(n.excerpt)
		}
		n.excerpt = nil
	}
}
