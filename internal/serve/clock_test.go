package serve_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/upheld-sla/upheld/internal/serve"
)

// With a clock that is an hour behind the storage, nothing is recorded, nobody is
// told anything, and log, pages and a metric say why.
func TestClockBehindTheStorage(t *testing.T) {
	dir, sample, alertmanager := t.TempDir(), newSample(t), newReceiver(t)
	sample.down.Store(true)
	data := filepath.Join(dir, "data")
	db, err := tsdb.Open(data, nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	app := db.Appender(context.Background())
	if _, err := app.Append(0, labels.FromStrings("__name__", "sla:target:ratio"), time.Now().Add(time.Hour).UnixMilli(), 1); err != nil {
		t.Fatal(err)
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	r := start(t, serve.Options{
		Specs:            []string{write(t, filepath.Join(dir, "shop.yaml"), fmt.Sprintf(shop, sample.URL))},
		StoragePath:      data,
		AlertmanagerURLs: []string{alertmanager.URL + "/prefix"},
	})
	eventually(t, "the metric says it", func() bool {
		_, body := r.get("/metrics")
		return strings.Contains(body, "upheld_storage_last_write_successful 0")
	})
	eventually(t, "the exporter has probed", func() bool {
		_, body := r.get("/metrics")
		return regexp.MustCompile(`outcome="bad"[^\n]*} [1-9]`).MatchString(body)
	})
	if status, body := r.get("/"); status != http.StatusOK || !strings.Contains(body, "the clock of this machine was set back") {
		t.Errorf("the page says: %d\n%s", status, body)
	}
	if v, known := r.value(`count({__name__=~".+"})`); known {
		t.Errorf("%v series are recorded", v)
	}
	r.end()
	if n := strings.Count(r.log.String(), "takes no samples"); n != 1 || !strings.Contains(r.log.String(), "set the clock right") {
		t.Errorf("the log says it %d times", n)
	}
	if strings.Contains(r.log.String(), "out-of-order") {
		t.Error("the log is full of samples that are refused")
	}
	if a, found := alertmanager.find(nil); found {
		t.Errorf("an alert was sent: %v", a)
	}
}
