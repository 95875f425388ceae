package emit

import (
	"testing"

	"gopkg.in/yaml.v3"
)

// Texts that YAML's library does not print as it reads them are printed so that
// they read back.
func TestTextsReadBack(t *testing.T) {
	for _, text := range []string{"\nx", "\n\nx\n", " \nx", "\tx\ny", "x\n", "x\n\n", "x \n y", "\n", "a: b\n# c", "{{ if x }}\n  y\n{{ end }}\n"} {
		y := &yamlText{}
		y.line(0, "labels:")
		if err := y.pair(2, false, "who", text); err != nil {
			t.Fatal(err)
		}
		var back map[string]map[string]string
		if err := yaml.Unmarshal(y.out, &back); err != nil || back["labels"]["who"] != text {
			t.Errorf("%q reads back as %q (%v):\n%s", text, back["labels"]["who"], err, y.out)
		}
	}
}
