package enginetest

import "github.com/prometheus/prometheus/storage"

// Storage is what the world stores: raw samples and what the rules recorded.
func (w *World) Storage() storage.Queryable { return w.store }
