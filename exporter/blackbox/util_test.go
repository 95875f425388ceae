package blackbox

import (
	"io"
	"log"
	"os"
	"testing"
)

func writePlain(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }
