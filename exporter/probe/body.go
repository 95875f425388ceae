package probe

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/upheld-sla/upheld/sla"
)

// maxBody is how many bytes of a body are read by default.
const maxBody = 1 << 20

// acceptable is the value of Accept-Encoding.
func acceptable(encodings []sla.Encoding) string {
	names := make([]string, len(encodings))
	for i, e := range encodings {
		names[i] = string(e)
	}
	return strings.Join(names, ", ")
}

// readBody reads the body, decoded, up to its limit. If wanted it returns the body,
// which is valid until the exchange is closed. A body that is cut short is a failure.
func (x *exchange) readBody(ctx context.Context, response *http.Response, wanted bool) ([]byte, *failure) {
	defer func() { x.run.phases.Add(Transfer, time.Since(x.began)) }()
	body, fault := x.decoded(response)
	if fault != nil {
		return nil, fault
	}
	most := int64(maxBody)
	if x.client.limit > 0 {
		most = x.client.limit + 1 // one more, to see whether the body is longer
	}
	buf := x.buffer()
	x.bodyRead = true
	var total int64
	defer func() {
		*x.scratch = buf
		x.body = buf
		x.run.http.BodyBytes = total
	}()
	for total < most {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := body.Read(buf[len(buf):min(int64(cap(buf)), int64(len(buf))+most-total)])
		total += int64(n)
		if wanted {
			buf = buf[:len(buf)+n]
		} else { // the rest is only counted
			buf = buf[:max(len(buf), min(len(buf)+n, x.run.excerpt))]
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, x.bodyFault(ctx, err, total)
		}
	}
	if x.client.limit > 0 && total > x.client.limit {
		return nil, &failure{Body, fmt.Sprintf("the body is longer than %d bytes", x.client.limit)}
	}
	return buf, nil
}

// bodyFault says why a body could not be read to its end. A body without a length
// ends with the connection, so that is no fault unless the encoding says that more
// should follow.
func (x *exchange) bodyFault(ctx context.Context, err error, total int64) *failure {
	err = x.wire.cause(x.quic.cause(ctx, err))
	if _, ok := errors.AsType[*decodingError](err); ok {
		return &failure{Body, err.Error()}
	}
	return x.client.dialer.classify(ctx, err, stage{phase: Transfer, what: fmt.Sprintf("read the body after %d bytes", total)})
}

// decodingError is a body that is not encoded as its header says.
type decodingError struct{ encoding string }

func (e *decodingError) Error() string {
	return "the body is not " + e.encoding + ", as its header says"
}

// decoded returns the body without its encoding, which must be one that was
// offered. If none was offered, it returns the body as it is.
func (x *exchange) decoded(response *http.Response) (io.Reader, *failure) {
	encoding := strings.ToLower(strings.TrimSpace(response.Header.Get("Content-Encoding")))
	if len(x.client.encodings) == 0 || encoding == "" || encoding == "identity" {
		return response.Body, nil
	}
	if encoding == "x-gzip" {
		encoding = "gzip"
	}
	if !slices.Contains(x.client.encodings, sla.Encoding(encoding)) {
		return nil, &failure{Body, "the body is encoded as " + clip(encoding) + ", which was not asked for"}
	}
	return &decoder{encoding: encoding, from: &watchedReader{Reader: response.Body}}, nil
}

// decoder undoes an encoding; an empty body has none.
type decoder struct {
	encoding string
	from     *watchedReader
	to       io.Reader
}

// watchedReader keeps the error that ended it, so that it can be distinguished
// from one of the encoding.
type watchedReader struct {
	io.Reader
	err error
}

func (r *watchedReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil {
		r.err = err
	}
	return n, err
}

// Read reads the decoded body.
func (d *decoder) Read(b []byte) (int, error) {
	if d.to == nil {
		buffered := bufio.NewReader(d.from)
		if _, err := buffered.Peek(1); err != nil {
			return 0, err
		}
		var err error
		if d.to, err = decoded(sla.Encoding(d.encoding), buffered); err != nil {
			return 0, d.cause()
		}
	}
	n, err := d.to.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = d.cause()
	}
	return n, err
}

func (d *decoder) cause() error {
	if d.from.err != nil && !errors.Is(d.from.err, io.EOF) {
		return d.from.err
	}
	return &decodingError{d.encoding}
}

// maxWindow bounds the memory that a decoder takes, in bytes.
const maxWindow = 8 << 20

// decoded undoes one of sla.Encodings.
func decoded(encoding sla.Encoding, r *bufio.Reader) (io.Reader, error) {
	switch encoding {
	case "gzip":
		return gzip.NewReader(r)
	case "br":
		return brotli.NewReader(r), nil
	case "deflate":
		// RFC 9110 says zlib; some servers send it without the header of zlib.
		if head, _ := r.Peek(2); len(head) == 2 && head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
			return zlib.NewReader(r)
		}
		return flate.NewReader(r), nil
	case "zstd":
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxWindow))
	}
	return nil, fmt.Errorf("no decoder of %q", encoding)
}
