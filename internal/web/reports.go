package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// ReportSource provides the page of reports and the files that it links to.
type ReportSource interface {
	// Reports returns what is known of the periods of every agreement.
	Reports(ctx context.Context) (Reports, error)
	// ReportFile returns a report, or its evidence, by the name of its file. It returns
	// ErrNoReport if there is none.
	ReportFile(ctx context.Context, name string) (ReportFile, error)
	// ReportToDate returns the report of a running period, as HTML.
	ReportToDate(ctx context.Context, agreement, period string) (ReportFile, error)
	// Restate requests the next version of a report. Reports has the outcome.
	Restate(ctx context.Context, file, reason string) error
}

// ErrNoReport says that there is no such report.
var ErrNoReport = errors.New("there is no such report")

// ReportFile is a file to read or to keep.
type ReportFile struct {
	Name, MediaType string
	Bytes           []byte
}

// Reports are the periods of all agreements.
type Reports struct {
	Settling   string   // how long after its end a period is judged: "24 hours"
	Doing      string   // the report that is being made now, "" if none is
	Problems   []string // files in the folder of reports that are not reports
	Folder     string   // of the reports
	Agreements []AgreementReports
}

// AgreementReports are the periods of one agreement.
type AgreementReports struct {
	Name, Description string
	Running           []RunningPeriod
	Waiting           []WaitingPeriod
	Closed            []ClosedPeriod // the newest first
}

// ReportLevel is a level in a report, in words and numbers for people.
type ReportLevel struct {
	Name           string
	Class, Word    string
	Promised       string
	Achieved, Best string
	Left           string // of the budget
}

// RunningPeriod is a running period to date.
type RunningPeriod struct {
	Title    string // "November 2026 so far"
	Known    bool   // it was judged; otherwise it is being judged, or Problem says why not
	Problem  string
	At       time.Time // the time of the figures
	Headline string
	Class    string
	Word     string
	Credit   string
	Levels   []ReportLevel
	More     int    // levels that are not listed
	Path     string // of the whole report
	Rolling  bool   // no rest that could still be bad
}

// WaitingPeriod is a period without a report yet: one that is over, or the next one to
// end.
type WaitingPeriod struct {
	Period  string
	At      time.Time // when its report is made, or made again
	Problem string    // why the report could not be made, "" if it is not due yet
}

// ClosedPeriod is the report of a period that is over.
type ClosedPeriod struct {
	Period      string
	End         time.Time
	Class, Word string
	Headline    string
	Credit      string
	Levels      []ReportLevel
	More        int
	Version     int
	Reason      string // of a restatement
	Made        time.Time
	Note        string // if it was not made from raw samples
	Files       []ReportLink
	Older       []ClosedPeriod // versions that it replaces, the newest first
	File        string         // its JSON, to restate it
	Changed     bool           // the specification or an adjustment has changed since
	Restating   bool
	Problem     string // why it could not be restated
}

// ReportLink is a link to a file.
type ReportLink struct{ Name, Path string }

// reportsPage is the data of the template of reports.
type reportsPage struct {
	page
	Reports
}

// Mark is the verdict so far, as the template "mark" shows it.
func (r RunningPeriod) Mark() any { return mark{r.Class, r.Word} }

// Mark is the verdict, as the template "mark" shows it.
func (c ClosedPeriod) Mark() any { return mark{c.Class, c.Word} }

// Mark is the verdict of the level, as the template "mark" shows it.
func (l ReportLevel) Mark() any { return mark{l.Class, l.Word} }

// Soon is a future or past time by the page's clock.
func (p reportsPage) Soon(at time.Time) stamp {
	return p.clock.date(at)
}

func (h *pages) reports(w http.ResponseWriter, r *http.Request) {
	all, err := h.opts.Reports.Reports(r.Context())
	if err != nil {
		h.unavailable(w, r, err)
		return
	}
	p := h.page("Reports")
	p.Place = "reports"
	h.render(w, http.StatusOK, "reports", reportsPage{p, all})
}

// reportPolicy allows what a report contains: it has inline styles and needs nothing
// else.
const reportPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (h *pages) reportFile(w http.ResponseWriter, r *http.Request) {
	file, err := h.opts.Reports.ReportFile(r.Context(), r.PathValue("name"))
	h.sendReport(w, r, file, err)
}

func (h *pages) reportToDate(w http.ResponseWriter, r *http.Request) {
	file, err := h.opts.Reports.ReportToDate(r.Context(), r.PathValue("sla"), r.PathValue("period"))
	h.sendReport(w, r, file, err)
}

func (h *pages) sendReport(w http.ResponseWriter, r *http.Request, file ReportFile, err error) {
	switch {
	case errors.Is(err, ErrNoReport):
		h.render(w, http.StatusNotFound, "error", failure{
			page: h.page("No such report"), Words: "There is no report " + r.URL.Path + ".", Remedy: "The page of reports lists all of them.",
		})
		return
	case err != nil:
		h.opts.Logger.Error("a report could not be read", "path", r.URL.Path, "err", err)
		h.render(w, http.StatusInternalServerError, "error", failure{
			page: h.page("The report could not be read"), Words: "The report could not be read.", Detail: err.Error(),
		})
		return
	}
	header := w.Header()
	header.Set("Content-Type", file.MediaType)
	header.Set("Cache-Control", "no-store")
	if strings.HasPrefix(file.MediaType, "text/html") {
		header.Set("Content-Security-Policy", reportPolicy)
	} else {
		header.Set("Content-Disposition", `attachment; filename="`+file.Name+`"`)
	}
	if _, err := w.Write(file.Bytes); err != nil {
		h.opts.Logger.Debug("a report could not be sent", "path", r.URL.Path, "err", err)
	}
}

// longestReason bounds the reason of a restatement, in bytes.
const longestReason = 2000

func (h *pages) restate(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4*longestReason)
	reason := strings.Join(strings.Fields(r.PostFormValue("reason")), " ")
	if reason == "" || len(reason) > longestReason {
		h.render(w, http.StatusBadRequest, "error", failure{
			page: h.page("A reason is missing"), Words: "The period is not restated: say why, in a few sentences.", Remedy: "The reason stands in the new version, for both sides.",
		})
		return
	}
	err := h.opts.Reports.Restate(r.Context(), r.PostFormValue("file"), reason)
	switch {
	case errors.Is(err, ErrNoReport):
		h.sendReport(w, r, ReportFile{}, err)
	case err != nil:
		h.render(w, http.StatusServiceUnavailable, "error", failure{page: h.page("The period is not restated"), Words: "The period is not restated.", Detail: err.Error()})
	default:
		http.Redirect(w, r, "/reports", http.StatusSeeOther)
	}
}
