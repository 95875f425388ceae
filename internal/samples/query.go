package samples

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	jsoniter "github.com/json-iterator/go"
	"github.com/prometheus/prometheus/model/labels"
)

// mostOfAnswer bounds one answer, in bytes; larger ranges are asked for in halves.
const mostOfAnswer = 128 << 20

// query asks for raw samples by a range selector. Servers before Prometheus 3 include
// the sample at the left end of a range, too, so it is dropped here.
func (s *Server) query(ctx context.Context, matchers []*labels.Matcher, from, to int64) ([]Series, error) {
	form := url.Values{
		"query": {fmt.Sprintf("%s[%dms]", selector(matchers), to-from)},
		"time":  {fmt.Sprintf("%d.%03d", (to-1)/1000, (to-1)%1000)},
		// Thanos: an error instead of a part of the samples.
		"partial_response": {"false"},
	}
	r, err := s.post(ctx, "api/v1/query", form)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		err := failed(r, apiMessage)
		if tooMuch(err) {
			return nil, errTooMuch
		}
		return nil, err
	}
	body := &io.LimitedReader{R: r.Body, N: mostOfAnswer}
	all, err := matrixOf(body, from, to)
	if body.N == 0 {
		return nil, errTooMuch
	}
	return all, err
}

// tooMuch returns whether a server refuses a query because it would have to load too
// much.
func tooMuch(err error) bool {
	var status *statusError
	if !errors.As(err, &status) {
		return false
	}
	text := strings.ToLower(status.message)
	for _, words := range []string{"too many samples", "too many chunks", "too many series", "maximum number of", "exceed", "limit"} {
		if strings.Contains(text, words) {
			return status.status == http.StatusUnprocessableEntity || status.status == http.StatusBadRequest
		}
	}
	return status.status == http.StatusRequestEntityTooLarge
}

func (s *Server) post(ctx context.Context, path string, form url.Values) (*http.Response, error) {
	to := s.base.JoinPath(path)
	if !s.getOnly {
		q, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(form.Encode()))
		if err != nil {
			return nil, err
		}
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r, err := s.client.Do(q)
		if err != nil || r.StatusCode != http.StatusMethodNotAllowed && r.StatusCode != http.StatusNotImplemented {
			return r, err
		}
		r.Body.Close()
		s.getOnly = true
	}
	to.RawQuery = form.Encode()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
	if err != nil {
		return nil, err
	}
	return s.client.Do(q)
}

// selector prints matchers as PromQL.
func selector(matchers []*labels.Matcher) string {
	var parts []string
	for _, m := range matchers {
		parts = append(parts, m.String())
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// apiMessage is the text of an API error.
func apiMessage(text []byte) string {
	var answer struct{ Error string }
	if json.Unmarshal(text, &answer) != nil || answer.Error == "" {
		return "" // a page from something else
	}
	return answer.Error
}

var errNotAPI = errors.New("this does not answer as the API of Prometheus does")

// matrixOf reads the answer to a range selector as it comes.
func matrixOf(body io.Reader, from, to int64) ([]Series, error) {
	it := jsoniter.Parse(jsoniter.ConfigCompatibleWithStandardLibrary, body, 1<<16)
	var all []Series
	var failure error
	status, kind := "", ""
	for key := it.ReadObject(); key != ""; key = it.ReadObject() {
		switch key {
		case "status":
			status = it.ReadString()
		case "error":
			failure = errors.Join(failure, errors.New(it.ReadString()))
		case "isPartial":
			if it.ReadBool() {
				failure = errors.New("the server has only a part of the samples at the moment")
			}
		case "warnings":
			var warnings []string
			if it.ReadVal(&warnings); len(warnings) > 0 {
				failure = fmt.Errorf("the server may have only a part of the samples: %s", warnings[0])
			}
		case "data":
			for key := it.ReadObject(); key != ""; key = it.ReadObject() {
				switch key {
				case "resultType":
					kind = it.ReadString()
				case "result":
					all = append(all, seriesOf(it, from, to)...)
				default:
					it.Skip()
				}
			}
		default:
			it.Skip()
		}
	}
	switch {
	case it.Error != nil && !errors.Is(it.Error, io.EOF):
		if errors.Is(it.Error, context.DeadlineExceeded) || errors.Is(it.Error, errNative) {
			return nil, it.Error
		}
		return nil, fmt.Errorf("the answer ends early or is damaged: %w", errNotAPI)
	case failure != nil:
		return nil, failure
	case status != "success" || kind != "matrix":
		return nil, errNotAPI
	}
	sortSeries(all)
	return all, nil
}

func seriesOf(it *jsoniter.Iterator, from, to int64) []Series {
	var all []Series
	for it.ReadArray() {
		var s Series
		for key := it.ReadObject(); key != ""; key = it.ReadObject() {
			switch key {
			case "metric":
				of := map[string]string{}
				it.ReadVal(&of)
				s.Labels = labels.FromMap(of)
			case "values":
				valuesOf(it, &s, from, to)
			case "histograms":
				it.ReportError("histograms", "")
				it.Error = errNative
				return nil
			default:
				it.Skip()
			}
		}
		if len(s.T) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// errNative: the API prints native histograms in another form than they are stored.
var errNative = errors.New("native histograms can only be read by remote read (/api/v1/read), which this server does not have")

func valuesOf(it *jsoniter.Iterator, s *Series, from, to int64) {
	for it.ReadArray() {
		if !it.ReadArray() {
			it.ReportError("sample", "it is empty")
			return
		}
		t := int64(math.Round(it.ReadFloat64() * 1000))
		if !it.ReadArray() {
			it.ReportError("sample", "it has no value")
			return
		}
		v, err := strconv.ParseFloat(it.ReadString(), 64)
		if err != nil || it.ReadArray() {
			it.ReportError("sample", "its value is no number")
			return
		}
		if n := len(s.T); n > 0 && t <= s.T[n-1] {
			it.ReportError("sample", "not in order of time")
			return
		}
		if t >= from && t < to {
			s.addFloat(t, v)
		}
	}
}
