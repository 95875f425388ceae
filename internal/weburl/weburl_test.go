package weburl_test

import (
	"strings"
	"testing"

	"github.com/upheld-sla/upheld/internal/weburl"
)

// TestURLsWithSecretsAreRefusedWithoutShowingThem in whatever part of them, and
// however odd they are.
func TestURLsWithSecretsAreRefusedWithoutShowingThem(t *testing.T) {
	for _, text := range []string{
		"http://me:s3cret@host:1", "http://s3cret@host", "http://me:%zzs3cret@host", "http://me:s3cret/x@host", "http://me/s3cret@host",
		"http://me:a@b:s3cret@host", "http://me:s3cret @host", "http://me:s3cret?x@host", "me:s3cret@host:1", "s3cret@host:1",
		"http://host/?token=s3cret", "http://host/#s3cret", "http://host:bad/?token=s3cret", "ftp://host/?s3cret", "http://me:s3cret@host\x00",
	} {
		u, err := weburl.Parse(text, "put it into a file")
		switch {
		case err == nil:
			t.Errorf("%q is taken for %s", text, u)
		case strings.Contains(err.Error(), "s3cret"):
			t.Errorf("%q: the error shows it: %v", text, err)
		case strings.Contains(text, "@") && !strings.HasSuffix(err.Error(), "; put it into a file"):
			t.Errorf("%q: the error has no remedy: %v", text, err)
		}
	}
	for _, text := range []string{"http://host", "https://host:9093/prefix/", "http://[::1]:9093"} {
		if u, err := weburl.Parse(text, ""); err != nil || u.String() != text {
			t.Errorf("%q is %v, %v", text, u, err)
		}
	}
}
