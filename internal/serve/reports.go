package serve

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/upheld-sla/upheld/internal/closing"
	"github.com/upheld-sla/upheld/internal/report"
	"github.com/upheld-sla/upheld/internal/verdict"
	"github.com/upheld-sla/upheld/internal/web"
	"github.com/upheld-sla/upheld/sla"
)

// reportSource is the web.ReportSource over the closer and its archive.
type reportSource struct{ c *closer }

// mostLevels is how many levels of a report the page lists, the worst first.
const mostLevels = 20

// Reports returns what is known of the periods of every agreement. It also has the
// closer refresh the figures of running periods, since a reader looks at them.
func (src reportSource) Reports(context.Context) (web.Reports, error) {
	c := src.c
	kept, bad, err := c.archive.List()
	c.want()
	now := time.Now()
	state := c.s.state.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := web.Reports{Settling: wordsOf(c.s.SettlingTime), Doing: c.doing, Folder: c.archive.Dir}
	if err != nil {
		all.Problems = append(all.Problems, "The folder of reports cannot be read, so no period is closed: "+err.Error())
	}
	for _, u := range bad {
		all.Problems = append(all.Problems, "The file "+u.File+" in the folder of reports is no report, or damaged: "+u.Err.Error())
	}
	for _, a := range state.agreements {
		of := web.AgreementReports{Name: a.Name, Description: a.Description}
		of.Running = c.running(a)
		of.Waiting = c.waiting(a, now)
		of.Closed = c.closedOf(kept, a.Name, state.documents[a.Name])
		all.Agreements = append(all.Agreements, of)
	}
	for _, name := range gone(kept, state.agreements) { // their reports stay
		all.Agreements = append(all.Agreements, web.AgreementReports{
			Name: name, Description: "No longer in the specification.", Closed: c.closedOf(kept, name, nil),
		})
	}
	return all, nil
}

// gone returns the agreements that have reports but are no longer specified.
func gone(kept []closing.Kept, agreements []*sla.Agreement) []string {
	names := map[string]bool{}
	for _, k := range kept {
		names[k.Agreement] = true
	}
	for _, a := range agreements {
		delete(names, a.Name)
	}
	return slices.Sorted(maps.Keys(names))
}

// wordsOf is a duration in words: "24 hours", "90 minutes".
func wordsOf(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		word string
	}{{time.Hour, "hour"}, {time.Minute, "minute"}} {
		if d >= unit.of && d%unit.of == 0 {
			n := sla.NewDecimal(int64(d/unit.of), 1).String()
			if n != "1" {
				unit.word += "s"
			}
			return n + " " + unit.word
		}
	}
	return d.String()
}

// running returns the periods that an agreement is in. The caller holds the lock.
func (c *closer) running(a *sla.Agreement) []web.RunningPeriod {
	var all []web.RunningPeriod
	for _, p := range closing.PeriodsOf(a) {
		live := c.live[liveKey{a.Name, p}]
		title := "The last " + report.LengthWords(p.String())
		if p.Calendar != "" {
			title = "This " + string(p.Calendar) + " so far"
		}
		if live.err != nil {
			all = append(all, web.RunningPeriod{Title: title, Problem: live.err.Error()})
			continue
		}
		if len(live.reports) == 0 && live.at.IsZero() {
			all = append(all, web.RunningPeriod{Title: title})
		}
		for _, r := range live.reports {
			b := report.NewBrief(r)
			name := r.Period.Name
			if p.Calendar == "" {
				name = p.String() // the period ends at another minute each time
			}
			of := web.RunningPeriod{
				Title: title, Known: true, At: live.at, Headline: b.Headline, Class: b.Class, Word: b.Word, Credit: b.Credit, Rolling: p.Calendar == "",
				Path: "/reports/to-date/" + url.PathEscape(a.Name) + "/" + url.PathEscape(name),
			}
			if p.Calendar != "" {
				of.Title += ": " + b.Period
			}
			of.Levels, of.More = levelsOf(b)
			all = append(all, of)
		}
	}
	return all
}

