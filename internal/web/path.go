package web

import "github.com/upheld-sla/upheld/sla"

// LevelPath is where, under the handler, the page of a level is: for links from
// elsewhere, such as those of alerts.
func LevelPath(id sla.ID) string { return levelPath(id) }
