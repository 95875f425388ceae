// Package archtest holds the arrows between the packages of this module: who
// may import whom, and which libraries stay behind which door. It consists of
// tests only, reads the packages with the go command, and imports nothing of
// ours but the harness for golden files.
package archtest

const (
	module     = "github.com/upheld-sla/upheld"
	prometheus = "github.com/prometheus/prometheus/"
	clientGo   = "github.com/prometheus/client_golang/"
)

// component is one folder at the top of the module and the folders it may
// import. A package may always import others of its own component and the
// packages of names (internal/...), unless a wall below says otherwise.
type component struct {
	folder string
	holds  string // for the map in docs/architecture.md
	may    []string
	reason string
}

// components are drawn from the bottom to the top: arrows point up this list
// only. A folder that is not here fails the test, so that a new one is placed
// by intent; so does a line without a folder. A folder in internal/ that is a
// component of its own has a line; the others there are shared by all.
var components = []component{
	{"internal", "What every half may use: names, files, harnesses for tests", nil, "names and test harnesses that every half shares know nothing of the halves"},
	{"sla", "The agreement: the model that both halves share. No YAML, no PromQL, no HTTP; pure functions and exact decimals", nil, "the model is the root: formats, rules and probes depend on it, never the reverse"},
	{"internal/promql", "PromQL as typed nodes; the only importer of the parser, and the proof of what was printed", []string{"sla"}, "expressions are built and proven for everyone who prints rules"},
	{"internal/imports", "Specifications of other tools: their PromQL taken apart, and what they become", []string{"sla", "internal/promql"}, "what others wrote becomes the agreement, and knows nothing of what is made of that"},
	{"internal/routing", "Which notifications an Alertmanager sends, when and to whom, in simulated time", []string{"sla"}, "routes know alerts by their labels only"},
	{"rulegen", "From an agreement to a plan: recording rules and alerts, as pure functions", []string{"sla", "internal/promql"}, "rules are pure functions of the model"},
	{"internal/rawseries", "The raw series that a level counts, as tests and simulations imagine them", []string{"sla", "rulegen", "internal/promql"}, "what a query selects is imagined in one place, for tests and for simulations"},
	{"internal/ruletest", "Tests of the generated rules for promtool", []string{"sla", "rulegen", "internal/promql", "internal/rawseries"}, "tests of rules are made of the plan that the rules come from"},
	{"rulegen/emit", "From a plan to files: one output a file", []string{"sla", "rulegen", "internal/promql", "internal/ruletest", "internal/routing"}, "outputs print what the plan holds, and its tests"},
	{"internal/credit", "What a missed promise costs", []string{"sla"}, "credits are arithmetic on results, in exact decimals"},
	{"internal/simulate", "Scenarios: which alerts fire when something breaks, and what it costs", []string{"sla", "rulegen", "rulegen/emit", "internal/promql", "internal/rawseries", "internal/credit", "internal/routing"}, "a simulation plays the rules that are generated, over series that it imagines"},
	{"internal/verdict", "Was the promise kept: from measurements to the verdict of a period", []string{"sla", "internal/credit"}, "a verdict is a pure function of the agreement and the evidence"},
	{"internal/samples", "Raw samples from servers and files, as evidence for a verdict", []string{"sla", "internal/promql", "internal/verdict"}, "samples become evidence; what follows from it is not their concern"},
	{"internal/report", "A verdict as documents: HTML, Markdown, CSV, JSON", []string{"sla", "internal/verdict"}, "documents show what the verdict says, and calculate nothing"},
	{"internal/closing", "Periods that are over: which ones, judged by which revision, and their reports as they are kept", []string{"sla", "internal/verdict", "internal/samples", "internal/report", "internal/imports"}, "a period is closed in the same way by a command and by a server: they give it samples, a folder and the time"},
	{"internal/history", "The past of rules: raw samples of weeks, what the rules would have recorded of them, as blocks or text", []string{"sla", "internal/samples"}, "a past is read, evaluated and written; whose rules they are is not its concern"},
	{"internal/backtest", "What rules would have done with a past: alerts, notifications, budgets, verdicts", []string{"sla", "internal/samples", "internal/verdict", "internal/closing", "internal/history", "internal/routing"}, "a backtest puts together what others calculate"},
	{"exporter", "The measuring half: probing, metrics over HTTP, reload", []string{"sla"}, "the exporter measures by the model alone; with the rule generator it shares only names"},
	{"dashboards", "Grafana dashboards", []string{"sla", "rulegen"}, "panels show what the plan records"},
	{"internal/inspect", "What a Prometheus server has, compared with what the levels read", []string{"sla", "rulegen", "internal/promql"}, "what a server has is compared with what the rules will ask of it; it only asks"},
	{"internal/headline", "The sentence on top: what is wrong, since when, why, and what it costs", []string{"sla"}, "pages and terminal say the same, of figures that each has"},
	{"internal/overview", "How all levels are now, for people in a terminal", []string{"sla", "internal/inspect", "internal/headline"}, "it puts into words what the server was asked for, and asks nothing itself"},
	{"internal/maintenance", "Maintenance windows: into specifications as text, and as silences", []string{"sla"}, "it edits what people wrote and asks an Alertmanager; what a window means is for the model"},
	{"internal/web", "The pages that `serve` shows", []string{"sla", "rulegen", "internal/headline"}, "pages ask through an interface; who serves them decides what is behind"},
	{"internal/statuspage", "The public status page of an agreement", []string{"sla"}, "what is public is made of the model alone, and of figures that it is given: it cannot show what it does not know"},
	{"internal/demo", "The sample shop of `upheld demo`", []string{"sla"}, "the sample services are an input of the loop, not a part of it"},
	{"internal/demo/past", "The simulated past of `upheld demo`", []string{"sla", "rulegen", "rulegen/emit", "internal/verdict", "internal/history", "internal/demo"}, "the past is made as a server would have recorded it, and given to one"},
	{"internal/serve", "The whole loop in one process, around an embedded Prometheus", []string{"sla", "rulegen", "internal/promql", "internal/verdict", "internal/samples", "internal/report", "internal/closing", "internal/history", "exporter", "dashboards", "internal/web", "internal/statuspage", "internal/imports"}, "serve is the assembly of the halves in one process"},
	{"examples", "Specifications to start from, and what holds them to their claims", []string{"sla", "rulegen", "exporter", "dashboards"}, "what checks the examples may run them"},
	{"cmd", "The two programs, one file a verb", []string{"sla", "rulegen", "internal/promql", "internal/ruletest", "internal/inspect", "internal/overview", "internal/maintenance", "internal/verdict", "internal/credit", "internal/simulate", "internal/samples", "internal/report", "internal/closing", "internal/history", "internal/routing", "internal/backtest", "exporter", "dashboards", "internal/web", "internal/demo", "internal/demo/past", "internal/serve", "internal/imports", "examples"}, "commands wire everything; nobody imports a command"},
	{"test", "The programs between real servers, and the benchmarks", []string{"sla", "rulegen", "internal/promql", "internal/routing", "internal/simulate", "internal/serve", "exporter", "dashboards", "internal/demo", "examples"}, "acceptance tests drive the programs, also on the demo's shop"},
}

