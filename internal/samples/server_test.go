package samples_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/upheld-sla/upheld/internal/samples"
)

// standIn answers as a Prometheus does that has the samples of a source.
type standIn struct {
	of        samples.Source
	noRemote  bool
	sampled   bool          // it answers a remote read by samples, not by chunks
	longest   time.Duration // of a range that is not too much; 0: any
	asked     atomic.Int64
	interfere func(n int64, w http.ResponseWriter, r *http.Request) bool // answers itself
}

func (s *standIn) start(t testing.TB) *url.URL {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return base
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if n := s.asked.Add(1); s.interfere != nil && s.interfere(n, w, r) {
		return
	}
	switch {
	case r.URL.Path == "/api/v1/read" && !s.noRemote:
		s.read(w, r)
	case r.URL.Path == "/api/v1/query":
		s.query(w, r)
	default:
		http.NotFound(w, r)
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// read answers a remote read by frames of at most 100 samples.
func (s *standIn) read(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	check(err)
	body, err = snappy.Decode(nil, body)
	check(err)
	var request prompb.ReadRequest
	check(request.Unmarshal(body))
	q := request.Queries[0]
	var matchers []*labels.Matcher
	for _, m := range q.Matchers {
		kind := map[prompb.LabelMatcher_Type]labels.MatchType{
			prompb.LabelMatcher_EQ: labels.MatchEqual, prompb.LabelMatcher_NEQ: labels.MatchNotEqual,
			prompb.LabelMatcher_RE: labels.MatchRegexp, prompb.LabelMatcher_NRE: labels.MatchNotRegexp,
		}[m.Type]
		matchers = append(matchers, labels.MustNewMatcher(kind, m.Name, m.Value))
	}
	all, err := s.of.Select(r.Context(), matchers, q.StartTimestampMs, q.EndTimestampMs+1)
	check(err)
	if s.sampled {
		answer(w, all)
		return
	}
	w.Header().Set("Content-Type", "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse")
	for _, one := range all {
		for i := 0; i < len(one.T); i += 100 {
			chunk := chunkenc.NewXORChunk()
			app, err := chunk.Appender()
			check(err)
			end := min(i+100, len(one.T))
			for j := i; j < end; j++ {
				app.Append(0, one.T[j], one.V[j])
			}
			frame := prompb.ChunkedReadResponse{ChunkedSeries: []*prompb.ChunkedSeries{{
				Labels: prompb.FromLabels(one.Labels, nil),
				Chunks: []prompb.Chunk{{MinTimeMs: one.T[i], MaxTimeMs: one.T[end-1], Type: prompb.Chunk_XOR, Data: chunk.Bytes()}},
			}}}
			data, err := frame.Marshal()
			check(err)
			head := binary.AppendUvarint(nil, uint64(len(data)))
			head = binary.BigEndian.AppendUint32(head, crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
			_, err = w.Write(append(head, data...))
			check(err)
		}
	}
}

// answer answers a remote read by samples, as servers that are not Prometheus do.
func answer(w http.ResponseWriter, all []samples.Series) {
	result := &prompb.QueryResult{}
	for _, one := range all {
		series := &prompb.TimeSeries{Labels: prompb.FromLabels(one.Labels, nil)}
		for i, at := range one.T {
			series.Samples = append(series.Samples, prompb.Sample{Timestamp: at, Value: one.V[i]})
		}
		result.Timeseries = append(result.Timeseries, series)
	}
	data, err := (&prompb.ReadResponse{Results: []*prompb.QueryResult{result}}).Marshal()
	check(err)
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, err = w.Write(snappy.Encode(nil, data))
	check(err)
}

// query answers a range selector as Prometheus 2 does, with the sample at its left end.
func (s *standIn) query(w http.ResponseWriter, r *http.Request) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.FormValue("query"))
	check(err)
	of := expr.(*parser.MatrixSelector)
	seconds, err := strconv.ParseFloat(r.FormValue("time"), 64)
	check(err)
	to := int64(seconds*1000 + 0.5)
	w.Header().Set("Content-Type", "application/json")
	if s.longest > 0 && of.Range > s.longest {
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprint(w, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`)
		return
	}
	all, err := s.of.Select(r.Context(), of.VectorSelector.(*parser.VectorSelector).LabelMatchers, to-of.Range.Milliseconds(), to+1)
	check(err)
	result := []any{}
	for _, one := range all {
		values := [][2]any{}
		for i, at := range one.T {
			values = append(values, [2]any{json.RawMessage(fmt.Sprintf("%d.%03d", at/1000, at%1000)), strconv.FormatFloat(one.V[i], 'f', -1, 64)})
		}
		result = append(result, map[string]any{"metric": one.Labels.Map(), "values": values})
	}
	check(json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "matrix", "result": result}}))
}

func server(t testing.TB, s *standIn) samples.Source {
	return samples.NewServer(s.start(t), samples.ServerOptions{Wait: time.Millisecond, Timeout: 10 * time.Second})
}

var everything = []*labels.Matcher{labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+")}

func small(t testing.TB) samples.Source {
	t.Helper()
	var h history
	for _, name := range []string{`a_total{x="1"}`, `a_total{x="2"}`, `b_total`} {
		h.series(name, 15*time.Second, counter(15*time.Second, 1, nil))
	}
	return h.source(t)
}

func selectAll(from samples.Source) ([]samples.Series, error) {
	return from.Select(context.Background(), everything, start.UnixMilli(), until.UnixMilli())
}

func TestServersGiveWhatTheyHave(t *testing.T) {
	of := small(t)
	want, err := selectAll(of)
	if err != nil || len(want) != 3 || len(want[0].T) != 1440 {
		t.Fatalf("%d series, %v", len(want), err)
	}
	busy := func(n int64, w http.ResponseWriter, _ *http.Request) bool {
		if n > 2 {
			return false
		}
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return true
	}
	for name, s := range map[string]*standIn{
		"remote read":       {of: of},
		"sampled read":      {of: of, sampled: true},
		"queries":           {of: of, noRemote: true},
		"queries in pieces": {of: of, noRemote: true, longest: 37 * time.Minute},
		"busy at first":     {of: of, interfere: busy},
		"cut at first": {of: of, interfere: func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n > 1 {
				return false
			}
			cut(w, r, of)
			return true
		}},
		"no POST": {of: of, noRemote: true, interfere: func(_ int64, w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPost {
				w.WriteHeader(http.StatusMethodNotAllowed)
			}
			return r.Method == http.MethodPost
		}},
	} {
		got, err := selectAll(server(t, s))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := diffSeries(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// cut answers half of what there is, and ends the connection.
func cut(w http.ResponseWriter, r *http.Request, of samples.Source) {
	whole := httptest.NewRecorder()
	(&standIn{of: of}).ServeHTTP(whole, r)
	for key := range whole.Header() {
		w.Header().Set(key, whole.Header().Get(key))
	}
	w.WriteHeader(whole.Code)
	_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func diffSeries(want, got []samples.Series) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d series, want %d", len(got), len(want))
	}
	for i := range want {
		if !labels.Equal(want[i].Labels, got[i].Labels) {
			return fmt.Sprintf("%s, want %s", got[i].Labels, want[i].Labels)
		}
		if fmt.Sprint(want[i].T) != fmt.Sprint(got[i].T) || fmt.Sprint(want[i].V) != fmt.Sprint(got[i].V) {
			return fmt.Sprintf("%s has other samples: %d, want %d", got[i].Labels, len(got[i].T), len(want[i].T))
		}
	}
	return ""
}

// What a server does not answer as it should is an error that says so, and never a part
// of the samples.
func TestFailuresOfServersAreErrors(t *testing.T) {
	of := small(t)
	status := func(code int) func(int64, http.ResponseWriter, *http.Request) bool {
		return func(_ int64, w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "no", code)
			return true
		}
	}
	body := func(text string) func(int64, http.ResponseWriter, *http.Request) bool {
		return func(_ int64, w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprint(w, text)
			return true
		}
	}
	for name, c := range map[string]struct {
		s    *standIn
		says string
		most int64 // questions
	}{
		"not allowed":      {&standIn{interfere: status(401)}, "--http.config.file", 1},
		"forbidden":        {&standIn{interfere: status(403)}, "403", 1},
		"always down":      {&standIn{interfere: status(503)}, "asked 6 times", 6},
		"too many":         {&standIn{interfere: status(429)}, "429", 6},
		"nothing there":    {&standIn{interfere: status(404)}, "without /api/v1", 2},
		"a page":           {&standIn{noRemote: true, interfere: body("<html>Sign in</html>")}, "does not answer as the API", 7},
		"partial":          {&standIn{noRemote: true, interfere: body(`{"status":"success","isPartial":true,"data":{"resultType":"matrix","result":[]}}`)}, "only a part", 7},
		"warnings":         {&standIn{noRemote: true, interfere: body(`{"status":"success","data":{"resultType":"matrix","result":[]},"warnings":["store b is away"]}`)}, "store b is away", 7},
		"another type":     {&standIn{noRemote: true, interfere: body(`{"status":"success","data":{"resultType":"vector","result":[]}}`)}, "does not answer as the API", 7},
		"half a JSON":      {&standIn{noRemote: true, interfere: body(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1793`)}, "ends early", 7},
		"error of a query": {&standIn{noRemote: true, interfere: body(`{"status":"error","error":"odd things"}`)}, "odd things", 7},
		"always cut": {&standIn{interfere: func(_ int64, w http.ResponseWriter, r *http.Request) bool {
			cut(w, r, of)
			return true
		}}, "asked 6 times", 6},
	} {
		c.s.of = of
		got, err := selectAll(server(t, c.s))
		if err == nil || !strings.Contains(err.Error(), c.says) || got != nil {
			t.Errorf("%s: %d series, error %v, want one with %q", name, len(got), err, c.says)
		}
		if n := c.s.asked.Load(); n > c.most {
			t.Errorf("%s: asked %d times, want %d at most", name, n, c.most)
		}
	}
}

