package redact_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/exporter/redact"
)

// TestErrorsOfParsingShowNoPasswords, whatever sign in one ends the host.
func TestErrorsOfParsingShowNoPasswords(t *testing.T) {
	for _, sign := range []string{"#", "?", "/"} {
		_, err := url.Parse("http://bob:s3cret" + sign + "7@host.example/")
		if err == nil {
			t.Fatalf("%s is parsed", sign)
		}
		if text := redact.Error(fmt.Errorf("proxy_url: %w", err)); strings.Contains(text, "s3cret") || !strings.HasPrefix(text, `proxy_url: parse "http://<hidden>`) {
			t.Error(text)
		}
	}
}
