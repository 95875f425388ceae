package report

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/upheld-sla/upheld/internal/golden"
	"github.com/upheld-sla/upheld/internal/verdict"
)

func TestJSONIsReadBackAndFitsTheSchema(t *testing.T) {
	compiled := compiledSchema(t)
	for _, f := range fixtures() {
		t.Run(f.name, func(t *testing.T) {
			reports, history := f.reports(t)
			data, err := JSON(reports, history)
			if err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, filepath.Join("testdata", f.name+".json"), data)
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if err := compiled.Validate(doc); err != nil {
				t.Errorf("%#v", err)
			}
			back, err := Read(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			again, err := JSON([]*verdict.Report{back}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(data), string(again)); diff != "" {
				t.Errorf("the report read back is another (-written +read):\n%s", diff)
			}
			want := complete(reflect.ValueOf(*reports[0])).Interface().(verdict.Report)
			sameEmpty := cmp.FilterValues(func(a, b any) bool { return empty(a) && empty(b) }, cmp.Ignore())
			if diff := cmp.Diff(&want, back, sameEmpty); diff != "" {
				t.Errorf("-given +read:\n%s", diff)
			}
		})
	}
}

// empty lists that are left out of the JSON come back as nil.
func empty(v any) bool {
	r := reflect.ValueOf(v)
	return r.IsValid() && (r.Kind() == reflect.Slice || r.Kind() == reflect.Map) && r.Len() == 0
}

func TestJSONIsTheSameBytesWhateverTheZoneOfItsTimes(t *testing.T) {
	one, other := october(t), october(t)
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	other.Period.Start = other.Period.Start.In(tokyo)
	other.Levels[0].Gaps = []verdict.ReportedGap{}
	a, _ := JSON([]*verdict.Report{one}, nil)
	b, err := JSON([]*verdict.Report{other}, nil)
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("the same report as other bytes (%v):\n%s", err, cmp.Diff(string(a), string(b)))
	}
}

func TestReadRefusesWhatIsNoReport(t *testing.T) {
	data, err := JSON([]*verdict.Report{october(t)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	good := string(data)
	change := func(old, replacement string) string {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("the report does not hold %s", old)
		}
		return strings.Replace(good, old, replacement, 1)
	}
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", "ends too early"},
		{"cut off", good[:len(good)/2], "ends too early"},
		{"a list", "[" + good + "]", "this must be an object"},
		{"two reports", good + good, "more after the end"},
		{"unknown key", change(`"agreement"`, `"agreed": true, "agreement"`), `no key "agreed"`},
		{"a key in another case", change(`"agreement"`, `"Agreement"`), `no key "Agreement"`},
		{"a key twice", change(`"agreement": "shop"`, `"agreement": "shop", "agreement": "other"`), `"agreement" is there twice`},
		{"a missing key", change(`"agreement": "shop",`, ``), `"agreement" is missing`},
		{"null", change(`"findings": [`, `"findings": null, "x": [`), "findings: this must be a list"},
		{"an unknown verdict", change(`"verdict": "met"`, `"verdict": "fine"`), `verdict: "fine" is no verdict`},
		{"a number in words", change(`"achieved": "99.95410141"`, `"achieved": "99,95"`), `levels[0].achieved: "99,95" is no decimal number`},
		{"an exponent", change(`"achieved": "99.95410141"`, `"achieved": "1e2"`), `"1e2" is no decimal number`},
		{"a number for a text", change(`"achieved": "99.95410141"`, `"achieved": 99.9`), "levels[0].achieved: this must be a text"},
		{"a broken time", change(`"2026-10-06T12:02:15Z"`, `"6 October"`), "is no time"},
		{"half a version", change(`"version": 1`, `"version": 1.5`), "version: 1.5 is no whole number"},
		{"version 0", change(`"version": 1`, `"version": 0`), "the first version of a report is 1"},
		{"another format", change(`upheld-report/1`, `upheld-report/9`), `"upheld-report/9"`},
		{"an unknown zone", change(`"zone": "Europe/Berlin"`, `"zone": "Europe/Atlantis"`), "Europe/Atlantis"},
		{"a period that ends before it starts", change(`"end": "2026-10-31T23:00:00Z"`, `"end": "2025-10-31T23:00:00Z"`), "not after its start"},
		{"invalid UTF-8", change(`"shop"`, "\"sh\xff\""), "not valid UTF-8"},
		{"deep nesting", change(`"agreement": "shop"`, `"agreement": `+strings.Repeat("[", 100000)), "this must be a text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Read(strings.NewReader(c.in))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("read it as %v with the error %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestReadSaysTheLine(t *testing.T) {
	in := "{\n  \"format\": \"upheld-report/1\",\n  \"version\": true\n}"
	_, err := Read(strings.NewReader(in))
	if err == nil || !strings.HasPrefix(err.Error(), "3:17: version: ") {
		t.Errorf("got %v", err)
	}
}

func TestReadIsBounded(t *testing.T) {
	_, err := Read(&endless{})
	if err == nil || !strings.Contains(err.Error(), "larger than 64 MiB") {
		t.Errorf("got %v", err)
	}
}

type endless struct{}

func (*endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func FuzzRead(f *testing.F) {
	data, err := json.Marshal(map[string]any{"format": verdict.ReportFormat, "levels": []any{map[string]any{"group": map[string]string{"a": "b"}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"period":{"start":"2026-10-01T00:00:00Z"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, err := JSON([]*verdict.Report{r}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Read(bytes.NewReader(again)); err != nil {
			t.Fatalf("what was read and written again is refused: %v", err)
		}
	})
}
