package sla

// Condition is good while a PromQL condition holds for every series that it compares,
// and unknown while there are none.
type Condition struct {
	Expr Query
}

// Kind is "condition".
func (*Condition) Kind() string { return "condition" }

// Aggregations are by time and over runs of bad minutes.
func (*Condition) Aggregations() []Aggregation { return ofConditions() }

// Queries is the condition.
func (c *Condition) Queries() []Query { return []Query{c.Expr} }

// Words shows the condition.
func (c *Condition) Words() string { return "while " + c.Expr.Text }

func (*Condition) traits() traits { return traits{looked: true, whole: true} }

// Ratio is a bad share from 0 to 1 that is calculated elsewhere. Several series are
// averaged.
type Ratio struct {
	Bad Query
}

// Kind is "ratio".
func (*Ratio) Kind() string { return "ratio" }

// Aggregations are by time, since the number of events is not known, and over minutes
// above a threshold.
func (*Ratio) Aggregations() []Aggregation { return ofRatios() }

// Queries is the ratio.
func (r *Ratio) Queries() []Query { return []Query{r.Bad} }

// Words shows the expression.
func (r *Ratio) Words() string { return "bad share " + r.Bad.Text }

func (*Ratio) traits() traits { return traits{looked: true} }
