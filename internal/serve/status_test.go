package serve_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/serve"
	"github.com/upheld-sla/upheld/internal/statuspage"
)

const publicShop = `
apiVersion: upheld/v1
kind: ServiceLevelAgreement
metadata: {name: shop}
spec:
  statusPage: {title: The shop, levels: [{level: availability, name: Shop}]}
  serviceLevels:
    - {name: availability, service: storefront, target: "99", indicator: {probe: {http: "%[1]s/storefront", interval: 1s}}}
    - {name: secret, service: warehouse, target: "99", indicator: {probe: {http: "%[1]s/warehouse", interval: 1s}}}
`

// The status page has an address of its own at which nothing else is answered. It follows
// the service, and a reload that ends it.
func TestStatusPageIsServedOnItsOwn(t *testing.T) {
	s := newSample(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "shop.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(fmt.Sprintf(publicShop, s.URL))
	reload, inside, outside := make(chan struct{}, 1), make(chan string, 1), make(chan string, 1)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- serve.Run(ctx, serve.Options{
			Specs: []string{file}, ListenAddress: "127.0.0.1:0", StatusListenAddress: "127.0.0.1:0", StoragePath: filepath.Join(dir, "data"),
			ScrapeInterval: time.Second, RulesInterval: time.Second, Logger: slog.New(slog.DiscardHandler), Reload: reload,
			Ready: func(url string) { inside <- url }, StatusReady: func(url string) { outside <- url },
		})
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	private, public := <-inside, <-outside
	page := awaitStatus(t, public, func(p statuspage.Page) bool { return p.State == "up" && p.Components[0].GoodShare != nil })
	if page.Title != "The shop" || len(page.Components) != 1 || page.Sentence != "Everything works." {
		t.Errorf("%+v", page)
	}
	s.down.Store(true)
	page = awaitStatus(t, public, func(p statuspage.Page) bool { return p.Components[0].Since != nil })
	if !strings.HasPrefix(page.Sentence, "Shop ") || page.State != "down" && page.State != "degraded" {
		t.Errorf("%+v", page)
	}
	for path, want := range map[string]int{"/status/shop": 200, "/status/shop/feed.atom": 200, "/": 404, "/metrics": 404, "/api/v1/query?query=up": 404, "/-/ready": 404, "/level/shop/storefront/availability": 404, "/status/other": 404} {
		if code, body := fetch(t, public+path); code != want || strings.Contains(body, "warehouse") || strings.Contains(body, "storefront") {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if code, _ := fetch(t, private+"/status/shop"); code != http.StatusOK {
		t.Errorf("the preview: %d", code)
	}
	write(strings.Replace(fmt.Sprintf(publicShop, s.URL), "statusPage: {title: The shop, levels: [{level: availability, name: Shop}]}", "period: 30d", 1))
	reload <- struct{}{}
	for begun := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		if code, _ := fetch(t, public+"/status/shop"); code == http.StatusNotFound {
			break
		} else if time.Since(begun) > 5*patience {
			t.Fatalf("still %d after it is public no more", code)
		}
	}
}

// awaitStatus waits for a status page that is as it should be.
func awaitStatus(t *testing.T, url string, ok func(statuspage.Page) bool) statuspage.Page {
	t.Helper()
	var body string
	for begun := time.Now(); time.Since(begun) < 5*patience; time.Sleep(200 * time.Millisecond) {
		var code int
		if code, body = fetch(t, url+"/status/shop/status.json"); code != http.StatusOK {
			continue
		}
		var p statuspage.Page
		if err := json.Unmarshal([]byte(body), &p); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		if ok(p) {
			return p
		}
	}
	t.Fatalf("the status page never was as it should be: %s", body)
	return statuspage.Page{}
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
