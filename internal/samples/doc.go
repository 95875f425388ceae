// Package samples reads raw samples from servers and files, and makes evidence of them.
package samples
