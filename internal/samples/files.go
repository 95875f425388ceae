package samples

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// Files is a Source of samples in text files: OpenMetrics, whose timestamps are seconds
// and whose last line is "# EOF", or Prometheus' text format, whose timestamps are
// milliseconds. Each sample needs a timestamp, and those of a series are in order.
type Files struct {
	names  []string
	series map[string]*fileSeries // by their labels
	order  []*fileSeries
}

// fileSeries is one series, compressed as in Prometheus' storage.
type fileSeries struct {
	labels labels.Labels
	chunks []*fileChunk
	last   int64 // of the last sample in the file being read
}

type fileChunk struct {
	from, to int64
	file     int
	data     *chunkenc.XORChunk
	app      chunkenc.Appender
}

const (
	perChunk    = 1000
	longestLine = 1 << 20
	mostSeries  = 1_000_000
)

// Timestamps outside of these years have the wrong unit.
var earliest, latest = int64(946684800000), int64(4102444800000) // 2000 and 2100

// ReadFiles reads text files. An error names the file and the line, and what to do.
func ReadFiles(names ...string) (*Files, error) {
	f := &Files{names: names, series: map[string]*fileSeries{}}
	for i, name := range names {
		if err := f.read(i, name); err != nil {
			return nil, err
		}
	}
	if len(f.series) == 0 {
		return nil, fmt.Errorf("%s: no samples in it", strings.Join(names, ", "))
	}
	for _, s := range f.series {
		f.order = append(f.order, s)
		slices.SortStableFunc(s.chunks, func(a, b *fileChunk) int { return int(a.from - b.from) })
	}
	slices.SortFunc(f.order, func(a, b *fileSeries) int { return labels.Compare(a.labels, b.labels) })
	return f, nil
}

// Name is the names of the files.
func (f *Files) Name() string { return strings.Join(f.names, ", ") }

// fileReader reads one file.
type fileReader struct {
	*Files
	file   int
	name   string
	line   int
	scale  float64                // of a timestamp, to milliseconds
	ended  bool                   // "# EOF" was there
	spelt  map[string]*fileSeries // by their text in the file
	parsed int
}

func (f *Files) read(i int, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a directory; name the files in it", name)
	}
	open, err := isOpenMetrics(file)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r := &fileReader{Files: f, file: i, name: name, scale: 1, spelt: map[string]*fileSeries{}}
	if open {
		r.scale = 1000
	}
	for _, s := range f.series {
		s.last = math.MinInt64
	}
	if err := r.lines(file); err != nil {
		return err
	}
	if r.parsed == 0 {
		return fmt.Errorf("%s: no samples in it", name)
	}
	return nil
}

// isOpenMetrics reports whether the last line is "# EOF".
func isOpenMetrics(file *os.File) (bool, error) {
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	tail := make([]byte, min(info.Size(), 64))
	if _, err := file.ReadAt(tail, info.Size()-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return bytes.HasSuffix(bytes.TrimRight(tail, "\r\n "), []byte("# EOF")), nil
}

func (r *fileReader) lines(file io.Reader) error {
	lines := bufio.NewReaderSize(file, 1<<16)
	for {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		r.line++
		switch {
		case errors.Is(err, io.EOF) && !r.ended && string(line) != "# EOF":
			return r.wrong("the file is cut off in the middle of this line", "copy the whole file, which ends with a line break")
		case err != nil && !errors.Is(err, io.EOF):
			return r.wrong(err.Error(), "")
		case r.ended && len(line) > 0:
			return r.wrong("there is more after # EOF", "name each OpenMetrics file by its own --samples")
		}
		if err := r.sampleOf(bytes.TrimRight(line, "\r")); err != nil {
			return err
		}
	}
}

// readLine reads a line without its end. If the line has no end, it also returns
// io.EOF.
func readLine(from *bufio.Reader) ([]byte, error) {
	line, err := from.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return bytes.TrimSuffix(line, []byte("\n")), err
	}
	whole := slices.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(whole) > longestLine {
			return nil, fmt.Errorf("the line is longer than %d bytes", longestLine)
		}
		line, err = from.ReadSlice('\n')
		whole = append(whole, line...)
	}
	return bytes.TrimSuffix(whole, []byte("\n")), err
}

func (r *fileReader) wrong(what, remedy string) error {
	if remedy != "" {
		what += "; " + remedy
	}
	return fmt.Errorf("%s:%d: %s", r.name, r.line, what)
}

// sampleOf reads one line.
func (r *fileReader) sampleOf(line []byte) error {
	if len(line) == 0 || line[0] == '#' {
		r.ended = r.ended || string(line) == "# EOF"
		return nil
	}
	end := seriesEnd(line)
	fields := bytes.Fields(line[end:])
	if len(fields) > 2 && fields[2][0] != '#' { // an exemplar
		return r.wrong(fmt.Sprintf("%q is more than a value and a timestamp", line[end:]), "")
	}
	if len(fields) < 1 {
		return r.wrong("there is no value", "write: name{label=\"value\"} value timestamp")
	}
	v, err := strconv.ParseFloat(string(fields[0]), 64)
	if err != nil {
		return r.wrong(fmt.Sprintf("%q is no number", fields[0]), "")
	}
	if len(fields) < 2 || fields[1][0] == '#' {
		return r.wrong("the sample has no timestamp, so nobody knows when it was", "export samples with their times, as `promtool tsdb dump-openmetrics` does")
	}
	t, err := r.time(string(fields[1]))
	if err != nil {
		return err
	}
	s, err := r.seriesOf(line[:end])
	if err != nil {
		return err
	}
	return r.add(s, t, v)
}