// levelsOf returns the levels of a report that the page lists, and how many more there
// are.
func levelsOf(b report.Brief) (levels []web.ReportLevel, more int) {
	order := []string{"bad", "warn", "none", "good"}
	sorted := slices.Clone(b.Levels)
	if len(sorted) > mostLevels {
		slices.SortStableFunc(sorted, func(x, y report.BriefLevel) int {
			return cmp.Compare(slices.Index(order, x.Class), slices.Index(order, y.Class))
		})
		more = len(sorted) - mostLevels
		sorted = sorted[:mostLevels]
	}
	for _, l := range sorted {
		levels = append(levels, web.ReportLevel(l))
	}
	return levels, more
}

// waiting returns the periods whose report is still to come: those that are over, and
// the next one. The caller holds the lock.
func (c *closer) waiting(a *sla.Agreement, now time.Time) []web.WaitingPeriod {
	var all []web.WaitingPeriod
	for key, failed := range c.failed {
		if key.agreement == a.Name {
			all = append(all, web.WaitingPeriod{Period: report.PeriodWords(key.period), At: failed.next, Problem: plainError(failed.err)})
		}
	}
	slices.SortFunc(all, func(x, y web.WaitingPeriod) int { return strings.Compare(x.Period, y.Period) })
	for _, p := range closing.PeriodsOf(a) {
		// Periods that have ended and settle, then the one that ends next.
		for _, name := range closing.Closings(p, now.Add(-c.s.SettlingTime), now) {
			_, end := name.Bounds(p)
			all = append(all, web.WaitingPeriod{Period: report.PeriodWords(name.String()), At: end.Add(c.s.SettlingTime)})
		}
		if name, end := closing.NextClosing(p, now); end.After(now) {
			all = append(all, web.WaitingPeriod{Period: report.PeriodWords(name.String()), At: end.Add(c.s.SettlingTime)})
		}
	}
	return all
}

