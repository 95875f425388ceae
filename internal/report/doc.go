// Package report renders verdicts as documents: the service review as HTML, Markdown
// and CSV, and the JSON that is kept, signed and read again. Its functions are pure, from
// reports to bytes. They calculate nothing that decides: what they divide or add up is
// only how long a bar is drawn, or a sum that stands beside its parts.
package report
