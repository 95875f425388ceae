package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/upheld-sla/upheld/exporter"
	"github.com/upheld-sla/upheld/exporter/redact"
	"github.com/upheld-sla/upheld/internal/httpguard"
	"github.com/upheld-sla/upheld/sla"
)

// shutdownPatience is how long requests may take after the exporter was stopped.
const shutdownPatience = 5 * time.Second

// gcPercent is how much garbage there may be, relative to memory in use. That is mostly
// accounts and histories of targets, which live long. Probes leave little garbage, so
// collecting it twice as often as Go's default costs next to nothing.
const gcPercent = 50

// serve probes and answers scrapes until ctx ends.
func (c *config) serve(ctx context.Context, stderr io.Writer) error {
	c.log.Writer = stderr
	logger := redact.Logger(promslog.New(&c.log))
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // first, so that no SIGHUP ends the process
	defer signal.Stop(hangups)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	e := exporter.New(c.options(logger, stderr))
	logger.Info("upheld-exporter starting", "version", version.Info(), "build", version.BuildContext())
	if err := c.first(e, logger, stderr); err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	background.Go(func() {
		if err := e.Run(ctx); err != nil {
			logger.Error("probing ended", "err", err)
		}
	})
	background.Go(func() { reloadOnHangup(ctx, hangups, e) })
	background.Go(func() { c.reloadAtEdge(ctx, e, logger) })
	if c.requests.autoReload {
		background.Go(func() { c.requests.reloadOnChange(ctx, e, logger) })
	}
	err := c.listenAndServe(ctx, e.Handler(c.telemetryPath), logger)
	logger.Info("upheld-exporter ends")
	return err
}

// first loads everything at the start, when there is no earlier state to keep.
func (c *config) first(e *exporter.Exporter, logger *slog.Logger, stderr io.Writer) error {
	var targets []sla.ProbeTarget
	if len(c.specs) > 0 {
		var err error
		targets, err = c.load(logger)
		if findings, ok := errors.AsType[sla.Findings](err); ok {
			fmt.Fprintln(stderr, findings.Error())
			return errReported
		}
		if err != nil {
			return err
		}
	}
	if err := e.ReloadModules(); err != nil {
		return err
	}
	if err := e.Apply(targets); err != nil {
		return err
	}
	logger.Info("specification loaded", "targets", len(targets))
	debug.FreeOSMemory() // reading a specification takes many times the memory that it needs afterwards
	return nil
}

// reloadOnHangup reloads at each SIGHUP. Reload logs errors.
func reloadOnHangup(ctx context.Context, hangups <-chan os.Signal, e *exporter.Exporter) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			_ = e.Reload()
			debug.FreeOSMemory()
		}
	}
}

// reloadAtEdge reloads when a revision of an agreement takes effect, so that its
// targets are probed. Reload logs errors.
func (c *config) reloadAtEdge(ctx context.Context, e *exporter.Exporter, logger *slog.Logger) {
	for {
		edge := c.edge.Load()
		if edge == nil {
			edge = &time.Time{}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(sla.UntilEdge(*edge, time.Now())):
		}
		if edge.IsZero() || time.Now().Before(*edge) {
			continue
		}
		logger.Info("a revision takes effect")
		c.edge.CompareAndSwap(edge, nil) // even if the specification can no longer be read
		_ = e.Reload()
		debug.FreeOSMemory()
	}
}

// listenAndServe serves until ctx ends, then lets running requests finish.
func (c *config) listenAndServe(ctx context.Context, handler http.Handler, logger *slog.Logger) error {
	guarded, err := httpguard.New(handler, httpguard.Options{Listen: c.guardedAddress(), AllowedHosts: c.allowedHosts})
	if err != nil {
		return err
	}
	server := httpguard.Server(guarded)
	server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelWarn)
	flags := &web.FlagConfig{WebListenAddresses: &c.listen, WebSystemdSocket: &c.systemdSocket, WebConfigFile: &c.webConfig}
	ended := make(chan error, 1)
	go func() { ended <- web.ListenAndServe(server, flags, logger) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.Background(), shutdownPatience)
	defer cancel()
	if err := server.Shutdown(patience); err != nil {
		server.Close()
	}
	if err := <-ended; err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// guardedAddress is the address that decides which names clients may use: the listen
// address, or none if there are several or a systemd socket.
func (c *config) guardedAddress() string {
	if c.systemdSocket || len(c.listen) != 1 {
		return ""
	}
	return c.listen[0]
}
