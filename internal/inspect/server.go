// Package inspect compares what service levels read with what a Prometheus (or Mimir,
// Thanos, VictoriaMetrics) has: whether the series exist and have the right type, how
// often they are scraped, how long they are kept, and what the rules will cost. It uses
// the HTTP API, and changes nothing.
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

// Server is a server to query. It stops at the first query that fails; Err then says
// why.
type Server struct {
	// Retention is how long the server keeps its data, 0 if unknown, as with Mimir and
	// Thanos.
	Retention time.Duration
	// QuotedNames is set if it accepts quoted label names, like Prometheus from 3.0 on.
	QuotedNames bool

	ctx     context.Context
	api     v1.API
	timeout time.Duration // of each query
	err     error
	answers map[string]model.Vector
	kinds   map[string]v1.MetricType
	names   []string // of all metrics, once requested
	cost    Cost
}

// Connect checks that a server answers. Every query is canceled after the timeout.
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

// readsQuotedNames queries a label whose name needs quotes.
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

// Err says why a query failed.
func (s *Server) Err() error { return s.err }

func (s *Server) limited() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.ctx, s.timeout)
}

// retention is what the server reports about itself; if it only limits the size, or
// reports nothing, it is unknown.
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

// vector is the result of an expression, nil after an error.
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

// plain is an error on one line, without the address, which its reader knows.
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

// kind is the type of a metric by its metadata, "" without any.
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

// families are the names under which a series' metadata may be found: OpenMetrics omits
// _total, and a histogram has three series names.
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
		return s.names // then there are no suggestions
	}
	for _, v := range values {
		s.names = append(s.names, string(v))
	}
	return s.names
}
