// Command boards gives the dashboards of specifications something to show: it simulates
// a past of every file's levels, has the generated rules evaluated over it, and serves
// the dashboards and a Prometheus API for each file, on the loopback. tools/boards draws
// them; make boards runs both.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

func main() {
	days := flag.Int("days", 31, "how many `days` of past there are")
	month := flag.String("month", "", "`files`, with commas between them, that have 31 days whatever -days says")
	listen := flag.String("listen", "127.0.0.1:0", "`address` on the loopback; port 0 takes a free one")
	jobs := flag.Int("jobs", 2, "how many `files` are simulated at a time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	length := func(file string) time.Duration {
		if slices.Contains(strings.Split(*month, ","), file) {
			return 31 * day
		}
		return time.Duration(*days) * day
	}
	if err := run(ctx, *listen, length, *jobs, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "boards:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. Its address, on standard output, is the first line.
func run(ctx context.Context, listen string, length func(file string) time.Duration, jobs int, files []string) error {
	if len(files) == 0 {
		return errors.New("name specifications: go run ./test/boards examples/shop.yaml")
	}
	var shows []*show
	for _, file := range files {
		s, err := newShow(file)
		if err != nil {
			return err
		}
		if s != nil {
			s.length = length(file)
			shows = append(shows, s)
		}
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	server := &http.Server{Handler: routes(shows), ReadHeaderTimeout: time.Minute}
	var all errgroup.Group
	all.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	all.Go(func() error {
		<-ctx.Done()
		return server.Close()
	})
	var simulated errgroup.Group
	simulated.SetLimit(max(jobs, 1))
	for _, s := range shows {
		simulated.Go(func() error { s.simulate(ctx); return nil })
	}
	return errors.Join(simulated.Wait(), all.Wait())
}

// name is what a file is called in addresses: contracts-slack of examples/contracts/slack.yaml.
func name(file string) string {
	path := strings.TrimSuffix(filepath.ToSlash(filepath.Clean(file)), ".yaml")
	if _, below, ok := strings.Cut(path, "examples/"); ok {
		path = below
	}
	return strings.ReplaceAll(strings.Trim(path, "./"), "/", "-")
}

// routes are /index.json, and for each file its dashboards and its API.
func routes(shows []*show) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /index.json", func(w http.ResponseWriter, _ *http.Request) {
		type entry struct {
			Name   string          `json:"name"`
			Now    int64           `json:"now"` // the end of the past, in milliseconds
			Boards json.RawMessage `json:"boards"`
		}
		var all []entry
		for _, s := range shows {
			all = append(all, entry{s.name, end.UnixMilli(), s.boards})
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(all) // the reader went away
	})
	for _, s := range shows {
		mux.Handle("/"+s.name+"/api/", http.StripPrefix("/"+s.name, s))
	}
	return mux
}

// ServeHTTP answers from the past, as soon as it is there.
func (s *show) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.ready:
	case <-r.Context().Done():
		return
	}
	if s.err != nil {
		http.Error(w, fmt.Sprintf(`{"status":"error","errorType":"internal","error":%q}`, s.err), http.StatusInternalServerError)
		return
	}
	s.api.ServeHTTP(w, r)
}

// show is a file with its dashboards and its past.
type show struct {
	name   string
	boards json.RawMessage // by file name
	past   past
	length time.Duration
	once   sync.Once
	ready  chan struct{} // closed when api or err is there
	api    http.Handler
	err    error
}
