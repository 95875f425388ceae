// Package closing judges periods of agreements. It knows which periods are over and
// which revision judges each, reads the measurements, and keeps the reports of closed
// periods.
//
// Package verdict decides the verdicts, and package samples which samples count. It
// must not import commands, pages or a storage: they pass it a source of samples, a
// folder and the time.
package closing