// seriesEnd is where the name and labels of a line end.
func seriesEnd(line []byte) int {
	i := bytes.IndexAny(line, "{ \t")
	if i < 0 {
		return len(line)
	}
	if line[i] != '{' {
		return i
	}
	quoted := false
	for ; i < len(line); i++ {
		switch {
		case quoted && line[i] == '\\':
			i++
		case line[i] == '"':
			quoted = !quoted
		case line[i] == '}' && !quoted:
			return i + 1
		}
	}
	return len(line)
}

func (r *fileReader) time(text string) (int64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, r.wrong(fmt.Sprintf("%q is no timestamp", text), "")
	}
	t := int64(math.Round(v * r.scale))
	if t >= earliest && t < latest {
		return t, nil
	}
	if r.scale == 1 {
		return 0, r.wrong(fmt.Sprintf("the timestamp %s would be %s", text, at(t).Format("2 January 2006")),
			"in Prometheus' text format it is in milliseconds; an OpenMetrics file, where it is in seconds, must end with # EOF, so this one may be cut off")
	}
	return 0, r.wrong(fmt.Sprintf("the timestamp %s is not within 2000 to 2100", text), "in OpenMetrics it is in seconds")
}

// seriesOf returns the series of a text, which it parses the first time.
func (r *fileReader) seriesOf(text []byte) (*fileSeries, error) {
	if s, ok := r.spelt[string(text)]; ok {
		return s, nil
	}
	p := textparse.NewPromParser(append(slices.Clone(text), " 0\n"...), labels.NewSymbolTable(), false)
	entry, err := p.Next()
	if err != nil || entry != textparse.EntrySeries {
		return nil, r.wrong(fmt.Sprintf("%q is no series", text), "write: name{label=\"value\"} value timestamp")
	}
	var of labels.Labels
	p.Labels(&of)
	key := of.String()
	s := r.series[key]
	if s == nil {
		if len(r.series) >= mostSeries {
			return nil, r.wrong(fmt.Sprintf("there are more than %d series", mostSeries), "export only those that the agreement reads")
		}
		s = &fileSeries{labels: of.Copy(), last: math.MinInt64}
		r.series[key] = s
	}
	r.spelt[string(text)] = s
	return s, nil
}

func (r *fileReader) add(s *fileSeries, t int64, v float64) error {
	if t <= s.last {
		if t == s.last {
			return r.wrong(fmt.Sprintf("%s has two samples of %s", s.labels, at(t).Format("2006-01-02T15:04:05.000Z")), "take one of them out")
		}
		return r.wrong(fmt.Sprintf("the samples of %s are not in order of time: %s is after %s", s.labels,
			at(s.last).Format("2006-01-02T15:04:05.000Z"), at(t).Format("2006-01-02T15:04:05.000Z")), "sort them, or export them again")
	}
	var c *fileChunk
	if n := len(s.chunks); n > 0 {
		c = s.chunks[n-1]
	}
	if c == nil || c.file != r.file || c.data.NumSamples() >= perChunk {
		c = &fileChunk{from: t, file: r.file, data: chunkenc.NewXORChunk()}
		app, err := c.data.Appender()
		if err != nil {
			return r.wrong(err.Error(), "")
		}
		if n := len(s.chunks); n > 0 {
			s.chunks[n-1].app = nil
		}
		c.app = app
		s.chunks = append(s.chunks, c)
	}
	c.app.Append(0, t, v)
	c.to, s.last = t, t
	r.parsed++
	return nil
}

// Select reads from the files. If two files have a sample at the same time, it is an
// error unless the values are equal.
func (f *Files) Select(_ context.Context, matchers []*labels.Matcher, from, to int64) ([]Series, error) {
	var all []Series
	for _, s := range f.order {
		if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.labels.Get(m.Name)) }) {
			one, err := f.samples(s, from, to)
			if err != nil {
				return nil, err
			}
			if len(one.T) > 0 {
				all = append(all, one)
			}
		}
	}
	return all, nil
}

func (f *Files) samples(of *fileSeries, from, to int64) (Series, error) {
	perFile := make([]Series, len(f.names))
	var it chunkenc.Iterator
	for _, c := range of.chunks {
		if c.to < from || c.from >= to {
			continue
		}
		it = c.data.Iterator(it)
		for it.Next() != chunkenc.ValNone {
			if t, v := it.At(); t >= from && t < to {
				perFile[c.file].addFloat(t, v)
			}
		}
		if err := it.Err(); err != nil {
			return Series{}, err
		}
	}
	all := Series{Labels: of.labels}
	for i, s := range perFile {
		switch {
		case len(s.T) == 0:
		case len(all.T) == 0:
			all.T, all.V = s.T, s.V
		default:
			if t, differ := differing(all, s); differ {
				return Series{}, fmt.Errorf("%s has another value of %s at %s than the files before; name only one of them", f.names[i], of.labels, at(t).Format("2006-01-02T15:04:05.000Z"))
			}
			all = merged(all, s)
		}
	}
	all.Labels = of.labels
	return all, nil
}

// differing is the first time at which two series have different values.
func differing(a, b Series) (int64, bool) {
	for i, t := range b.T {
		if j, found := slices.BinarySearch(a.T, t); found && a.V[j] != b.V[i] && !(math.IsNaN(a.V[j]) && math.IsNaN(b.V[i])) {
			return t, true
		}
	}
	return 0, false
}
