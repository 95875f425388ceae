//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// cortexConfig is a Cortex of one process: folder, HTTP port and gRPC port.
const cortexConfig = `target: ingester,distributor,querier,store-gateway,ruler
auth_enabled: true
server: {http_listen_address: 127.0.0.1, http_listen_port: %[2]s, grpc_listen_address: 127.0.0.1, grpc_listen_port: %[3]s, log_level: warn}
distributor: {ring: {instance_addr: 127.0.0.1, kvstore: {store: inmemory}}}
ingester:
  lifecycler:
    address: 127.0.0.1
    min_ready_duration: 0s
    final_sleep: 0s
    ring: {kvstore: {store: inmemory}, replication_factor: 1}
blocks_storage:
  backend: filesystem
  filesystem: {dir: %[1]s/blocks}
  tsdb: {dir: %[1]s/tsdb}
  bucket_store: {sync_dir: %[1]s/sync}
store_gateway: {sharding_enabled: true, sharding_ring: {wait_stability_min_duration: 0s, instance_addr: 127.0.0.1, kvstore: {store: inmemory}, replication_factor: 1}}
querier: {active_query_tracker_dir: %[1]s/queries}
ruler: {enable_api: true, rule_path: %[1]s/rules, poll_interval: 1s}
ruler_storage: {backend: filesystem, filesystem: {dir: %[1]s/ruler}}
runtime_config: {file: %[1]s/overrides.yaml}
limits: {ruler_max_rules_per_rule_group: 20, ruler_max_rule_groups_per_tenant: 70}
`

// cortexFew are the rule groups that the tenant "few" may have.
const cortexFew = 4

// cortex is a Cortex server.
type cortex struct{ address string }

// startCortex skips the test if nobody has built Cortex, which takes long.
func startCortex(t *testing.T) cortex {
	t.Helper()
	path, err := exec.LookPath(root + "/bin/tools/cortex")
	if err != nil {
		t.Skip("bin/tools/cortex is not there; make integration-cortex builds it and runs this")
	}
	if path, err = filepath.Abs(path); err != nil {
		t.Fatal(err)
	}
	dir, c := t.TempDir(), cortex{freeAddress(t)}
	put(t, filepath.Join(dir, "overrides.yaml"), fmt.Sprintf("overrides: {few: {ruler_max_rule_groups_per_tenant: %d}}\n", cortexFew))
	config := filepath.Join(dir, "cortex.yaml")
	put(t, config, fmt.Sprintf(cortexConfig, dir, portOf(t, c.address), portOf(t, freeAddress(t))))
	p := start(t, "cortex", path, "-config.file="+config)
	await(t, time.Minute, "cortex is ready", func() error {
		select {
		case <-p.done:
			t.Fatalf("cortex ended: %v", p.err)
		default:
		}
		_, err := c.ask(http.MethodGet, "/ready", "", nil)
		return err
	})
	return c
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// ask sends one request as a tenant.
func (c cortex) ask(method, path, tenant string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequest(method, "http://"+c.address+path, body)
	if err != nil {
		return nil, err
	}
	if tenant != "" {
		req.Header.Set("X-Scope-OrgID", tenant)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, res.Status, answer)
	}
	return answer, err
}

// ruleGroup is a group with every key that the server has of it.
type ruleGroup map[string]any

// groups are those of a tenant by namespace and name, none if the server says that there are none.
func (c cortex) groups(t *testing.T, tenant string) map[string]map[string]ruleGroup {
	t.Helper()
	answer, err := c.ask(http.MethodGet, "/api/v1/rules", tenant, nil)
	if err != nil && string(answer) == "no rule groups found\n" {
		return map[string]map[string]ruleGroup{}
	}
	if err != nil {
		t.Fatal(err)
	}
	var all map[string][]ruleGroup
	if err := yaml.Unmarshal(answer, &all); err != nil {
		t.Fatal(err)
	}
	named := map[string]map[string]ruleGroup{}
	for namespace, groups := range all {
		named[namespace] = byName(groups)
	}
	return named
}

func byName(groups []ruleGroup) map[string]ruleGroup {
	named := map[string]ruleGroup{}
	for _, g := range groups {
		named[g["name"].(string)] = g
	}
	return named
}

// unhealthy is an error while a rule of a tenant was not evaluated, or failed. Groups of five minutes and
// more have until then for their first turn: they must not have failed.
func (c cortex) unhealthy(tenant string, rules int) error {
	answer, err := c.ask(http.MethodGet, "/prometheus/api/v1/rules", tenant, nil)
	if err != nil {
		return err
	}
	var all struct {
		Data struct {
			Groups []struct {
				Name     string
				Interval float64
				Rules    []rule
			}
		}
	}
	if err := json.Unmarshal(answer, &all); err != nil {
		return err
	}
	for _, g := range all.Data.Groups {
		rules -= len(g.Rules)
		for _, r := range g.Rules {
			if r.Health != "ok" && (g.Interval <= 60 || r.Health != "unknown") {
				return fmt.Errorf("rule %s in group %s is %s: %s", r.Name, g.Name, r.Health, r.LastError)
			}
		}
	}
	if rules != 0 {
		return fmt.Errorf("%d rules more than the ruler has", rules)
	}
	return nil
}
