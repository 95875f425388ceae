package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/config"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/internal/rulediff"
	"github.com/upheld-sla/upheld/internal/ruler"
	"github.com/upheld-sla/upheld/internal/weburl"
	"github.com/upheld-sla/upheld/rulegen"
	"github.com/upheld-sla/upheld/rulegen/emit"
	"github.com/upheld-sla/upheld/sla"
)

// rulers are the servers that push supports, with the path of their rules. The format
// of rules has the same name.
var rulers = []struct{ name, path string }{
	{"mimir", "/prometheus/config/v1/rules"},
	{"cortex", "/api/v1/rules"},
}

// namespacePrefix begins the namespace of each agreement. It marks the namespaces that
// are ours.
const namespacePrefix = "upheld-"

// pushed has the flags of push.
type pushed struct {
	generate   generateOptions // for the rules, as in generate
	url        string
	path       string
	tenant     string
	httpConfig string
	apply      bool
	prune      bool
	format     string
}

func newPush() *cobra.Command {
	var p pushed
	cmd := &cobra.Command{
		Use:   "push RULER SPEC...",
		Short: "Bring rules into the ruler of Mimir or Cortex",
		Long: `Push compares the rules of specifications with what a ruler has, and says by rule and
alert what would change. Only with --apply does it change anything. RULER is ` + strings.Join(rulerNames(), " or ") + `.

Each agreement is a namespace, ` + namespacePrefix + `<agreement>. Groups that differ are set, one request
each, in order of dependency; groups of upheld in these namespaces that are not generated any
more are deleted after that. With --prune, so are those of agreements that are not
named. Other namespaces, and groups whose names do not begin with the group prefix, are
never touched.

A server that is busy (429, 502, 503, 504) is asked again, up to five times, after the time
that it names. If a request fails, what was done stays; call push again to go on.`,
		Example: `  # what would change; exit code 3 if anything
  upheld push mimir specs/ --ruler.url=https://mimir.example --tenant=shop

  # change it
  upheld push mimir specs/ --ruler.url=https://mimir.example --tenant=shop --apply

  # Grafana Cloud has the API below another path, and wants a password
  upheld push mimir specs/ --ruler.url=https://prometheus.example --ruler.path=/api/prom/config/v1/rules --http.config.file=auth.yaml`,
		Args: pushArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.check(args[0]); err != nil {
				return usageError{err}
			}
			return p.run(cmd, args[1:])
		},
	}
	p.flags(cmd.Flags())
	return cmd
}

// otherServers have no such ruler, or one that cannot evaluate these rules. Each entry
// says what to do instead.
var otherServers = []struct{ name, instead string }{
	{"loki", "its ruler evaluates LogQL, and these rules are PromQL. Let it record what you count, and write that to a Prometheus, Mimir or Cortex " +
		"(ruler.remote_write); name those series in the specification, and push there"},
	{"prometheus", "it reads rules from files: upheld generate SPEC... -o DIR, name DIR/rules/*.yaml under rule_files, and reload it"},
	{"thanos", "its ruler reads rules from files: upheld generate SPEC... -o DIR --rules.format=thanos, name them by --rule-file, and reload it"},
	{"victoriametrics", "vmalert reads rules from files: upheld generate SPEC... -o DIR, name them by -rule, and reload it"},
}

// pushArguments finds calls without a supported ruler, or without a specification.
func pushArguments(_ *cobra.Command, args []string) error {
	known := strings.Join(rulerNames(), " or ")
	switch {
	case len(args) == 0:
		return usageError{fmt.Errorf("push needs a ruler, %s, and at least one specification", known)}
	case slices.Contains(rulerNames(), args[0]):
		if len(args) == 1 {
			return usageError{fmt.Errorf("push %s needs at least one specification", args[0])}
		}
		return nil
	}
	for _, other := range otherServers {
		if other.name == strings.ToLower(args[0]) {
			return usageError{fmt.Errorf("push cannot bring rules into %s: %s", args[0], other.instead)}
		}
	}
	return usageError{fmt.Errorf("push knows no ruler %q; it is %s. Other servers read files: upheld generate SPEC... -o DIR writes them", args[0], known)}
}

