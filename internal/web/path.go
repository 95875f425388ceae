package web

import "github.com/upheld-sla/upheld/sla"

// LevelPath is the path of a level's page under the handler, for links from elsewhere,
// such as in alerts.
func LevelPath(id sla.ID) string { return levelPath(id) }