func TestNamesOfServersHaveNoSecrets(t *testing.T) {
	base, _ := url.Parse("https://user:secret@metrics.example/prometheus?token=secret")
	if got, want := samples.NewServer(base, samples.ServerOptions{}).Name(), "https://metrics.example/prometheus"; got != want {
		t.Errorf("the name is %q, want %q", got, want)
	}
}

// A server that goes away while a report is made leaves no evidence.
func TestServerThatGoesAwayLeavesNoEvidence(t *testing.T) {
	var h history
	for _, outcome := range []string{"good", "bad"} {
		h.series(probeSeries(outcome, "fra"), 15*time.Second, counter(15*time.Second, 1, nil))
	}
	s := &standIn{of: h.source(t)}
	from := server(t, s)
	if _, err := samples.Load(t.Context(), from, samples.Request{Agreement: agreement(t, probed), From: start, To: until}); err != nil {
		t.Fatal(err)
	}
	questions := s.asked.Load()
	if questions < 2 {
		t.Fatalf("%d questions were asked, so there is no middle", questions)
	}
	s.asked.Store(0)
	s.interfere = func(n int64, w http.ResponseWriter, _ *http.Request) bool {
		if n >= questions {
			w.WriteHeader(http.StatusBadGateway)
		}
		return n >= questions
	}
	e, err := samples.Load(t.Context(), from, samples.Request{Agreement: agreement(t, probed), From: start, To: until})
	if err == nil || len(e.Levels) > 0 {
		t.Errorf("evidence of %d levels, error %v", len(e.Levels), err)
	}
}
