package promapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/index"

	"github.com/upheld-sla/upheld/exporter/redact"
)

func (a *api) statusConfig(*http.Request) result {
	return result{data: map[string]string{"yaml": shownConfig(a.Config())}}
}

func (a *api) statusFlags(*http.Request) result {
	shown := make(map[string]string, len(a.Flags))
	for name, value := range a.Flags {
		shown[name] = redact.Addresses(value)
	}
	return result{data: shown}
}

func (a *api) statusBuild(*http.Request) result { return result{data: a.Build} }

type runtimeInfo struct {
	StartTime           time.Time `json:"startTime"`
	CWD                 string    `json:"CWD"`
	Hostname            string    `json:"hostname"`
	ServerTime          time.Time `json:"serverTime"`
	ReloadConfigSuccess bool      `json:"reloadConfigSuccess"`
	LastConfigTime      time.Time `json:"lastConfigTime"`
	CorruptionCount     int64     `json:"corruptionCount"`
	GoroutineCount      int       `json:"goroutineCount"`
	GOMAXPROCS          int       `json:"GOMAXPROCS"`
	GOMEMLIMIT          int64     `json:"GOMEMLIMIT"`
	GOGC                string    `json:"GOGC"`
	GODEBUG             string    `json:"GODEBUG"`
	StorageRetention    string    `json:"storageRetention"`
}

func (a *api) statusRuntime(*http.Request) result {
	known := a.Runtime()
	info := runtimeInfo{
		StartTime:           known.StartTime,
		ServerTime:          a.now().UTC(),
		ReloadConfigSuccess: known.ReloadConfigSuccess,
		LastConfigTime:      known.LastConfigTime,
		GoroutineCount:      runtime.NumGoroutine(),
		GOMAXPROCS:          runtime.GOMAXPROCS(0),
		GOMEMLIMIT:          debug.SetMemoryLimit(-1),
		GOGC:                os.Getenv("GOGC"),
		GODEBUG:             os.Getenv("GODEBUG"),
		StorageRetention:    known.StorageRetention,
	}
	var err error
	if info.CWD, err = os.Getwd(); err != nil {
		info.CWD = "<error retrieving current working directory>"
	}
	if info.Hostname, err = os.Hostname(); err != nil {
		return fail(internal, fmt.Errorf("error getting hostname: %w", err))
	}
	return result{data: info}
}

type headStats struct {
	NumSeries     uint64 `json:"numSeries"`
	NumLabelPairs int    `json:"numLabelPairs"`
	ChunkCount    int64  `json:"chunkCount"`
	MinTime       int64  `json:"minTime"`
	MaxTime       int64  `json:"maxTime"`
}

type count struct {
	Name  string `json:"name"`
	Value uint64 `json:"value"`
}

type tsdbStatus struct {
	HeadStats                   headStats `json:"headStats"`
	SeriesCountByMetricName     []count   `json:"seriesCountByMetricName"`
	LabelValueCountByLabelName  []count   `json:"labelValueCountByLabelName"`
	MemoryInBytesByLabelName    []count   `json:"memoryInBytesByLabelName"`
	SeriesCountByLabelValuePair []count   `json:"seriesCountByLabelValuePair"`
}

const (
	defaultTSDBLimit = 10
	maxTSDBLimit     = 10000
)

func (a *api) statusTSDB(r *http.Request) result {
	limit := defaultTSDBLimit
	if text := r.FormValue("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 {
			return fail(badData, errors.New("limit must be a positive number"))
		}
		if limit > maxTSDBLimit {
			return fail(badData, fmt.Errorf("limit must not exceed %d", maxTSDBLimit))
		}
	}
	s := a.Head.Stats(labels.MetricName, limit)
	return result{data: tsdbStatus{
		HeadStats: headStats{
			NumSeries:     s.NumSeries,
			NumLabelPairs: s.IndexPostingStats.NumLabelPairs,
			ChunkCount:    a.HeadChunks(),
			MinTime:       s.MinTime,
			MaxTime:       s.MaxTime,
		},
		SeriesCountByMetricName:     counts(s.IndexPostingStats.CardinalityMetricsStats),
		LabelValueCountByLabelName:  counts(s.IndexPostingStats.CardinalityLabelStats),
		MemoryInBytesByLabelName:    counts(s.IndexPostingStats.LabelValueStats),
		SeriesCountByLabelValuePair: counts(s.IndexPostingStats.LabelValuePairsStats),
	}}
}

func counts(stats []index.Stat) []count {
	listed := make([]count, 0, len(stats))
	for _, s := range stats {
		listed = append(listed, count{s.Name, s.Count})
	}
	return listed
}

type alertmanager struct {
	URL string `json:"url"`
}

func (a *api) alertmanagers(*http.Request) result {
	list := func(urls []*url.URL) []alertmanager {
		listed := make([]alertmanager, 0, len(urls))
		for _, u := range urls {
			listed = append(listed, alertmanager{shownURL(u)})
		}
		return listed
	}
	return result{data: map[string][]alertmanager{
		"activeAlertmanagers":  list(a.Alertmanagers.Alertmanagers()),
		"droppedAlertmanagers": list(a.Alertmanagers.DroppedAlertmanagers()),
	}}
}