// plainError says what to do about failures of the disk.
func plainError(err error) string {
	text := err.Error()
	if errors.Is(err, syscall.ENOSPC) {
		text += "; free some space on the disk of the storage"
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// closedOf returns the reports of an agreement: the newest version of each period, with
// those that it replaces. The caller holds the lock.
func (c *closer) closedOf(kept []closing.Kept, agreement string, documents map[string]string) []web.ClosedPeriod {
	var all []web.ClosedPeriod
	last := ""
	for _, k := range slices.Backward(kept) { // the newest period and version first
		if k.Agreement != agreement || closing.KeptToDate(k) {
			continue
		}
		if k.Period.Name == last {
			newest := &all[len(all)-1]
			newest.Older = append(newest.Older, c.closedPeriod(k))
			continue
		}
		last = k.Period.Name
		of := c.closedPeriod(k)
		err, asked := c.restated[k.File]
		of.Restating = asked && err == nil
		if err != nil {
			of.Problem = strings.TrimSuffix(plainError(err), ".")
		}
		of.Changed = documents != nil && changed(k.Documents, documents)
		all = append(all, of)
	}
	return all
}

// changed returns whether a report depends on other texts than the current ones.
func changed(then, now map[string]string) bool { return !maps.Equal(then, now) }

func (c *closer) closedPeriod(k closing.Kept) web.ClosedPeriod {
	of := web.ClosedPeriod{
		Period: k.Brief.Period, End: k.Period.End, Class: k.Brief.Class, Word: k.Brief.Word, Headline: k.Brief.Headline, Credit: k.Brief.Credit,
		Version: k.Version, Reason: strings.TrimSuffix(k.Reason, "."), Made: k.Made, File: k.File,
	}
	if slices.ContainsFunc(k.Sources, func(s string) bool { return strings.HasPrefix(s, closing.StoredEvidence) }) {
		of.Note = "from the stored measurements of an earlier version"
	}
	of.Levels, of.More = levelsOf(k.Brief)
	for _, f := range report.Formats() {
		of.Files = append(of.Files, web.ReportLink{Name: f.Title, Path: filePath(replaceExtension(k.File, f.Extension))})
	}
	if evidence := closing.EvidencePath(k.File); exists(c.archive.Path(evidence)) {
		of.Files = append(of.Files, web.ReportLink{Name: "Measurements", Path: filePath(evidence)})
	}
	if signed := closing.SignaturePath(k.File); exists(c.archive.Path(signed)) {
		of.Files = append(of.Files, web.ReportLink{Name: "Signature", Path: filePath(signed)})
	}
	return of
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func filePath(name string) string { return "/reports/file/" + url.PathEscape(name) }

func replaceExtension(file, extension string) string {
	return strings.TrimSuffix(file, filepath.Ext(file)) + "." + extension
}

// ReportFile returns a file of the archive, or a report in another format. It only
// opens names that the archive lists.
func (src reportSource) ReportFile(_ context.Context, name string) (web.ReportFile, error) {
	archive := src.c.archive
	kept, _, err := archive.List()
	if err != nil {
		return web.ReportFile{}, err
	}
	for _, k := range kept {
		for path, mediaType := range map[string]string{closing.EvidencePath(k.File): "application/gzip", closing.SignaturePath(k.File): "application/octet-stream"} {
			if name != path {
				continue
			}
			data, err := os.ReadFile(archive.Path(name))
			if errors.Is(err, fs.ErrNotExist) {
				err = web.ErrNoReport
			}
			return web.ReportFile{Name: name, MediaType: mediaType, Bytes: data}, err
		}
		for _, f := range report.Formats() {
			if name != replaceExtension(k.File, f.Extension) {
				continue
			}
			if f.Name == "json" { // exactly these bytes are signed and verified
				data, err := os.ReadFile(archive.Path(name))
				return web.ReportFile{Name: name, MediaType: f.MediaType, Bytes: data}, err
			}
			r, err := archive.Read(k.File)
			if err != nil {
				return web.ReportFile{}, err
			}
			past, err := src.past(kept, r)
			if err != nil {
				return web.ReportFile{}, err
			}
			data, err := f.Render([]*verdict.Report{r}, past)
			return web.ReportFile{Name: name, MediaType: f.MediaType, Bytes: data}, err
		}
	}
	return web.ReportFile{}, web.ErrNoReport
}

// past reads the earlier reports that a report is shown with.
func (src reportSource) past(kept []closing.Kept, r *verdict.Report) ([]*verdict.Report, error) {
	var all []*verdict.Report
	for _, k := range report.Past(r.Agreement, r.Period, kept, func(k closing.Kept) (string, verdict.ReportPeriod, int) { return k.Agreement, k.Period, k.Version }) {
		h, err := src.c.archive.Read(k.File)
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	return all, nil
}

// ReportToDate returns the report of a running period, as HTML.
func (src reportSource) ReportToDate(_ context.Context, agreement, period string) (web.ReportFile, error) {
	src.c.mu.Lock()
	var found *verdict.Report
	for key, live := range src.c.live {
		for _, r := range live.reports {
			if key.agreement == agreement && (r.Period.Name == period || key.period.String() == period) {
				found = r
			}
		}
	}
	src.c.mu.Unlock()
	if found == nil {
		return web.ReportFile{}, web.ErrNoReport
	}
	kept, _, err := src.c.archive.List()
	if err != nil {
		return web.ReportFile{}, err
	}
	past, err := src.past(kept, found)
	if err != nil {
		return web.ReportFile{}, err
	}
	data, err := report.HTML([]*verdict.Report{found}, past)
	return web.ReportFile{MediaType: "text/html; charset=utf-8", Bytes: data}, err
}

// Restate requests the next version of a report, which must be the newest of its
// period.
func (src reportSource) Restate(_ context.Context, file, reason string) error {
	kept, _, err := src.c.archive.List()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(kept, func(k closing.Kept) bool { return k.File == file })
	if i < 0 {
		return web.ErrNoReport
	}
	for _, k := range kept {
		if k.Agreement == kept[i].Agreement && k.Period.Name == kept[i].Period.Name && k.Version > kept[i].Version {
			return errors.New("there is a newer version of this report; restate that one")
		}
	}
	return src.c.ask(restating{file, reason})
}
