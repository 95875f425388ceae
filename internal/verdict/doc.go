// Package verdict judges a period of an agreement exactly: from what was measured to
// whether each promise was kept, in exact decimals and without asking any server.
package verdict
