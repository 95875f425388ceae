// Package redact keeps secrets out of logs: attributes, errors and messages lose the
// user info of addresses, and known secrets.
package redact

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/upheld-sla/upheld/sla"
)

// Logger is a logger that hides secrets.
func Logger(l *slog.Logger, known ...string) *slog.Logger {
	if h, ok := l.Handler().(*handler); ok && len(known) == 0 {
		return slog.New(h)
	}
	return slog.New(&handler{to: l.Handler(), known: usable(known)})
}

// shortest is the length, in bytes, from which a secret is searched for by itself:
// shorter ones would match in every text.
const shortest = 4

// usable returns the secrets that can be searched for, the longest first, since one may
// be part of another.
func usable(known []string) []string {
	known = slices.DeleteFunc(slices.Clone(known), func(s string) bool { return len(s) < shortest })
	slices.SortFunc(known, func(a, b string) int { return len(b) - len(a) })
	return known
}

// Text is a text without user info, without URL parameters whose names sound secret,
// and without known secrets.
func Text(text string, known ...string) string {
	for _, secret := range usable(known) {
		text = strings.ReplaceAll(text, secret, sla.Hidden)
	}
	return unescaped(sla.RedactParameters(text), sla.Redact)
}

// Addresses is a text without the user info of URLs, without names with a password
// before an "@", and without secret URL parameters. A bare name before an "@" stays.
func Addresses(text string) string {
	return unescaped(sla.RedactParameters(text), sla.RedactAddresses)
}

// unescaped redacts a text in which the "@" after user info may be escaped, as in
// errors about such hosts.
func unescaped(text string, redact func(string) string) string {
	if plain := strings.ReplaceAll(text, "%40", "@"); plain != text {
		if clean := redact(plain); clean != plain {
			return clean
		}
	}
	return redact(text)
}

// Error is the redacted text of an error. It does not quote a text that is not a URL,
// since any part of it may be a password.
func Error(err error, known ...string) string {
	text := err.Error()
	if u, ok := errors.AsType[*url.Error](err); ok && u.Op == "parse" {
		if shown, ok := withoutUserInfo(u); ok {
			text = strings.Replace(text, u.Error(), fmt.Sprintf("parse %q: not a valid URL", shown), 1)
		}
	}
	return Text(text, known...)
}

// withoutUserInfo redacts a text that url.Parse refused, if it can hold user info.
// url.Parse first cuts off what follows a "#", and with it the "@": then the beginning
// of a password with a "#" is left, which looks like an invalid port.
func withoutUserInfo(u *url.Error) (shown string, ok bool) {
	if strings.Contains(u.URL, "@") {
		return sla.Redact(u.URL), true
	}
	if strings.HasPrefix(u.Err.Error(), "invalid port") {
		scheme, _, _ := strings.Cut(u.URL, "://")
		return scheme + "://" + sla.Hidden, true
	}
	return "", false
}

// handler is a slog.Handler that passes texts on without secrets.
type handler struct {
	to    slog.Handler
	known []string
}

// Enabled asks the next handler.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.to.Enabled(ctx, level)
}

// Handle passes a record on.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, Text(r.Message, h.known...), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.attr(a))
		return true
	})
	return h.to.Handle(ctx, clean)
}

// WithAttrs is a handler that adds attributes to its records.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = h.attr(a)
	}
	return &handler{h.to.WithAttrs(clean), h.known}
}

// WithGroup is a handler whose attributes are in a group.
func (h *handler) WithGroup(name string) slog.Handler { return &handler{h.to.WithGroup(name), h.known} }

func (h *handler) attr(a slog.Attr) slog.Attr {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, Text(v.String(), h.known...))
	case slog.KindGroup:
		members := make([]slog.Attr, len(v.Group()))
		for i, member := range v.Group() {
			members[i] = h.attr(member)
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(members...)}
	case slog.KindAny:
		switch x := v.Any().(type) {
		case error:
			return slog.String(a.Key, Error(x, h.known...))
		case fmt.Stringer:
			return slog.String(a.Key, Text(x.String(), h.known...))
		case []byte:
			return a
		default: // lists of texts are printed like this
			if text := fmt.Sprint(x); Text(text, h.known...) != text {
				return slog.String(a.Key, Text(text, h.known...))
			}
		}
	}
	return a
}
