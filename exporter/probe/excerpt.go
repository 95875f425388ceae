package probe

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/miekg/dns"

	"github.com/upheld-sla/upheld/sla"
)

// DefaultExcerpt is how many bytes of the response of a failing target are kept.
const DefaultExcerpt = 1 << 10

// excerptPatience is how long a probe waits for the beginning of a body that its
// verdict did not need. The probe has ended by then, so this is in no duration.
const excerptPatience = 250 * time.Millisecond

// maxValue bounds the value of a header in an excerpt, in bytes.
const maxValue = 200

// responseStart is the beginning of a response. A Result shows it if the response
// was bad.
type responseStart struct {
	head    string // status and headers
	content []byte // unchanged
	hidden  secretTexts
}

// captureExcerpt keeps the beginning of a response, if Env.Excerpt asks for it.
func (r *run) captureExcerpt(head string, content []byte, hidden secretTexts) {
	if r.excerpt > 0 {
		r.response = &responseStart{head, slices.Clone(content[:min(len(content), r.excerpt)]), hidden}
	}
}

// text returns what may be shown: head and content, each at most limit bytes.
func (h *responseStart) text(limit int) string {
	var parts []string
	if h.head != "" {
		parts = append(parts, cut(strings.TrimSpace(h.hidden.redact(h.head)), limit))
	}
	if len(h.content) > 0 {
		parts = append(parts, h.contentText(limit))
	}
	return strings.Join(parts, "\n\n")
}

func (h *responseStart) contentText(limit int) string {
	if isText(h.content) {
		return cut(h.hidden.redact(h.hidden.withoutCutSecret(printable(string(h.content)))), limit)
	}
	text := fmt.Sprintf("(no text; at least %s", count(len(h.content), "byte"))
	if magic := h.content[:min(len(h.content), 16)]; !h.hidden.foundIn(h.content) {
		text += fmt.Sprintf(", beginning with % x", magic)
	}
	return text + ")"
}

// isText reports whether at least nine in ten characters are printable. The bytes
// may end within a character.
func isText(content []byte) bool {
	unprintable := 0
	for rest := content; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == 0:
			return false
		case r == utf8.RuneError && size == 1 && utf8.FullRune(rest), unicode.IsControl(r) && !unicode.IsSpace(r):
			unprintable++
		}
		rest = rest[size:]
	}
	return unprintable*10 <= len(content)
}

// printable replaces characters that could control a page or a terminal, such as
// those that change the direction of writing.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return -1
		case r == '\n' || r == '\t' || unicode.IsPrint(r):
			return r
		}
		return utf8.RuneError
	}, text)
}

// cut returns the first limit bytes of a text, or fewer so that no character is
// divided.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}

// headText returns the status line and the headers, without values whose name says
// that they are secret.
func headText(response *http.Response) string {
	var b strings.Builder
	b.WriteString(response.Proto + " " + printable(response.Status) + "\n")
	names := make([]string, 0, len(response.Header))
	for name := range response.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range response.Header[name] {
			switch {
			case sla.SecretName(name):
				value = hidden
			case name == "Location" || name == "Content-Location" || name == "Refresh" || name == "Link":
				value, _, _ = strings.Cut(value, "?")
				value, _, _ = strings.Cut(value, "#")
			}
			b.WriteString(name + ": " + cut(printable(strings.ReplaceAll(value, "\n", " ")), maxValue) + "\n")
		}
	}
	return b.String()
}

// captureResponse keeps the beginning of the response of a bad probe: what was
// read of its body, or what arrives within excerptPatience.
func (x *exchange) captureResponse() {
	r := x.run
	if r.excerpt == 0 {
		return
	}
	if x.answer == nil {
		if len(x.raw) > 0 { // it is not HTTP
			r.captureExcerpt("", x.raw, x.secretTexts())
		}
		return
	}
	if r.ended.IsZero() {
		r.ended = time.Now()
		r.late.finish(r.ended, true)
	}
	if !x.bodyRead {
		x.readBodyStart()
	}
	r.captureExcerpt(headText(x.answer), x.body, x.secretTexts())
}

// keepNonHTTP keeps what has arrived if it does not begin as HTTP does. It returns
// what has arrived, valid until more is read.
func (x *exchange) keepNonHTTP() (came []byte) {
	const sign = "HTTP/"
	came, _ = x.reader.Peek(x.reader.Buffered())
	if x.run.excerpt > 0 && !strings.HasPrefix(sign, string(came[:min(len(came), len(sign))])) {
		x.raw = slices.Clone(came[:min(len(came), x.run.excerpt)])
	}
	return came
}

// readBodyStart reads the beginning of a body of which nothing has been read.
func (x *exchange) readBodyStart() {
	from, fault := x.decoded(x.answer)
	if fault != nil {
		from = x.answer.Body
	}
	until := time.Now().Add(excerptPatience)
	if x.run.deadline.Before(until) {
		until = x.run.deadline
	}
	if x.quic != nil {
		stop := time.AfterFunc(time.Until(until), func() { _ = x.quic.conn.CloseWithError(0, "") })
		defer stop.Stop()
	} else if x.conn != nil {
		_ = x.conn.SetReadDeadline(until)
	}
	buf := x.buffer()
	for len(buf) < min(x.run.excerpt, cap(buf)) {
		n, err := from.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err != nil {
			break
		}
	}
	x.body, *x.scratch = buf, buf
}

// captureDNS keeps the records of a DNS response, in the format of zone files.
func (r *run) captureDNS(m *dns.Msg) {
	if r.excerpt == 0 || m == nil {
		return
	}
	var b strings.Builder
	for _, section := range []struct {
		name    string
		records []dns.RR
	}{{"answer", m.Answer}, {"authority", m.Ns}, {"additional", m.Extra}} {
		for _, record := range section.records {
			if record.Header().Rrtype != dns.TypeOPT && b.Len() < r.excerpt {
				b.WriteString(section.name + ": " + strings.ReplaceAll(record.String(), "\t", " ") + "\n")
			}
		}
	}
	r.captureExcerpt(rcodeName(m), []byte(b.String()), secretTexts{})
}

// recordingReader reads from a target, and keeps the beginning of what it sends in
// a step of a dialogue.
type recordingReader struct {
	from     io.Reader
	recorded []byte
	limit    int
}

// reset begins another step. What has been read ahead belongs to it.
func (e *recordingReader) reset(ahead []byte, limit int) {
	e.limit = limit
	e.recorded = append(e.recorded[:0], ahead[:min(len(ahead), limit)]...)
}

// Read implements io.Reader.
func (e *recordingReader) Read(b []byte) (int, error) {
	n, err := e.from.Read(b)
	if room := e.limit - len(e.recorded); room > 0 {
		e.recorded = append(e.recorded, b[:min(n, room)]...)
	}
	return n, err
}

// captureExcerpt keeps what the target sent instead of what was expected.
func (t *talk) captureExcerpt() {
	hidden := sentTexts(t.steps)
	for _, reply := range t.sentReplies {
		hidden.addSent(reply)
	}
	if len(t.recorder.recorded) > 0 {
		t.run.captureExcerpt("", t.recorder.recorded, hidden)
	}
}

// sentTexts returns what a dialogue sends.
func sentTexts(steps []step) (s secretTexts) {
	for i := range steps {
		s.addSent(string(steps[i].send))
	}
	return s
}
