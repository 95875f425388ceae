package exporter

import (
	"container/list"
	"strings"
	"sync"
)

// maxExcerpts bounds, in bytes, the excerpts of all targets together. That is a few
// for each of 10,000 targets that are down. The oldest are removed first.
const maxExcerpts = 32 << 20

// excerptCost is how many bytes an excerpt takes besides its text.
const excerptCost = 160

// excerpt is the beginning of what a target answered, shared by results in a
// row that had the same.
type excerpt struct {
	of    *excerpts
	text  string // "" once it is forgotten
	users int    // results of histories
	place *list.Element
}

// excerpts is the memory of what targets answered, a bounded one. The zero
// value is ready.
type excerpts struct {
	mu     sync.Mutex
	oldest list.List // of *excerpt, the newest at the back
	size   int       // bytes
}

// keep remembers a text for a result. That of the one before, which may be nil,
// is kept once if it is the same.
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

// release says that one result less has the excerpt, which may be nil.
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

// drop forgets a text; e.mu is held.
func (e *excerpts) drop(x *excerpt) {
	if x.place == nil {
		return
	}
	e.oldest.Remove(x.place)
	e.size -= len(x.text) + excerptCost
	x.text, x.place = "", nil
}

// read is the text, as long as it is remembered; x may be nil.
func (x *excerpt) read() string {
	if x == nil {
		return ""
	}
	x.of.mu.Lock()
	defer x.of.mu.Unlock()
	return x.text
}

// forget releases the excerpts of a target that is gone. A probe of it that
// still runs may add another; that one goes when it is the oldest.
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