// wall forbids imports to the packages under one path.
type wall struct {
	from   string   // path below the module; covers what is under it too, or with "/" at the end that alone
	except []string // paths below from that may pass
	not    []string // import path prefixes; "/" at the end covers the packages below only
	allow  []string // import path prefixes that may pass all the same
	deep   bool     // holds for everything that is linked in, not only for direct imports
	reason string
}

// walls are the doors that only some packages may go through. The code of
// tests is free: it needs oracles.
var walls = []wall{
	{
		from: "sla", not: []string{
			"net/http", "gopkg.in/yaml", "go.yaml.in/yaml", prometheus, clientGo,
		}, except: []string{"sla/spec"},
		reason: "the model knows no YAML, no PromQL and no HTTP: what depends on it stays small and every format stays replaceable",
	},
	{
		// Files that a document names are opened in one place, and CEL is compiled in one.
		from: "sla/spec", not: []string{prometheus, clientGo, module + "/internal"}, allow: []string{module + "/internal/regular", module + "/internal/jsoncel"},
		reason: "formats turn documents into the model and do nothing else",
	},
	{
		// serve hands the queries of API clients to the engine and prints none, and test/boards those of boards;
		// replay and history evaluate and read rule files that they are given, and enginetest and replaytest are
		// harnesses that tests run rules in; querysize counts tokens and makes no nodes.
		from: "", not: []string{prometheus + "promql/parser"}, except: []string{"internal/promql", "internal/serve", "internal/enginetest", "internal/history", "internal/replay", "internal/replaytest", "internal/querysize", "test/boards"},
		reason: "parser nodes print without parentheses: only internal/promql, which proves what it printed, may hold them",
	},
	{
		from: "sla", not: []string{module + "/internal"}, except: []string{"sla/spec"},
		allow:  []string{module + "/internal/metricnames"},
		reason: "the model shares names with the rest, and nothing else",
	},
	{
		from: "exporter", not: []string{clientGo}, except: []string{"exporter/measure"},
		reason: "probers return results; only exporter/measure turns them into metrics",
	},
	{
		from: "exporter", not: []string{
			prometheus + "promql", prometheus + "tsdb", prometheus + "rules", prometheus + "scrape", prometheus + "web",
		}, deep: true,
		reason: "the exporter is a small daemon; the rule engine alone would add 40 MB",
	},
	{
		from: "cmd/upheld-exporter", not: []string{
			prometheus + "promql", prometheus + "tsdb", prometheus + "rules", prometheus + "scrape", prometheus + "web",
			module + "/rulegen", module + "/internal/serve", module + "/internal/web", module + "/dashboards",
		}, deep: true,
		reason: "the exporter is a small daemon; the rule engine alone would add 40 MB",
	},
	{
		from: "", not: []string{"github.com/prometheus/blackbox_exporter/prober"}, deep: true,
		reason: "probers are our own; those of blackbox_exporter are what tests hold them to",
	},
	{
		from: "exporter/", not: []string{module + "/exporter/blackbox"}, except: []string{"exporter/blackbox"},
		reason: "the drop-in is a room of its own: the exporter mounts its pages, and nothing else uses its parts",
	},
	{
		from: "exporter/blackbox", not: []string{module + "/exporter/probe", module + "/exporter/schedule", module + "/exporter/discover", module + "/exporter/guard"},
		reason: "it is given a Network, and takes nothing else of how the exporter connects",
	},
	{
		from: "rulegen", not: []string{
			prometheus + "tsdb", prometheus + "rules", prometheus + "scrape", prometheus + "web", "net/http",
		},
		reason: "generating rules is pure; running them is for serve and for tests",
	},
	{
		from: "internal/web", not: []string{prometheus + "promql", prometheus + "tsdb", prometheus + "rules"},
		reason: "pages ask through an interface, so that they can stand before any Prometheus",
	},
	{
		from: "internal/statuspage", not: []string{prometheus, clientGo, module + "/rulegen", module + "/exporter"}, deep: true,
		reason: "the public page asks nothing itself: it cannot load the engine, and does not know queries, targets or reasons",
	},
	{
		from: "", not: []string{"go.yaml.in/yaml"},
		reason: "its nodes decode to nothing beside those of gopkg.in/yaml.v3, silently: our documents use the latter, rule files go through rulefmt",
	},
}
