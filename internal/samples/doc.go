// Package samples reads raw samples from servers and files, and makes evidence of them:
// what each level counted and when, for package verdict to judge. It decides nothing
// about what was promised, and must not import the rules: docs/evidence.md says what
// both count.
//
// Times are Unix milliseconds, as in Prometheus, until they leave the package.
package samples
