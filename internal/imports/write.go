package imports

import (
	"bytes"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"
)

// Write prints documents in the style of handwritten specifications.
func Write(w io.Writer, roots ...*yaml.Node) error {
	var text bytes.Buffer
	for i, root := range roots {
		if i > 0 {
			text.WriteString("---\n")
		}
		e := yaml.NewEncoder(&text)
		e.SetIndent(2)
		if err := e.Encode(root); err != nil {
			return fmt.Errorf("print the document: %w", err)
		}
		if err := e.Close(); err != nil {
			return fmt.Errorf("print the document: %w", err)
		}
	}
	_, err := w.Write(text.Bytes())
	return err
}
