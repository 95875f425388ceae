package sla

// StatusPage is what anyone may see of an agreement: the texts here, and how its
// levels are and were. Nothing else of the agreement is public.
type StatusPage struct {
	Title       string
	Description string
	Levels      []PublicLevel // in the order of the page; none twice
}

// PublicLevel is a level as customers know it.
type PublicLevel struct {
	Level       ID
	Name        string // unique in the page
	Description string
}

// StatusPageDays is how many days back a status page goes, today included.
const StatusPageDays = 90
