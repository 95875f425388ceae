package operators

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"
)

// kinds are the objects that are written, each with its published type.
var kinds = map[string]func() metav1.Object{
	"monitoring.coreos.com/v1 PrometheusRule":           func() metav1.Object { return &monitoringv1.PrometheusRule{} },
	"monitoring.coreos.com/v1 ServiceMonitor":           func() metav1.Object { return &monitoringv1.ServiceMonitor{} },
	"monitoring.coreos.com/v1alpha1 AlertmanagerConfig": func() metav1.Object { return &v1alpha1.AlertmanagerConfig{} },
	"monitoring.coreos.com/v1alpha1 ScrapeConfig":       func() metav1.Object { return &v1alpha1.ScrapeConfig{} },
	"v1 ConfigMap": func() metav1.Object { return &corev1.ConfigMap{} },
}

// maxAnnotations is what the annotations of an object may have together, in one of which kubectl
// apply keeps the object.
const maxAnnotations = 256 << 10

// Every object decodes strictly into its published type, which keeps all of it.
func TestObjectsAreOfThePublishedTypes(t *testing.T) {
	seen := map[string]int{}
	for _, text := range objects(t) {
		var head metav1.TypeMeta
		if err := yaml.Unmarshal(text, &head); err != nil {
			t.Fatal(err)
		}
		kind := head.APIVersion + " " + head.Kind
		typed, known := kinds[kind]
		if !known {
			t.Errorf("no type for %s", kind)
			continue
		}
		seen[kind]++
		object := typed()
		if err := yaml.UnmarshalStrict(text, object); err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		checkMetadata(t, kind, object)
		if applied, err := json.Marshal(object); err != nil || len(applied) > maxAnnotations {
			t.Errorf("%s %s has %d bytes as JSON, %v", kind, object.GetName(), len(applied), err)
		}
		if routes, ok := object.(*v1alpha1.AlertmanagerConfig); ok {
			checkRoutes(t, routes)
		}
	}
	if rules := seen["monitoring.coreos.com/v1 PrometheusRule"]; rules < 5 {
		t.Errorf("%d PrometheusRule objects: none was split", rules)
	}
	for kind := range kinds {
		if seen[kind] == 0 {
			t.Errorf("no %s was written", kind)
		}
	}
	t.Log(seen)
}

func checkMetadata(t *testing.T, kind string, object metav1.Object) {
	t.Helper()
	for _, wrong := range validation.IsDNS1123Subdomain(object.GetName()) {
		t.Errorf("%s: the name %q: %s", kind, object.GetName(), wrong)
	}
	if object.GetNamespace() != "monitoring" || object.GetLabels()["prometheus"] != "main" {
		t.Errorf("%s %s: namespace %q, labels %v", kind, object.GetName(), object.GetNamespace(), object.GetLabels())
	}
}

// checkRoutes reads routes as the operator does, which knows those below the first as JSON only.
func checkRoutes(t *testing.T, object *v1alpha1.AlertmanagerConfig) {
	t.Helper()
	receivers, times := map[string]bool{"": true}, map[string]bool{}
	for _, r := range object.Spec.Receivers {
		receivers[r.Name] = true
	}
	for _, i := range object.Spec.MuteTimeIntervals {
		times[i.Name] = true
		if err := i.Validate(); err != nil {
			t.Errorf("time interval %s: %v", i.Name, err)
		}
	}
	var check func(r v1alpha1.Route)
	check = func(r v1alpha1.Route) {
		if !receivers[r.Receiver] {
			t.Errorf("there is no receiver %q", r.Receiver)
		}
		for _, m := range r.Matchers {
			if err := m.Validate(); err != nil {
				t.Errorf("matcher %v: %v", m, err)
			}
		}
		for _, name := range append(r.MuteTimeIntervals, r.ActiveTimeIntervals...) {
			if !times[name] {
				t.Errorf("there is no time interval %q", name)
			}
		}
		for _, raw := range r.Routes {
			dec := json.NewDecoder(bytes.NewReader(raw.Raw))
			dec.DisallowUnknownFields()
			var below v1alpha1.Route
			if err := dec.Decode(&below); err != nil {
				t.Fatalf("a route below: %v", err)
			}
			check(below)
		}
	}
	check(*object.Spec.Route)
}

// objects are those of a folder that OPERATOR_OBJECTS names, or that are generated here.
func objects(t *testing.T) [][]byte {
	t.Helper()
	folder := os.Getenv("OPERATOR_OBJECTS")
	if folder == "" {
		folder = generated(t)
	}
	var all [][]byte
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" || d.Name() == "kustomization.yaml" || d.Name() == "scrape.yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		for document := range bytes.SplitSeq(text, []byte("\n---\n")) {
			all = append(all, document)
		}
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("no objects in %s, %v", folder, err)
	}
	return all
}

// generated are objects of agreements with all that routes can have, and of one whose rules are several objects.
func generated(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	told, err := os.ReadFile(filepath.Join(root, "rulegen/emit/testdata/told.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	specs := filepath.Join(dir, "told.yaml")
	inUTC := strings.ReplaceAll(string(told), "timeZone: Europe/Berlin", "timeZone: UTC")
	inUTC = strings.ReplaceAll(inUTC, "name: shop}", "name: shop-told}")
	if err := os.WriteFile(specs, []byte(inUTC), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "objects")
	cmd := exec.Command("go", "run", "./cmd/upheld", "generate", specs, "examples/shop.yaml", "-o", out, "--rules.format=operator", "--operator.namespace=monitoring",
		"--operator.label=prometheus=main", "--outputs=rules,prometheus,objects", "--exporter.address=exporter.example:9799")
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}
