package jsoncel_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/upheld-sla/upheld/internal/jsoncel"
)

func TestConditions(t *testing.T) {
	const body = `{"status": "ok", "checks": [{"name": "db", "lag": 3}, {"name": "queue", "lag": 1.5}], "secret": "s3cret"}`
	for text, want := range map[string]string{
		`body.status == "ok"`:                         "true",
		`body.status in ["ok", "warn"]`:               "true",
		`body.checks.all(c, c.lag < 3.0)`:             "false",
		`body.checks.exists(c, c.name == "db")`:       "true",
		`size(body.checks) == 2 && body.secret != ""`: "true",
		`has(body.missing)`:                           "false",
		`body.missing == 1`:                           "the body has no missing",
		`body[body.secret] == 1`:                      "the condition cannot be evaluated on this body",
		`int(body.secret) == 1`:                       "the condition cannot be evaluated on this body",
		`body.status`:                                 "the condition is neither true nor false of this body",
	} {
		p, err := jsoncel.Compile(text)
		if err != nil {
			t.Fatal(text, err)
		}
		holds, err := p.Holds(t.Context(), []byte(body))
		got := map[bool]string{true: "true", false: "false"}[holds]
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestMistakesHaveAPlace(t *testing.T) {
	for text, want := range map[string]jsoncel.Error{
		`body.status = "ok"`:         {Line: 1, Column: 13, Message: "token recognition error at: '= '"},
		`status == "ok"`:             {Line: 1, Column: 1, Message: "undeclared reference to 'status' (in container '')"},
		"body.a == 1 &&\n  nope(1)":  {Line: 2, Column: 7, Message: "undeclared reference to 'nope' (in container '')"},
		`1 + 1`:                      {Message: "the condition is a value of the type int, and neither true nor false"},
		`body.status == "ok" && (1 `: {Line: 1, Column: 27, Message: "missing ')' at '<EOF>'"},
	} {
		_, err := jsoncel.Compile(text)
		var got *jsoncel.Error
		if !errors.As(err, &got) || *got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

func TestNotJSON(t *testing.T) {
	p, err := jsoncel.Compile("body == 1")
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"", "<html>", `{"a": 1`} {
		if _, err := p.Holds(t.Context(), []byte(body)); !errors.Is(err, jsoncel.ErrNotJSON) {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// TestCostIsBounded has a condition that looks at every pair of a large list.
func TestCostIsBounded(t *testing.T) {
	p, err := jsoncel.Compile("body.all(a, body.all(b, body.all(c, a + b + c >= 0.0)))")
	if err != nil {
		t.Fatal(err)
	}
	before := processTime(t)
	_, err = p.Holds(t.Context(), []byte("["+strings.Repeat("1,", 5000)+"1]"))
	if took := processTime(t) - before; !errors.Is(err, jsoncel.ErrCost) || took > 5*time.Second {
		t.Errorf("%v after %s of CPU", err, took)
	}
}

// processTime is how long this process has used processors, which does not grow
// while the machine is busy with others.
func processTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
