package promapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	jsoniter "github.com/json-iterator/go"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/annotations"
)

// failure is the kind of an error by its name in the API, with its status code.
type failure struct {
	name   string
	status int
}

var (
	badData     = failure{"bad_data", http.StatusBadRequest}
	execution   = failure{"execution", http.StatusUnprocessableEntity}
	canceled    = failure{"canceled", 499} // nginx' code for a client that went away
	timeout     = failure{"timeout", http.StatusServiceUnavailable}
	internal    = failure{"internal", http.StatusInternalServerError}
	unavailable = failure{"unavailable", http.StatusInternalServerError}
)

// result is what a call found: data or an error. done releases the memory that data
// points into; it is called once the data is written.
type result struct {
	data     any
	warnings annotations.Annotations
	kind     failure
	err      error
	done     func()
}

func fail(kind failure, err error) result { return result{kind: kind, err: err} }

func badParameter(name string, err error) result {
	return fail(badData, fmt.Errorf("invalid parameter %q: %w", name, err))
}

// failed finds the kind of an error of the engine or the storage.
func failed(err error) result {
	var (
		wasCanceled promql.ErrQueryCanceled
		timedOut    promql.ErrQueryTimeout
		inStorage   promql.ErrStorage
	)
	switch {
	case errors.Is(err, tsdb.ErrNotReady):
		return fail(unavailable, err)
	case errors.As(err, &wasCanceled), errors.Is(err, context.Canceled):
		return fail(canceled, err)
	case errors.As(err, &timedOut):
		return fail(timeout, err)
	case errors.As(err, &inStorage):
		return fail(internal, err)
	}
	return fail(execution, err)
}

// maxNotes is how many warnings, and how many infos, an answer has at most, as in
// Prometheus.
const maxNotes = 10

// envelope is the frame of every answer.
type envelope struct {
	Status    string   `json:"status"`
	Data      any      `json:"data,omitempty"`
	ErrorType string   `json:"errorType,omitempty"`
	Error     string   `json:"error,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
	Infos     []string `json:"infos,omitempty"`
}

func (a *api) answer(call func(*http.Request) result) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var res result
		if err := checkSize(r); err != nil {
			res = fail(badData, err)
		} else {
			res = call(r)
		}
		if res.done != nil {
			defer res.done()
		}
		frame, status := envelope{Status: "success", Data: res.data}, http.StatusOK
		if res.err != nil {
			frame = envelope{Status: "error", ErrorType: res.kind.name, Error: res.err.Error()}
			status = res.kind.status
		} else {
			frame.Warnings, frame.Infos = res.warnings.AsStrings(r.FormValue("query"), maxNotes, maxNotes)
		}
		if frame.Data == nil && res.err == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		body, err := jsoniter.ConfigCompatibleWithStandardLibrary.Marshal(frame)
		if err != nil {
			a.Logger.Error("An answer could not be encoded", "path", r.URL.Path, "err", err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if _, err := w.Write(body); err != nil {
			a.Logger.Debug("An answer could not be sent", "path", r.URL.Path, "err", err)
		}
	})
}
