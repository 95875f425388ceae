package sla

// Condition is good while a PromQL condition holds for every series that it
// compares, and unknown while there is none.
type Condition struct {
	Expr Query
}

// Kind is "condition".
func (*Condition) Kind() string { return "condition" }

// Aggregations of conditions: by time, or runs of bad minutes.
func (*Condition) Aggregations() []Aggregation { return ofConditions() }

// Queries is the condition.
func (c *Condition) Queries() []Query { return []Query{c.Expr} }

// Words says what must hold.
func (c *Condition) Words() string { return "while " + c.Expr.Text }

func (*Condition) traits() traits { return traits{looked: true, whole: true} }

// Ratio is a bad share that somebody else has calculated, from 0 to 1; several
// series of it are averaged.
type Ratio struct {
	Bad Query
}

// Kind is "ratio".
func (*Ratio) Kind() string { return "ratio" }

// Aggregations of ratios: by time, since nobody knows of how many events, or
// minutes above a threshold.
func (*Ratio) Aggregations() []Aggregation { return ofRatios() }

// Queries is the ratio.
func (r *Ratio) Queries() []Query { return []Query{r.Bad} }

// Words says what is taken over.
func (r *Ratio) Words() string { return "bad share " + r.Bad.Text }

func (*Ratio) traits() traits { return traits{looked: true} }