func rulerNames() []string {
	var names []string
	for _, r := range rulers {
		names = append(names, r.name)
	}
	return names
}

func (p *pushed) flags(f *pflag.FlagSet) {
	f.StringVar(&p.url, "ruler.url", "", "where the server is (required)")
	f.StringVar(&p.path, "ruler.path", "", "where it has its rules, below the URL (default /prometheus/config/v1/rules for mimir, /api/v1/rules for cortex)")
	f.StringVar(&p.tenant, "tenant", "", "the tenant whose rules they are, sent as X-Scope-OrgID")
	f.StringVar(&p.httpConfig, "http.config.file", "", "`file` with TLS and authentication, in Prometheus' format of HTTP clients")
	f.BoolVar(&p.apply, "apply", false, "change the rules; otherwise push only says what would change")
	f.BoolVar(&p.prune, "prune", false, "delete also the groups of agreements that are not named")
	bindFormat(f, &p.format, "how to print what changes")
	bindFiles(f, &p.generate.files)
	p.generate.linkFlags(f)
	p.generate.rules.shapeFlags(f)
}

func (p *pushed) check(name string) error {
	if p.url == "" {
		return errors.New("push needs --ruler.url, where the server is")
	}
	if _, err := weburl.Parse(p.url, "write basic_auth or authorization into a file, and name it by --http.config.file"); err != nil {
		return fmt.Errorf("--ruler.url: %w", err)
	}
	for _, r := range rulers {
		if r.name == name && p.path == "" {
			p.path = r.path
		}
	}
	if strings.ContainsAny(p.tenant, "\r\n|") {
		return fmt.Errorf("--tenant=%q is not one tenant", p.tenant)
	}
	p.generate.rules.Format = name
	return errors.Join(p.generate.rules.check(), p.generate.checkLinks())
}

