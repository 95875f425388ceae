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

// dialogueReasons are the reasons of kinds with a dialogue.
var dialogueReasons = []Reason{Dialogue, Protocol}

// maxStepRead bounds, in bytes, what one step reads.
const maxStepRead = 1 << 20

// step is a prepared sla.Step.
type step struct {
	send     []byte
	reply    string // like send, with groups of the line that matched last
	match    *regexp.Regexp
	bytes    []byte
	labels   []InfoLabel // with templates for values
	startTLS bool
	what     string // "step 2 of 5 (expect)"
}

func (s *step) expects() bool { return s.match != nil || s.bytes != nil }

// prepare makes the steps of a dialogue; eol ends the lines that are sent.
func prepare(dialogue []sla.Step, eol string) ([]step, error) {
	steps := make([]step, 0, len(dialogue))
	expected := false
	for i, d := range dialogue {
		s := step{send: d.SendBytes, bytes: d.ExpectBytes, startTLS: d.StartTLS}
		verb := "send"
		switch {
		case d.Send != "":
			s.send = []byte(d.Send + eol)
		case d.Reply != "":
			if !expected {
				return nil, fmt.Errorf("step %d replies to nothing", i+1)
			}
			s.reply, verb = d.Reply+eol, "reply"
		case d.Expect != "":
			match, err := regexp.Compile(d.Expect)
			if err != nil {
				return nil, fmt.Errorf("step %d, expect: %w", i+1, err)
			}
			s.match, verb, expected = match, "expect", true
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
	dialer   *dialer
	session  *session // of startTLS
	address  string
	run      *run
	conn     net.Conn
	reader   *bufio.Reader
	limited  io.LimitedReader
	expand   func(template string) []byte // fills in groups of the line that matched last
	recorder recordingReader
	// unterminated: what a step expects has arrived, in a line without an end.
	unterminated bool
	steps        []step
	sentReplies  []string // replies that were sent
}

// runSteps runs the steps. After startTLS, t.conn is another connection.
func (t *talk) runSteps(ctx context.Context, steps []step) *failure {
	t.steps = steps
	t.reader = readers.Get().(*bufio.Reader)
	defer func() {
		t.reader.Reset(nil)
		readers.Put(t.reader)
	}()
	t.setConn(t.conn)
	stop := interruptible(ctx, t.conn)
	defer stop()
	for i := range steps {
		if fault := t.runStep(ctx, &steps[i]); fault != nil {
			return fault
		}
	}
	return nil
}

func (t *talk) setConn(conn net.Conn) {
	t.conn = conn
	t.recorder.from = conn
	t.limited.R = &t.recorder
	t.reader.Reset(&t.limited)
}

func (t *talk) runStep(ctx context.Context, s *step) *failure {
	switch {
	case s.startTLS:
		return t.startTLS(ctx, s)
	case s.expects():
		t.limited.N = maxStepRead
		ahead, _ := t.reader.Peek(t.reader.Buffered())
		t.recorder.reset(ahead, t.run.excerpt)
		start := time.Now()
		unmatched, err := t.read(s)
		t.run.phases.Add(Processing, time.Since(start))
		fault := t.judge(ctx, s, unmatched, err)
		if fault != nil {
			t.captureExcerpt()
		} else if len(s.labels) > 0 {
			t.label(s.labels)
		}
		return fault
	}
	send := s.send
	if s.reply != "" {
		send = t.expand(s.reply)
		t.sentReplies = append(t.sentReplies, string(send))
	}
	if _, err := t.conn.Write(send); err != nil {
		return t.dialer.classify(ctx, err, t.at(s))
	}
	return nil
}

// maxInfo bounds, in bytes, a value that is taken from a response.
const maxInfo = 64

// label takes values for labels from the line that matched. If two steps have the
// same label, the last counts.
func (t *talk) label(labels []InfoLabel) {
	for _, l := range labels {
		value := strings.ToValidUTF8(printable(string(t.expand(l.Value))), "\uFFFD")
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
		// Anyone between us and the server could have inserted it, and it
		// would count as sent within the session.
		return &failure{Protocol, s.what + ": the server spoke before the handshake"}
	}
	secured, fault := t.dialer.secure(ctx, t.conn, t.session, t.address, t.run)
	if fault != nil {
		fault.detail = s.what + ": " + fault.detail
		return fault
	}
	t.setConn(secured)
	return nil
}

var errNoMatch = errors.New("no match")

// read reads until the step has what it expects. It returns how many lines, or
// bytes, were something else.
func (t *talk) read(s *step) (unmatched int, err error) {
	if s.match != nil {
		return t.readLine(s.match)
	}
	return t.readBytes(s.bytes)
}

func (t *talk) readLine(match *regexp.Regexp) (unmatched int, err error) {
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
				return unmatched, nil
			}
			unmatched++
			t.unterminated = !whole && match.Match(line)
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // it ended within the line
			}
		}
		if err != nil {
			return unmatched, t.readError(err)
		}
	}
}

// matches reports whether a line matches, and keeps it for replies and labels.
func (t *talk) matches(match *regexp.Regexp, line []byte) bool {
	groups := match.FindSubmatchIndex(line)
	if groups == nil {
		return false
	}
	line = bytes.Clone(line) // the reader's buffer is used again
	t.expand = func(template string) []byte { return match.Expand(nil, []byte(template), line, groups) }
	return true
}

func (t *talk) readBytes(want []byte) (unmatched int, err error) {
	window := make([]byte, 0, 2*len(want))
	for {
		b, err := t.reader.ReadByte()
		if err != nil {
			return unmatched, t.readError(err)
		}
		unmatched++
		if len(window) == cap(window) { // keep what could begin a match
			window = window[:copy(window, window[len(window)-len(want)+1:])]
		}
		window = append(window, b)
		if bytes.HasSuffix(window, want) {
			return unmatched, nil
		}
	}
}

// readError replaces an end that is due to maxStepRead by errNoMatch.
func (t *talk) readError(err error) error {
	if t.limited.N <= 0 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return errNoMatch
	}
	return err
}

// judge says why a step failed. It does not quote the server, whose text could
// contain anything.
func (t *talk) judge(ctx context.Context, s *step, unmatched int, err error) *failure {
	if err == nil {
		return nil
	}
	what := "lines"
	if s.bytes != nil {
		what = "bytes"
	}
	received := fmt.Sprintf("%d %s, and not what is expected", unmatched, what)
	if t.unterminated {
		received = "what is expected, but in a line without an end: use expectBytes, which needs none"
	}
	if errors.Is(err, errNoMatch) {
		return &failure{Dialogue, s.what + ": more than 1 MiB, and not what is expected"}
	}
	fault := t.dialer.classify(ctx, err, t.at(s))
	if unmatched == 0 {
		return fault
	}
	if fault.reason == Reset && errors.Is(err, io.EOF) {
		fault.reason = Dialogue // the server has sent all it had to send, and closed
	}
	fault.detail += "; received " + received
	return fault
}

// dialogueDetail returns the detail of a dialogue that succeeded.
func dialogueDetail(steps []step) string {
	if len(steps) == 0 {
		return "connected"
	}
	return "connected, " + count(len(steps), "step")
}
