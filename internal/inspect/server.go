// Package inspect compares what service levels read with what a Prometheus (or
// Mimir, Thanos, VictoriaMetrics) has: whether the series are there and of the
// right kind, how often they are scraped, how long they are kept, and what the
// rules will cost. It asks by the HTTP API, and changes nothing.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/upheld-sla/upheld/internal/promql"
)

// Server is a server that is asked. It stops asking at the first question that
// is not answered; Err is then why.
type Server struct {
	// Retention is how long the server keeps what it has, 0 if it does not say,
	// as Mimir and Thanos do not.
	Retention time.Duration
	// QuotedNames is set if it reads label names in quotes, as Prometheus does
	// from 3.0 on.
	QuotedNames bool

	ctx     context.Context
	api     v1.API
	timeout time.Duration // of each question
	err     error
	answers map[string]model.Vector
	kinds   map[string]v1.MetricType
	names   []string // of all metrics, once somebody has asked
	cost    Cost
}

// Connect asks a server whether it is there. Every question is given up after
// the timeout.
func Connect(ctx context.Context, address string, transport http.RoundTripper, timeout time.Duration) (*Server, error) {
	client, err := api.NewClient(api.Config{Address: address, RoundTripper: transport})
	if err != nil {
		return nil, err
	}
	s := &Server{ctx: ctx, api: v1.NewAPI(client), timeout: timeout, answers: map[string]model.Vector{}, kinds: map[string]v1.MetricType{}}
	if s.ask("vector(1)"); s.err != nil {
		return nil, s.err
	}
	s.Retention, s.QuotedNames = s.retention(), s.readsQuotedNames()
	return s, nil
}

// readsQuotedNames asks for a series by a label whose name needs quotes.
func (s *Server) readsQuotedNames() bool {
	text, err := promql.Series("up", promql.Eq("upheld.quoted", "name")).Now().Prove()
	if err != nil {
		return false
	}
	ctx, cancel := s.limited()
	defer cancel()
	_, _, _, err = s.api.Query(ctx, text, time.Time{}, v1.WithTimeout(s.timeout))
	return err == nil
}

// Err is why a question was not answered.
func (s *Server) Err() error { return s.err }

func (s *Server) limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.ctx, s.timeout)
}

// retention is what the server says about itself; one that keeps by size alone,
// or says nothing, is unknown.
func (s *Server) retention() time.Duration {
	ctx, cancel := s.limited()
	defer cancel()
	info, err := s.api.Runtimeinfo(ctx)
	if err != nil {
		return 0
	}
	text, _, _ := strings.Cut(info.StorageRetention, " or ")
	d, err := model.ParseDuration(text)
	if err != nil {
		return 0
	}
	return time.Duration(d)
}

// vector is the answer to an expression, nil after an error.
func (s *Server) vector(e promql.Expr) model.Vector {
	text, err := e.Prove()
	if err != nil {
		s.err = errors.Join(s.err, err)
		return nil
	}
	return s.ask(text)
}

func (s *Server) ask(text string) model.Vector {
	if answer, ok := s.answers[text]; ok || s.err != nil {
		return answer
	}
	ctx, cancel := s.limited()
	defer cancel()
	value, _, _, err := s.api.Query(ctx, text, time.Time{}, v1.WithTimeout(s.timeout))
	if err != nil {
		s.err = plain(err, s.timeout)
		return nil
	}
	answer, ok := value.(model.Vector)
	if !ok {
		s.err = fmt.Errorf("%s: the server answered with a %s", text, value.Type())
	}
	s.answers[text] = answer
	return answer
}

// number is the only value of an expression, 0 if it has none.
func (s *Server) number(e promql.Expr) float64 {
	v := s.vector(e)
	if len(v) == 0 {
		return 0
	}
	return float64(v[0].Value)
}

// plain is an error in one line, without the address, which its reader gave.
func plain(err error, timeout time.Duration) error {
	var refused *url.Error
	var answered *v1.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer within %s", timeout)
	case errors.As(err, &answered) && answered.Type == v1.ErrBadResponse:
		return fmt.Errorf("this does not answer as the API of Prometheus does: %s", answered.Msg)
	case errors.As(err, &answered):
		return fmt.Errorf("the server says: %s", strings.Join(strings.Fields(answered.Msg), " "))
	case errors.As(err, &refused):
		return refused.Err
	}
	return err
}

// kind is what a metric is by its metadata, "" where there is none.
func (s *Server) kind(metric string) v1.MetricType {
	if kind, ok := s.kinds[metric]; ok || s.err != nil {
		return kind
	}
	kind := v1.MetricType("")
	for _, family := range families(metric) {
		ctx, cancel := s.limited()
		all, err := s.api.Metadata(ctx, family, "1")
		cancel()
		if err == nil && len(all[family]) > 0 && all[family][0].Type != v1.MetricTypeUnknown {
			kind = all[family][0].Type
			break
		}
	}
	s.kinds[metric] = kind
	return kind
}

// families are the names under which a series' metadata may stand: OpenMetrics
// leaves out _total, and a histogram has three names of series.
func families(metric string) []string {
	all := []string{metric}
	for _, suffix := range []string{"_total", "_bucket", "_count", "_sum"} {
		if name, ok := strings.CutSuffix(metric, suffix); ok {
			all = append(all, name)
		}
	}
	return all
}

// metrics are the names of all metrics.
func (s *Server) metrics() []string {
	if s.names != nil || s.err != nil {
		return s.names
	}
	ctx, cancel := s.limited()
	defer cancel()
	values, _, _, err := s.api.LabelValues(ctx, model.MetricNameLabel, nil, time.Time{}, time.Time{})
	s.names = []string{}
	if err != nil {
		return s.names // there will be no suggestion
	}
	for _, v := range values {
		s.names = append(s.names, string(v))
	}
	return s.names
}