func (p *pushed) run(cmd *cobra.Command, paths []string) error {
	agreements, err := mustLoad(cmd.ErrOrStderr(), p.generate.files, paths)
	if err != nil {
		return err
	}
	var want []ruler.Namespace
	for _, a := range agreements {
		n, err := p.namespace(a)
		if err != nil {
			return err
		}
		want = append(want, n)
	}
	client, err := p.client(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	have, err := client.Namespaces(cmd.Context())
	if err != nil {
		return fmt.Errorf("%s: %w%s", p.url, err, rulerRemedy(err))
	}
	plan := ruler.Make(want, have, ruler.Ownership{Namespaces: namespacePrefix, Groups: p.generate.rules.GroupPrefix + ":", Prune: p.prune})
	if err := p.print(cmd.OutOrStdout(), plan); err != nil {
		return err
	}
	return p.carryOut(cmd, client, plan)
}

// namespace has the rules of an agreement for its namespace.
func (p *pushed) namespace(a *sla.Agreement) (ruler.Namespace, error) {
	n := ruler.Namespace{Name: namespacePrefix + a.Name}
	opts := p.generate.rules.RuleOptions
	opts.Operator.Name = n.Name
	var text bytes.Buffer
	w := emit.NewRuleWriter(&text, opts)
	if err := w.Begin(a); err != nil {
		return n, err
	}
	if _, err := rulegen.Each(a, p.generate.rulesOf(a), w.Level); err != nil {
		return n, err
	}
	if err := w.Close(); err != nil {
		return n, err
	}
	var file struct{ Groups []yaml.Node }
	if err := yaml.Unmarshal(text.Bytes(), &file); err != nil {
		return n, fmt.Errorf("rules of %s: %w, a fault of upheld", a.Name, err)
	}
	for i := range file.Groups {
		var g ruler.Wanted
		err := file.Groups[i].Decode(&g.Group)
		if err == nil {
			g.Text, err = yaml.Marshal(&file.Groups[i])
		}
		if err != nil {
			return n, fmt.Errorf("rules of %s: %w, a fault of upheld", a.Name, err)
		}
		n.Groups = append(n.Groups, g)
	}
	return n, nil
}

// rulerTimeout is how long one request may take.
const rulerTimeout = time.Minute

func (p *pushed) client(notes io.Writer) (*ruler.Client, error) {
	settings, err := readHTTPConfig("http.config.file", p.httpConfig)
	if err != nil {
		return nil, err
	}
	transport, err := config.NewRoundTripperFromConfig(*settings, "upheld")
	if err != nil {
		return nil, fmt.Errorf("--http.config.file: %s", oneLine(err))
	}
	at, err := url.Parse(p.url)
	if err != nil {
		return nil, err
	}
	return &ruler.Client{
		HTTP: &http.Client{Transport: transport, Timeout: rulerTimeout}, URL: at.JoinPath(p.path), Tenant: p.tenant,
		Notes: func(words string) { fmt.Fprintln(notes, words) },
	}, nil
}

// print says what would be done: by rule, then the requests.
func (p *pushed) print(w io.Writer, plan ruler.Plan) error {
	if p.format == jsonFormat {
		return writeJSON(w, struct {
			Applied bool         `json:"applied"`
			Steps   []ruler.Step `json:"steps"`
			Left    []string     `json:"left"`
			rulediff.Difference
		}{p.apply, append([]ruler.Step{}, plan.Steps...), append([]string{}, plan.Left...), plan.Difference})
	}
	var b strings.Builder
	printRules(&b, plan.Difference)
	if !p.apply {
		for _, s := range plan.Steps {
			fmt.Fprintf(&b, "would %s\n", s)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// carryOut carries out the plan, if requested, and sums up.
func (p *pushed) carryOut(cmd *cobra.Command, client *ruler.Client, plan ruler.Plan) error {
	notes := cmd.ErrOrStderr()
	if len(plan.Left) > 0 {
		fmt.Fprintf(notes, "%s left as they are: %s\n", plural(len(plan.Left), "other group"), few(plan.Left))
	}
	set, deleted := 0, 0
	for _, s := range plan.Steps {
		if s.Delete {
			deleted++
		} else {
			set++
		}
	}
	switch {
	case len(plan.Steps) == 0:
		fmt.Fprintf(notes, "%s has these rules, nothing to do\n", p.url)
		return nil
	case !p.apply:
		fmt.Fprintf(notes, "%s would be set and %d deleted in %s; --apply does it\n", plural(set, "group"), deleted, p.url)
		return answered{exitNo}
	}
	err := plan.Apply(cmd.Context(), client, func(s ruler.Step) {
		if p.format == textFormat {
			fmt.Fprintln(cmd.OutOrStdout(), s)
		}
	})
	if err != nil {
		return fmt.Errorf("%s: %w%s", p.url, err, rulerRemedy(err))
	}
	fmt.Fprintf(notes, "%s set and %d deleted in %s\n", plural(set, "group"), deleted, p.url)
	return nil
}

// rulerRemedy says what to do about an error response.
func rulerRemedy(err error) string {
	var status *ruler.StatusError
	if !errors.As(err, &status) {
		return ""
	}
	switch {
	case status.Code == http.StatusUnauthorized && strings.Contains(status.Body, "org id"):
		return "; name the tenant with --tenant"
	case status.Code == http.StatusUnauthorized, status.Code == http.StatusForbidden:
		return "; name a file with the credentials with --http.config.file"
	case status.Code == http.StatusNotFound:
		return "; is the ruler's API enabled, and --ruler.path right?"
	case strings.Contains(status.Body, "rules per rule group"):
		return "; name the limit of the server with --rules.part-size"
	case strings.Contains(status.Body, "rule groups limit"):
		return "; raise ruler_max_rule_groups_per_tenant to one more than you need, since a group that is replaced counts twice; or let levels share groups with --rules.group-size, as many rules as the server takes in a group"
	}
	return ""
}
