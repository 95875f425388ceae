package perses

// document is a dashboard as Perses stores it.
type document struct {
	Kind     string   `json:"kind"`
	Metadata metadata `json:"metadata"`
	Spec     spec     `json:"spec"`
}

type metadata struct {
	Name    string `json:"name"`
	Project string `json:"project"`
}

type spec struct {
	Display         display             `json:"display"`
	Variables       []kinded            `json:"variables,omitempty"`
	Panels          map[string]panel    `json:"panels"`
	Layouts         []kinded            `json:"layouts"`
	Duration        string              `json:"duration"`
	RefreshInterval string              `json:"refreshInterval,omitempty"`
	Links           []map[string]string `json:"links,omitempty"`
}

type display struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// kinded is anything that names the kind of its spec, as plugins do.
type kinded struct {
	Kind string `json:"kind"`
	Spec any    `json:"spec"`
}

type panel struct {
	Kind string    `json:"kind"`
	Spec panelSpec `json:"spec"`
}

type panelSpec struct {
	Display display  `json:"display"`
	Plugin  kinded   `json:"plugin"`
	Queries []kinded `json:"queries,omitempty"`
}

// pluginSpec is the spec of something with a plugin.
type pluginSpec struct {
	Plugin kinded `json:"plugin"`
}

type query struct {
	Query            string `json:"query"`
	SeriesNameFormat string `json:"seriesNameFormat,omitempty"`
	MinStep          string `json:"minStep,omitempty"`
}

type listVariable struct {
	Name           string   `json:"name"`
	Display        display  `json:"display"`
	DefaultValue   []string `json:"defaultValue"`
	AllowAllValue  bool     `json:"allowAllValue"`
	AllowMultiple  bool     `json:"allowMultiple"`
	CustomAllValue string   `json:"customAllValue,omitempty"`
	Sort           string   `json:"sort"`
	Plugin         kinded   `json:"plugin"`
}

type labelValues struct {
	LabelName string   `json:"labelName"`
	Matchers  []string `json:"matchers"`
}

type grid struct {
	Display *gridDisplay `json:"display,omitempty"`
	Items   []gridItem   `json:"items"`
}

type gridDisplay struct {
	Title    string   `json:"title"`
	Collapse collapse `json:"collapse"`
}

type collapse struct {
	Open bool `json:"open"`
}

type gridItem struct {
	X       uint32            `json:"x"`
	Y       uint32            `json:"y"`
	Width   uint32            `json:"width"`
	Height  uint32            `json:"height"`
	Content map[string]string `json:"content"`
}

type format struct {
	Unit          string `json:"unit"`
	DecimalPlaces *int   `json:"decimalPlaces,omitempty"`
}

type thresholds struct {
	DefaultColor string          `json:"defaultColor,omitempty"`
	Steps        []thresholdStep `json:"steps"`
}

type thresholdStep struct {
	Value float64 `json:"value"`
	Color string  `json:"color"`
}

type mapping struct {
	Value  string       `json:"value"`
	Result mappedResult `json:"result"`
}

type mappedResult struct {
	Value string `json:"value"`
	Color string `json:"color,omitempty"`
}

type legend struct {
	Position string `json:"position"`
	Mode     string `json:"mode"`
}

type statChart struct {
	Calculation string      `json:"calculation"`
	Format      format      `json:"format"`
	Thresholds  *thresholds `json:"thresholds,omitempty"`
	Mappings    []kinded    `json:"mappings,omitempty"`
}

type gaugeChart struct {
	Calculation string      `json:"calculation"`
	Format      format      `json:"format"`
	Thresholds  *thresholds `json:"thresholds,omitempty"`
	Max         *float64    `json:"max,omitempty"`
}

type timeSeriesChart struct {
	Legend        legend         `json:"legend"`
	YAxis         yAxis          `json:"yAxis"`
	Thresholds    *thresholds    `json:"thresholds,omitempty"`
	Visual        visual         `json:"visual"`
	QuerySettings []querySetting `json:"querySettings,omitempty"`
}

type yAxis struct {
	Format format   `json:"format"`
	Min    *float64 `json:"min,omitempty"`
	Max    *float64 `json:"max,omitempty"`
}

type visual struct {
	Display     string  `json:"display"`
	LineWidth   float64 `json:"lineWidth"`
	AreaOpacity float64 `json:"areaOpacity"`
	Stack       string  `json:"stack,omitempty"`
}

type querySetting struct {
	QueryIndex int    `json:"queryIndex"`
	ColorMode  string `json:"colorMode"`
	ColorValue string `json:"colorValue"`
}

type statusHistory struct {
	Legend   legend   `json:"legend"`
	Mappings []kinded `json:"mappings,omitempty"`
}

type table struct {
	Density        string          `json:"density"`
	ColumnSettings []columnSetting `json:"columnSettings"`
	Transforms     []kinded        `json:"transforms,omitempty"`
}

type columnSetting struct {
	Name   string  `json:"name"`
	Header string  `json:"header,omitempty"`
	Format *format `json:"format,omitempty"`
	Sort   string  `json:"sort,omitempty"`
	Hide   bool    `json:"hide,omitempty"`
}
