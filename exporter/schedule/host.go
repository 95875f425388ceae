package schedule

// host bounds how many probes of one host run at once. Its methods do nothing
// for nil.
type host struct {
	running int
	waiting []*entry // due and not too late, but all slots of the host were taken; oldest first
}

// host returns the host of a name; nil if it is not bounded.
func (s *Scheduler) host(name string) *host {
	if name == "" || s.opts.MaxPerHost <= 0 {
		return nil
	}
	h := s.hosts[name]
	if h == nil {
		h = new(host)
		s.hosts[name] = h
	}
	return h
}

// forgetHosts removes the hosts without a running probe. Set then adds those of
// its targets.
func (s *Scheduler) forgetHosts() {
	for name, h := range s.hosts {
		if h.running == 0 {
			delete(s.hosts, name)
		}
	}
}

// hostFull reports whether all slots of the entry's host are taken.
func (s *Scheduler) hostFull(e *entry) bool {
	return e.host != nil && e.host.running >= s.opts.MaxPerHost
}

func (h *host) enter() {
	if h != nil {
		h.running++
	}
}

// leave frees a slot, and reports whether an entry waits for it.
func (h *host) leave() bool {
	if h == nil {
		return false
	}
	h.running--
	return len(h.waiting) > 0
}

func (h *host) enqueue(e *entry) {
	if !e.queued {
		e.queued = true
		h.waiting = append(h.waiting, e)
	}
}

// admitOfHosts gives the free slots of hosts to waiting entries, oldest first.
func (s *Scheduler) admitOfHosts() {
	freed := s.freed
	s.freed = nil
	for _, h := range freed {
		for len(h.waiting) > 0 && h.running < s.opts.MaxPerHost {
			e := h.waiting[0]
			h.waiting[0] = nil
			h.waiting = h.waiting[1:]
			s.retry(e)
		}
	}
}
