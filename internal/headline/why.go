package headline

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Why is the reason why probes fail.
type Why struct {
	Reason string // one of the exporter's: "status"
	Detail string // the target's response: "HTTP 503"
}

// phrase says what one target does, and what several do.
type phrase struct{ one, several, rest string }

func (p phrase) of(n int) string {
	if n == 1 {
		return p.one + " " + p.rest
	}
	return p.several + " " + p.rest
}

func unknownReason(reason string) phrase {
	return phrase{"fails", "fail", "(" + strings.ReplaceAll(reason, "_", " ") + ")"}
}

// phraseOf is the table of the reasons for which a target counts as bad, as in
// metricnames.Blames. A reason without an entry is named as it is.
func phraseOf(reason string) phrase {
	switch reason {
	case "dns":
		return phrase{"does not", "do not", "resolve"}
	case "connect_refused":
		return phrase{"refuses", "refuse", "connections"}
	case "connect_timeout":
		return phrase{"does not", "do not", "answer"}
	case "unreachable":
		return phrase{"cannot", "cannot", "be reached"}
	case "reset":
		return phrase{"breaks off", "break off", "connections"}
	case "timeout":
		return phrase{"does not", "do not", "answer in time"}
	case "tls_expired":
		return phrase{"has", "have", "a certificate that has expired"}
	case "tls_name":
		return phrase{"has", "have", "a certificate for another name"}
	case "tls_authority":
		return phrase{"has", "have", "a certificate of an unknown authority"}
	case "tls_expiring":
		return phrase{"has", "have", "a certificate that expires soon"}
	case "tls_other":
		return phrase{"fails", "fail", "in the TLS handshake"}
	case "status":
		return phrase{"answers", "answer", "with a wrong status"}
	case "header":
		return phrase{"answers", "answer", "with a wrong header"}
	case "body":
		return phrase{"answers", "answer", "with a wrong body"}
	case "redirect":
		return phrase{"redirects", "redirect", "too often, or to nowhere"}
	case "loss":
		return phrase{"loses", "lose", "packets"}
	case "health":
		return phrase{"is", "are", "not serving"}
	case "rcode":
		return phrase{"answers", "answer", "with a wrong DNS code"}
	case "records":
		return phrase{"answers", "answer", "with wrong DNS records"}
	case "dialogue":
		return phrase{"answers", "answer", "something unexpected"}
	case "protocol":
		return phrase{"breaks", "break", "the protocol"}
	case "capture":
		return phrase{"answers", "answer", "without a value that a later step needs"}
	case "slow":
		return phrase{"answers", "answer", "too slowly"}
	}
	return unknownReason(reason)
}

// httpStatus finds the status in a target's response, even within a step of a journey.
var httpStatus = regexp.MustCompile(`\bHTTP ([1-9][0-9]{2})\b`)

// HTTPDetail describes a target's response by its status.
func HTTPDetail(status int) string { return "HTTP " + strconv.Itoa(status) }

// phrase says what the target does: "answers 503", if its response is known.
func (w Why) phrase() phrase {
	p := phraseOf(w.Reason)
	if w.Reason != "status" {
		return p
	}
	if http := httpStatus.FindStringSubmatch(w.Detail); http != nil {
		p.rest = http[1]
	} else if strings.HasPrefix(w.Detail, "gRPC ") {
		p.rest = w.Detail
	}
	return p
}

// cause says why the level is in its state: its components, or else its own failures.
func (l Level) cause() string {
	switch {
	case len(l.Down) > 0:
		return causeOf(l.Down)
	case l.Why.Reason != "":
		return "it " + l.Why.phrase().of(1)
	case l.BadShare > 0:
		return percentUp(l.BadShare) + " of the last five minutes’ events are bad"
	}
	return ""
}

// causeOf says what components do, joining those that do the same: "psp-a and psp-b
// answer 503".
func causeOf(down []Component) string {
	names := shortNames(down)
	var order []phrase
	alike := map[phrase][]string{}
	for i, c := range down {
		p := phrase{"is", "are", "down"}
		if c.Why.Reason != "" {
			p = c.Why.phrase()
		}
		if alike[p] == nil {
			order = append(order, p)
		}
		if !slices.Contains(alike[p], names[i]) {
			alike[p] = append(alike[p], names[i])
		}
	}
	parts := make([]string, 0, len(order))
	for _, p := range order {
		parts = append(parts, listed(alike[p])+" "+p.of(len(alike[p])))
	}
	return listed(parts)
}

// shortNames names components by their services, or by their whole names if two
// components of one service are down.
func shortNames(down []Component) []string {
	levels := map[string]map[string]bool{} // by service
	for _, c := range down {
		service, _, _ := strings.Cut(c.Name, "/")
		if levels[service] == nil {
			levels[service] = map[string]bool{}
		}
		levels[service][c.Name] = true
	}
	short := make([]string, len(down))
	for i, c := range down {
		short[i] = c.Name
		if service, _, _ := strings.Cut(c.Name, "/"); len(levels[service]) == 1 {
			short[i] = service
		}
	}
	return short
}

// cost says how much of the budget is spent, and which credit is owed.
func (l Level) cost() string {
	words := l.spent()
	if l.Credit > 0 {
		owed := fmt.Sprintf("a credit of %.4g%s is owed", l.Credit, perCent)
		if words == "" {
			return owed
		}
		return words + ", " + owed
	}
	return words
}
