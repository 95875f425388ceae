package spec

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/upheld-sla/upheld/sla"
	"github.com/upheld-sla/upheld/sla/spec/foreign"
)

// Specifications of other tools: each is converted into a document of our own, which is
// then read as any other.

// foreignDocument is a document of another format.
type foreignDocument struct {
	*decoder
	format   *format
	document *foreign.Document
	digest   string
}

func newForeignDocument(f *format, d *decoder, root *yaml.Node, digest string) *foreignDocument {
	report := func(severity sla.Severity, at *yaml.Node, rule, message, remedy string) {
		d.report(severity, d.pos(at), rule, message, remedy)
	}
	return &foreignDocument{d, f, &foreign.Document{Root: root, File: d.src.file, Report: report}, digest}
}

// foreignFormat is the format of another tool that a document has, nil if it has none.
func foreignFormat(root value, known []format) *format {
	if root.node.Kind != yamlMapping {
		return nil
	}
	for i := range known {
		if f := &known[i]; f.foreign != nil && f.detect(head{root: root.node}) == certain {
			return f
		}
	}
	return nil
}

// convert converts the documents of other formats, those of each format together, since
// one may refer to another.
func (l *loader) convert() {
	for i := range l.formats {
		f := &l.formats[i]
		of := map[*foreign.Document]*foreignDocument{}
		var docs []*foreign.Document
		for _, d := range l.foreign {
			if d.format == f {
				of[d.document], docs = d, append(docs, d.document)
			}
		}
		if len(docs) == 0 {
			continue
		}
		for _, a := range f.foreign.Convert(docs, foreignRules(), l.files.Queries) {
			l.pending = append(l.pending, l.convertedDocument(a, of))
		}
	}
	for _, d := range l.foreign {
		l.findings = append(l.findings, d.findings...)
	}
}

// foreignRules say what our names must look like.
func foreignRules() foreign.Rules {
	return foreign.Rules{ToName: toName, IsLabel: func(name string) bool { return labelRegexp.MatchString(name) && name[:min(2, len(name))] != "__" }, ReservedLabels: reservedLabels}
}

// convertedDocument is a converted document, ready to be read.
func (l *loader) convertedDocument(a *foreign.Agreement, of map[*foreign.Document]*foreignDocument) *pending {
	main := of[a.Document]
	d := newDecoder(main.src, l.files)
	d.origins = a.Origins
	var visit func(*yaml.Node)
	visit = func(n *yaml.Node) {
		if from, ok := a.Origins[n]; ok && of[from.Document].src != d.src {
			d.borrowed[n], d.borrowed[from.Node] = of[from.Document].src, of[from.Document].src
		}
		for _, child := range n.Content {
			visit(child)
		}
	}
	visit(a.Root)
	p := newPending(value{d: d, node: a.Root}, main.digest)
	p.format = main.format.name
	return p
}

// convertedQuery is the query of a converted document, with its place in the original.
func (v value) convertedQuery(text string, from foreign.Origin) (sla.Query, bool) {
	original := value{d: v.d, node: from.Node, name: v.name}
	if from.Node.Kind != yamlScalar {
		return sla.Query{Text: text, Pos: original.pos(), Folded: true}, true
	}
	q, ok := original.query()
	return sla.Query{Text: text, Pos: q.At(from.Offset), Folded: q.Folded || !from.Verbatim}, ok
}

// itemsOf are documents, with lists of Kubernetes or OpenSLO objects replaced by their
// items. An empty list is reported.
func (l *loader) itemsOf(roots []*yaml.Node, src *source) []*yaml.Node {
	var all []*yaml.Node
	for _, root := range roots {
		list := root
		if !foreign.IsOpenSLOList(root) {
			list = entryOf(root, "items")
			version, kind := entryOf(root, "apiVersion"), entryOf(root, "kind")
			if list == nil || list.Kind != yamlSequence || version == nil || kind == nil || !strings.HasSuffix(kind.Value, "List") {
				all = append(all, root)
				continue
			}
		}
		if len(list.Content) == 0 {
			d := newDecoder(src, l.files)
			d.report(sla.Error, d.pos(list), "empty-list", "this list holds no object, so there is nothing to measure", "list the objects again: kubectl lists those of one namespace, unless -A is given")
			l.findings = append(l.findings, d.findings...)
		}
		all = append(all, list.Content...)
	}
	return all
}

// Converted is a document of another tool's format as one of our own.
type Converted struct {
	Root   *yaml.Node
	Format string // as users of the tool call it
}

// Convert reads specifications as Load does, and also returns the documents that those
// of other formats become. Documents that are not of the format only, or of any foreign
// one if it is nil, are skipped with a warning.
func (f Files) Convert(only *foreign.Format, paths ...string) ([]Converted, sla.Findings) {
	l := newLoader(f)
	for _, file := range l.expandPaths(paths) {
		l.load(file)
	}
	return l.converted(only)
}

// ConvertBlackbox converts files of blackbox_exporter and of the Prometheus that lets
// it probe, which are read together.
func (f Files) ConvertBlackbox(paths ...string) ([]Converted, sla.Findings) {
	l := newLoader(f)
	of := converted(&foreign.Blackbox)
	l.formats = append(slices.Clone(l.formats), of)
	for _, file := range l.expandPaths(paths) {
		l.load(file)
	}
	return l.converted(&foreign.Blackbox)
}

// converted are the documents of foreign formats, or of one, as documents of our own.
func (l *loader) converted(only *foreign.Format) ([]Converted, sla.Findings) {
	l.skipOthers(only)
	_, findings := l.finish()
	var all []Converted
	for _, p := range l.pending {
		all = append(all, Converted{p.root.node, p.format})
	}
	return all, findings
}

// skipOthers keeps only documents of a foreign format, or of any.
func (l *loader) skipOthers(only *foreign.Format) {
	skip := func(d *decoder, at *yaml.Node, what string) {
		d.report(sla.Warning, d.pos(at), "not-imported", what+", which is not imported", "import the specifications themselves, and leave it where it is")
		l.findings = append(l.findings, d.findings...)
	}
	for _, p := range l.pending {
		what := "this is no specification of another tool"
		if formatOf(value{d: newDecoder(p.root.d.src, l.files), node: p.root.node}, l.formats) != nil {
			what = "this is a specification of our own"
		}
		if tool := foreign.MadeBy(p.root.node); tool != nil {
			what = "this holds rules that " + tool.Title + " made of a specification"
		}
		skip(p.root.d, p.root.node, what)
	}
	for _, at := range append(l.adjustments, l.scenarios...) {
		skip(at.d, at.node, "this is a document of our own")
	}
	l.pending, l.adjustments, l.scenarios = nil, nil, nil
	var kept []*foreignDocument
	for _, d := range l.foreign {
		if only == nil || d.format.foreign == only {
			kept = append(kept, d)
			continue
		}
		skip(d.decoder, d.document.Root, "this is a "+d.format.noun)
	}
	l.foreign = kept
}

// ForeignFormats are the formats of other tools that are read.
func ForeignFormats() []*foreign.Format {
	var all []*foreign.Format
	for _, f := range formats {
		if f.foreign != nil {
			all = append(all, f.foreign)
		}
	}
	return all
}
