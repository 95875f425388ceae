// Package report renders verdicts as documents: the service review as HTML, Markdown
// and CSV, and the JSON that is kept, signed and read again. Its functions are pure,
// from reports to bytes. They compute nothing that decides, only lengths of bars and
// sums that are shown beside their parts.
package report
