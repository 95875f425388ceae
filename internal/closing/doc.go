// Package closing judges periods of agreements: it knows which periods are over, which
// revision judges each, reads what was measured, and keeps the reports of closed ones.
//
// How a verdict comes about is decided in package verdict, what samples count in package
// samples. It must not import commands, pages or a storage: they give it a source of
// samples, a folder and the time.
package closing
