package maintenance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/upheld-sla/upheld/internal/metricnames"
	"github.com/upheld-sla/upheld/sla"
)

// Matcher is a condition of a silence on a label of alerts.
type Matcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual bool   `json:"isEqual"`
}

// String is the matcher in amtool's notation.
func (m Matcher) String() string {
	if m.IsRegex {
		return m.Name + "=~" + quoted(m.Value)
	}
	return m.Name + "=" + quoted(m.Value)
}

// Silence holds back the alerts of levels of one service. It has the form of
// Alertmanager's API, version 2.
type Silence struct {
	Matchers  []Matcher `json:"matchers"`
	StartsAt  time.Time `json:"startsAt"`
	EndsAt    time.Time `json:"endsAt"`
	CreatedBy string    `json:"createdBy"`
	Comment   string    `json:"comment"`
}

// Silences returns one silence per service for the levels in a window. It matches the
// alerts of only these levels of this agreement.
func Silences(levels []sla.ID, w Window, by, comment string) []Silence {
	var all []Silence
	var services []string
	of := map[string][]string{}
	for _, id := range levels {
		if of[id.Service] == nil {
			services = append(services, id.Service)
		}
		of[id.Service] = append(of[id.Service], id.SLO)
	}
	for _, service := range services {
		slo := Matcher{metricnames.SLO, of[service][0], false, true}
		if len(of[service]) > 1 {
			var names []string
			for _, name := range of[service] {
				names = append(names, regexp.QuoteMeta(name))
			}
			slo = Matcher{metricnames.SLO, strings.Join(names, "|"), true, true}
		}
		all = append(all, Silence{
			Matchers: []Matcher{{metricnames.SLA, levels[0].SLA, false, true}, {metricnames.Service, service, false, true}, slo},
			StartsAt: w.From.UTC(), EndsAt: w.To.UTC(), CreatedBy: by, Comment: comment,
		})
	}
	return all
}

// Amtool is the command of Alertmanager's own tool that sets the silence.
func (s Silence) Amtool(alertmanager string) string {
	words := []string{"amtool", "silence", "add", "--alertmanager.url=" + alertmanager}
	words = append(words, "--start="+s.StartsAt.Format(time.RFC3339), "--end="+s.EndsAt.Format(time.RFC3339), "--author="+shell(s.CreatedBy), "--comment="+shell(s.Comment))
	for _, m := range s.Matchers {
		words = append(words, shell(m.String()))
	}
	return strings.Join(words, " ")
}

// shell quotes a word for a shell.
func shell(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// Alertmanager is a server for silences.
type Alertmanager struct {
	URL    string
	Client *http.Client
}

// mostAnswer bounds how much of a response is read.
const mostAnswer = 16 << 20

// Set sets a silence, unless an equal one exists. It returns its identifier.
func (a Alertmanager) Set(ctx context.Context, s Silence) (id string, there bool, err error) {
	if id, err := a.find(ctx, s); id != "" || err != nil {
		return id, id != "", err
	}
	body, err := json.Marshal(s)
	if err != nil {
		return "", false, err
	}
	data, err := a.do(ctx, http.MethodPost, "/api/v2/silences", body)
	if err != nil {
		return "", false, err
	}
	var answer struct{ SilenceID string }
	if err := json.Unmarshal(data, &answer); err != nil || answer.SilenceID == "" {
		return "", false, errors.New("it does not answer as Alertmanager's API does: it named no silence")
	}
	return answer.SilenceID, false, nil
}

// find returns the identifier of an equal silence that has not ended, "" if there is
// none. The server may have moved its start to when it was set.
func (a Alertmanager) find(ctx context.Context, s Silence) (string, error) {
	var filters []string
	for _, m := range s.Matchers {
		filters = append(filters, "filter="+url.QueryEscape(m.String()))
	}
	data, err := a.do(ctx, http.MethodGet, "/api/v2/silences?"+strings.Join(filters, "&"), nil)
	if err != nil {
		return "", err
	}
	var all []struct {
		Silence
		ID     string
		Status struct{ State string }
	}
	if err := json.Unmarshal(data, &all); err != nil {
		return "", errors.New("it does not answer as Alertmanager's API does")
	}
	for _, other := range all {
		slices.SortFunc(other.Matchers, func(x, y Matcher) int { return strings.Compare(x.Name, y.Name) })
		own := slices.SortedFunc(slices.Values(s.Matchers), func(x, y Matcher) int { return strings.Compare(x.Name, y.Name) })
		if other.Status.State != "expired" && other.EndsAt.Equal(s.EndsAt) && !other.StartsAt.After(latest(s.StartsAt, time.Now())) && slices.Equal(other.Matchers, own) {
			return other.ID, nil
		}
	}
	return "", nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (a Alertmanager) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(a.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := a.Client.Do(r)
	var failed *url.Error
	switch {
	case errors.As(err, &failed):
		return nil, failed.Err
	case err != nil:
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, mostAnswer))
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 != 2 {
		said := strings.Join(strings.Fields(string(data[:min(len(data), 300)])), " ")
		return nil, fmt.Errorf("it answered %s: %s", response.Status, said)
	}
	return data, nil
}
