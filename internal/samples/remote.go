package samples

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"mime"
	"net/http"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// Prometheus' remote read, in its streamed form: chunks as they are stored. The client of
// Prometheus itself is not used, since it links OpenTelemetry's protocol.

const (
	streamed = "application/x-streamed-protobuf"
	sampled  = "application/x-protobuf"
	// mostOfFrame bounds one frame of a stream, which servers cut at 1 MiB, and an
	// answer that is not streamed.
	mostOfFrame   = 64 << 20
	mostOfSampled = 512 << 20
)

func (s *Server) remoteRead(ctx context.Context, matchers []*labels.Matcher, from, to int64) ([]Series, error) {
	query := &prompb.Query{StartTimestampMs: from, EndTimestampMs: to - 1}
	for _, m := range matchers {
		query.Matchers = append(query.Matchers, &prompb.LabelMatcher{Type: matcherTypes()[m.Type], Name: m.Name, Value: m.Value})
	}
	request := &prompb.ReadRequest{
		Queries:               []*prompb.Query{query},
		AcceptedResponseTypes: []prompb.ReadRequest_ResponseType{prompb.ReadRequest_STREAMED_XOR_CHUNKS, prompb.ReadRequest_SAMPLES},
	}
	data, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base.JoinPath("api/v1/read").String(), bytes.NewReader(snappy.Encode(nil, data)))
	if err != nil {
		return nil, err
	}
	q.Header.Set("Content-Encoding", "snappy")
	q.Header.Set("Accept-Encoding", "snappy")
	q.Header.Set("Content-Type", sampled)
	q.Header.Set("X-Prometheus-Remote-Read-Version", "0.1.0")
	r, err := s.client.Do(q)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		err := failed(r, func(text []byte) string { return string(text) })
		var status *statusError
		if errors.As(err, &status) && !status.again() && status.status != http.StatusUnauthorized && status.status != http.StatusForbidden {
			return nil, errNoRemoteRead
		}
		return nil, err
	}
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case streamed:
		return readFrames(r.Body, from, to)
	case sampled:
		return readSampled(r.Body, from, to)
	}
	return nil, errNoRemoteRead
}

func matcherTypes() map[labels.MatchType]prompb.LabelMatcher_Type {
	return map[labels.MatchType]prompb.LabelMatcher_Type{
		labels.MatchEqual: prompb.LabelMatcher_EQ, labels.MatchNotEqual: prompb.LabelMatcher_NEQ,
		labels.MatchRegexp: prompb.LabelMatcher_RE, labels.MatchNotRegexp: prompb.LabelMatcher_NRE,
	}
}

// readFrames reads a stream of frames: length, checksum, and a message with the next
// chunks of a series.
func readFrames(body io.Reader, from, to int64) ([]Series, error) {
	var all []Series
	in := bufio.NewReaderSize(body, 1<<16)
	var data []byte
	for {
		var err error
		data, err = readFrame(in, data)
		if errors.Is(err, io.EOF) {
			sortSeries(all)
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the answer to a remote read is damaged or cut off: %w", err)
		}
		var message prompb.ChunkedReadResponse
		if err := message.Unmarshal(data); err != nil {
			return nil, fmt.Errorf("the answer to a remote read is damaged: %w", err)
		}
		for _, s := range message.ChunkedSeries {
			if all, err = addChunks(all, s, from, to); err != nil {
				return nil, err
			}
		}
	}
}

// readFrame reads a frame into data. At the end of the stream it returns io.EOF.
func readFrame(in *bufio.Reader, data []byte) ([]byte, error) {
	size, err := binary.ReadUvarint(in)
	if err != nil {
		return data, err
	}
	if size > mostOfFrame {
		return data, fmt.Errorf("a frame of %d bytes", size)
	}
	var sum [4]byte
	if _, err := io.ReadFull(in, sum[:]); err != nil {
		return data, errors.Join(io.ErrUnexpectedEOF, errShort)
	}
	if uint64(cap(data)) < size {
		data = make([]byte, size)
	}
	data = data[:size]
	if _, err := io.ReadFull(in, data); err != nil {
		return data, errShort
	}
	if crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(sum[:]) {
		return data, errors.New("a checksum that does not fit")
	}
	return data, nil
}

var errShort = errors.New("it ends within a frame")

// addChunks adds the chunks of a series, which may be the rest of the last one.
func addChunks(all []Series, of *prompb.ChunkedSeries, from, to int64) ([]Series, error) {
	builder := labels.NewScratchBuilder(len(of.Labels))
	l := of.ToLabels(&builder, nil)
	if n := len(all); n == 0 || !labels.Equal(all[n-1].Labels, l) {
		all = append(all, Series{Labels: l})
	}
	s := &all[len(all)-1]
	for _, c := range of.Chunks {
		chunk, err := chunkenc.FromData(chunkenc.Encoding(c.Type), c.Data)
		if err != nil {
			return nil, err
		}
		part, err := readAll(l, chunk.Iterator(nil), from, to)
		if err != nil {
			return nil, fmt.Errorf("a chunk is damaged: %w", err)
		}
		if len(s.T) > 0 && len(part.T) > 0 && part.T[0] <= s.T[len(s.T)-1] { // samples that came out of order
			*s = merged(*s, part)
			continue
		}
		if part.H != nil && s.V != nil || part.V != nil && s.H != nil {
			continue // a series is of one kind
		}
		s.T, s.V, s.H = append(s.T, part.T...), append(s.V, part.V...), append(s.H, part.H...)
	}
	if len(s.T) == 0 {
		all = all[:len(all)-1]
	}
	return all, nil
}

// readSampled reads an answer that is not streamed.
func readSampled(body io.Reader, from, to int64) ([]Series, error) {
	data, err := io.ReadAll(io.LimitReader(body, mostOfSampled+1))
	if err != nil {
		return nil, err
	}
	if size, err := snappy.DecodedLen(data); len(data) > mostOfSampled || err == nil && size > mostOfSampled {
		return nil, errNoRemoteRead // it can be asked for in halves by queries
	}
	if data, err = snappy.Decode(nil, data); err != nil {
		return nil, fmt.Errorf("the answer to a remote read is damaged: %w", err)
	}
	var message prompb.ReadResponse
	if err := message.Unmarshal(data); err != nil {
		return nil, fmt.Errorf("the answer to a remote read is damaged: %w", err)
	}
	var all []Series
	for _, r := range message.Results {
		for _, of := range r.Timeseries {
			builder := labels.NewScratchBuilder(len(of.Labels))
			s := Series{Labels: of.ToLabels(&builder, nil)}
			for _, x := range of.Samples {
				if x.Timestamp >= from && x.Timestamp < to {
					s.addFloat(x.Timestamp, x.Value)
				}
			}
			for _, h := range of.Histograms {
				if h.Timestamp >= from && h.Timestamp < to {
					s.addHistogram(h.Timestamp, floatHistogram(h))
				}
			}
			if len(s.T) > 0 {
				all = append(all, s)
			}
		}
	}
	sortSeries(all)
	return all, nil
}

func floatHistogram(h prompb.Histogram) *histogram.FloatHistogram {
	if h.IsFloatHistogram() {
		return h.ToFloatHistogram()
	}
	return h.ToIntHistogram().ToFloat(nil)
}
