package probe

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/sla"
)

// dialogueReasons are those of kinds that talk.
var dialogueReasons = []Reason{Dialogue, Protocol}

// maxHeard bounds, in bytes, what one step listens to.
const maxHeard = 1 << 20

// step is a prepared sla.Step.
type step struct {
	send     []byte
	reply    string // like send, with groups of what was heard
	match    *regexp.Regexp
	bytes    []byte
	labels   []InfoLabel // with templates for values
	startTLS bool
	what     string // "step 2 of 5 (expect)"
}

func (s *step) listens() bool { return s.match != nil || s.bytes != nil }

// prepare makes the steps of a dialogue; eol ends the lines that are sent.
func prepare(dialogue []sla.Step, eol string) ([]step, error) {
	steps := make([]step, 0, len(dialogue))
	heard := false
	for i, d := range dialogue {
		s := step{send: d.SendBytes, bytes: d.ExpectBytes, startTLS: d.StartTLS}
		verb := "send"
		switch {
		case d.Send != "":
			s.send = []byte(d.Send + eol)
		case d.Reply != "":
			if !heard {
				return nil, fmt.Errorf("step %d replies to nothing", i+1)
			}
			s.reply, verb = d.Reply+eol, "reply"
		case d.Expect != "":
			match, err := regexp.Compile(d.Expect)
			if err != nil {
				return nil, fmt.Errorf("step %d, expect: %w", i+1, err)
			}
			s.match, verb, heard = match, "expect", true
			for _, name := range slices.Sorted(maps.Keys(d.Labels)) {
				s.labels = append(s.labels, InfoLabel{name, d.Labels[name]})
			}
		case d.ExpectBytes != nil:
			verb = "expectBytes"
		case d.StartTLS:
			verb = "startTLS"
		case d.SendBytes == nil:
			return nil, fmt.Errorf("step %d does nothing", i+1)
		}
		s.what = fmt.Sprintf("step %d of %d (%s)", i+1, len(dialogue), verb)
		steps = append(steps, s)
	}
	return steps, nil
}

// talk is a dialogue under way over a stream.
type talk struct {
	dialer  *dialer
	session *session // of startTLS
	address string
	run     *run
	conn    net.Conn
	reader  *bufio.Reader
	limited io.LimitedReader
	heard   func(template string) []byte // puts groups of the last line that matched into a reply
	ears    ears
	// prompted: what a step waits for has come, in a line that has no end.
	prompted bool
	steps    []step
	replied  []string // what was sent of that
}

// speak goes through the steps. The connection that it leaves in t.conn is
// another one after startTLS.
func (t *talk) speak(ctx context.Context, steps []step) *failure {
	t.steps = steps
	t.reader = readers.Get().(*bufio.Reader)
	defer func() {
		t.reader.Reset(nil)
		readers.Put(t.reader)
	}()
	t.listenTo(t.conn)
	stop := interruptible(ctx, t.conn)
	defer stop()
	for i := range steps {
		if fault := t.do(ctx, &steps[i]); fault != nil {
			return fault
		}
	}
	return nil
}

func (t *talk) listenTo(conn net.Conn) {
	t.conn = conn
	t.ears.from = conn
	t.limited.R = &t.ears
	t.reader.Reset(&t.limited)
}

func (t *talk) do(ctx context.Context, s *step) *failure {
	switch {
	case s.startTLS:
		return t.startTLS(ctx, s)
	case s.listens():
		t.limited.N = maxHeard
		ahead, _ := t.reader.Peek(t.reader.Buffered())
		t.ears.begin(ahead, t.run.excerpt)
		start := time.Now()
		heard, err := t.hear(s)
		t.run.phases.Add(Processing, time.Since(start))
		fault := t.judge(ctx, s, heard, err)
		if fault != nil {
			t.tell()
		} else if len(s.labels) > 0 {
			t.label(s.labels)
		}
		return fault
	}
	send := s.send
	if s.reply != "" {
		send = t.heard(s.reply)
		t.replied = append(t.replied, string(send))
	}
	if _, err := t.conn.Write(send); err != nil {
		return t.dialer.classify(ctx, err, t.at(s))
	}
	return nil
}

// maxInfo bounds, in bytes, a value that is taken from an answer.
const maxInfo = 64

