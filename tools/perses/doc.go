// Package perses holds the dashboards for Perses to Perses' own types. It is a module of
// its own, because these bring much that the product does not need.
package perses
