package schedule

// host is what the probes of one host share: how many of them run at once is
// bounded. Its methods do nothing for nil.
type host struct {
	running int
	waiting []*entry // due and in time, but all slots of the host were taken; oldest first
}

// host is that of a name; nil if it is not bounded.
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

// forgetHosts forgets those without a running probe: targets that stay name
// theirs again.
func (s *Scheduler) forgetHosts() {
	for name, h := range s.hosts {
		if h.running == 0 {
			delete(s.hosts, name)
		}
	}
}

// crowded tells whether as many probes of an entry's host run as may.
func (s *Scheduler) crowded(e *entry) bool {
	return e.host != nil && e.host.running >= s.opts.MaxPerHost
}

func (h *host) enter() {
	if h != nil {
		h.running++
	}
}

// leave tells whether somebody waits for the slot.
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

// admitOfHosts gives free slots of hosts to those that wait for one, oldest
// first.
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