// label takes values from what was heard. Of two steps with the same label, the
// last counts.
func (t *talk) label(labels []InfoLabel) {
	for _, l := range labels {
		value := strings.ToValidUTF8(printable(string(t.heard(l.Value))), "\uFFFD")
		if len(value) > maxInfo {
			value = strings.ToValidUTF8(value[:maxInfo], "")
		}
		i, known := slices.BinarySearchFunc(t.run.info, l.Name, func(a InfoLabel, name string) int { return strings.Compare(a.Name, name) })
		if !known {
			t.run.info = slices.Insert(t.run.info, i, InfoLabel{Name: l.Name})
		}
		t.run.info[i].Value = value
	}
}

func (t *talk) at(s *step) stage { return stage{phase: Processing, address: t.address, what: s.what} }

func (t *talk) startTLS(ctx context.Context, s *step) *failure {
	if t.reader.Buffered() > 0 {
		// Anyone in between could have put it there, and it would count
		// as said within the session.
		return &failure{Protocol, s.what + ": the server spoke before the handshake"}
	}
	secured, fault := t.dialer.secure(ctx, t.conn, t.session, t.address, t.run)
	if fault != nil {
		fault.detail = s.what + ": " + fault.detail
		return fault
	}
	t.listenTo(secured)
	return nil
}

var errNoMatch = errors.New("no match")

// hear reads until the step has what it waits for; it returns how many lines,
// or bytes, were heard in vain.
func (t *talk) hear(s *step) (heard int, err error) {
	if s.match != nil {
		return t.hearLine(s.match)
	}
	return t.hearBytes(s.bytes)
}

func (t *talk) hearLine(match *regexp.Regexp) (heard int, err error) {
	var long []byte // a line that does not fit the reader's buffer
	for {
		line, err := t.reader.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, line...)
			continue
		}
		if len(long) > 0 {
			line = append(long, line...)
			long = long[:0]
		}
		if len(line) > 0 {
			whole := err == nil || errors.Is(err, io.EOF) // the last line may have no end
			if whole && t.matches(match, bytes.TrimRight(line, "\r\n")) {
				return heard, nil
			}
			heard++
			t.prompted = !whole && match.Match(line)
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // it ended within the line
			}
		}
		if err != nil {
			return heard, t.spent(err)
		}
	}
}

// matches tells whether a line does, and keeps what replies may repeat of it.
func (t *talk) matches(match *regexp.Regexp, line []byte) bool {
	groups := match.FindSubmatchIndex(line)
	if groups == nil {
		return false
	}
	line = bytes.Clone(line) // the reader's buffer is used again
	t.heard = func(template string) []byte { return match.Expand(nil, []byte(template), line, groups) }
	return true
}

func (t *talk) hearBytes(want []byte) (heard int, err error) {
	window := make([]byte, 0, 2*len(want))
	for {
		b, err := t.reader.ReadByte()
		if err != nil {
			return heard, t.spent(err)
		}
		heard++
		if len(window) == cap(window) { // keep what could begin a match
			window = window[:copy(window, window[len(window)-len(want)+1:])]
		}
		window = append(window, b)
		if bytes.HasSuffix(window, want) {
			return heard, nil
		}
	}
}

// spent turns an end that is our own bound into what it is.
func (t *talk) spent(err error) error {
	if t.limited.N <= 0 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return errNoMatch
	}
	return err
}

// judge says what is wrong with what was heard. What the server said is not
// told: it could hold anything.
func (t *talk) judge(ctx context.Context, s *step, heard int, err error) *failure {
	if err == nil {
		return nil
	}
	what := "lines"
	if s.bytes != nil {
		what = "bytes"
	}
	vain := fmt.Sprintf("%d %s, and not what is expected", heard, what)
	if t.prompted {
		vain = "what is expected, in a line without an end: write expectBytes, which waits for none"
	}
	if errors.Is(err, errNoMatch) {
		return &failure{Dialogue, s.what + ": more than 1 MiB, and not what is expected"}
	}
	fault := t.dialer.classify(ctx, err, t.at(s))
	if heard == 0 {
		return fault
	}
	if fault.reason == Reset && errors.Is(err, io.EOF) {
		fault.reason = Dialogue // the server has said what it had to say, and hung up
	}
	fault.detail += "; heard " + vain
	return fault
}

// said is the detail of a dialogue that went well.
func said(steps []step) string {
	if len(steps) == 0 {
		return "connected"
	}
	return "connected, " + count(len(steps), "step")
}
