package blackbox

import (
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// metric describes one metric of /probe; all are gauges.
type metric struct {
	help   string
	labels []string
}

var revocationLabels = []string{"fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber", "chain_pos", "crl_url"}

var certificateLabels = []string{"fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber"}

// metrics is the table of all metrics of /probe, with the help texts of
// blackbox_exporter. The labels of probe_expect_info are the user's.
var metrics = map[string]metric{
	"probe_success":          {help: "Displays whether or not the probe was a success"},
	"probe_duration_seconds": {help: "Returns how long the probe took to complete in seconds"},
	"probe_timeout_seconds":  {help: "Returns how long the probe timeout is in seconds"},

	"probe_dns_lookup_time_seconds": {help: "Returns the time taken for probe dns lookup in seconds"},
	"probe_ip_protocol":             {help: "Specifies whether probe ip protocol is IP4 or IP6"},
	"probe_ip_addr_hash":            {help: "Specifies the hash of IP address. It's useful to detect if the IP address changes."},

	"probe_failed_due_to_regex": {help: "Indicates if probe failed due to regex"},
	"probe_failed_due_to_bytes": {help: "Indicates if probe failed due to bytes"},
	"probe_failed_due_to_cel":   {help: "Indicates if probe failed due to CEL expression not matching"},
	"probe_expect_info":         {help: "Explicit content matched"},

	"probe_ssl_earliest_cert_expiry":                {help: "Returns last SSL chain expiry in unixtime"},
	"probe_ssl_last_chain_expiry_timestamp_seconds": {help: "Returns last SSL chain expiry in timestamp"},
	"probe_ssl_last_chain_info":                     {help: "Contains SSL leaf certificate information", labels: certificateLabels},
	"probe_tls_version_info":                        {help: "Returns the TLS version used or NaN when unknown", labels: []string{"version"}},
	"probe_tls_cipher_info":                         {help: "Returns the TLS cipher negotiated during handshake", labels: []string{"cipher"}},

	"probe_ssl_crl_revoked":                       {help: "Whether the certificate appears on its CRL (0/1)", labels: revocationLabels},
	"probe_ssl_crl_available":                     {help: "Whether the cert has CRL distribution points and the CRL was fetchable (0/1)", labels: revocationLabels},
	"probe_ssl_crl_stale":                         {help: "Whether the CRL is past its nextUpdate (0/1)", labels: revocationLabels},
	"probe_ssl_crl_next_update_timestamp_seconds": {help: "CRL nextUpdate as a Unix timestamp in seconds", labels: revocationLabels},
	"probe_ssl_crl_fetch_time_seconds":            {help: "Total time spent fetching CRLs in seconds"},

	"probe_http_duration_seconds":                {help: "Duration of http request by phase, summed over all redirects", labels: []string{"phase"}},
	"probe_http_content_length":                  {help: "Length of http content response"},
	"probe_http_uncompressed_body_length":        {help: "Length of uncompressed response body"},
	"probe_http_redirects":                       {help: "The number of redirects"},
	"probe_http_ssl":                             {help: "Indicates if SSL was used for the final redirect"},
	"probe_http_status_code":                     {help: "Response HTTP status code"},
	"probe_http_version":                         {help: "Returns the version of HTTP of the probe response"},
	"probe_http_last_modified_timestamp_seconds": {help: "Returns the Last-Modified HTTP response header in unixtime"},

	"probe_icmp_duration_seconds": {help: "Duration of icmp request by phase", labels: []string{"phase"}},
	"probe_icmp_reply_hop_limit":  {help: "Replied packet hop limit (TTL for ipv4)"},

	"probe_dns_duration_seconds": {help: "Duration of DNS request by phase", labels: []string{"phase"}},
	"probe_dns_answer_rrs":       {help: "Returns number of entries in the answer resource record list"},
	"probe_dns_authority_rrs":    {help: "Returns number of entries in the authority resource record list"},
	"probe_dns_additional_rrs":   {help: "Returns number of entries in the additional resource record list"},
	"probe_dns_query_succeeded":  {help: "Displays whether or not the query was executed successfully"},
	"probe_dns_serial":           {help: "Returns the serial number of the zone"},

	"probe_grpc_duration_seconds":     {help: "Duration of gRPC request by phase", labels: []string{"phase"}},
	"probe_grpc_ssl":                  {help: "Indicates if SSL was used for the connection"},
	"probe_grpc_status_code":          {help: "Response gRPC status code"},
	"probe_grpc_healthcheck_response": {help: "Response HealthCheck response", labels: []string{"serving_status"}},

	"probe_websocket_duration_seconds":    {help: "Duration of websocket request by phase", labels: []string{"phase"}},
	"probe_websocket_status_code":         {help: "Response HTTP status code"},
	"probe_websocket_connection_upgraded": {help: "Indicates if the websocket connection was successfully upgraded"},
	"probe_websocket_failed_due_to_regex": {help: "Indicates if probe failed due to regex"},
}

// MetricNames are the names of all metrics of /probe, sorted.
func MetricNames() []string { return slices.Sorted(maps.Keys(metrics)) }

// sample is one series and its value.
type sample struct {
	labels []label
	value  float64
}

type label struct{ name, value string }

// results are what a probe found: by metric, its series.
type results map[string][]*sample

// set gives the series of a metric with these values of its labels a value.
func (r results) set(name string, value float64, labels ...string) {
	r.find(name, labels).value = value
}

// add adds to the value of a series, which is 0 at first.
func (r results) add(name string, value float64, labels ...string) {
	r.find(name, labels).value += value
}

// info makes the series with these values of its labels, at 1, the only one of
// a metric.
func (r results) info(name string, labels ...string) {
	delete(r, name)
	r.set(name, 1, labels...)
}

func (r results) find(name string, values []string) *sample {
	names := metrics[name].labels
	labels := make([]label, len(names))
	for i, n := range names {
		labels[i] = label{n, strings.ToValidUTF8(values[i], "\uFFFD")}
	}
	return r.series(name, labels)
}

// series is that of a metric with these labels, made if there is none.
func (r results) series(name string, labels []label) *sample {
	for _, s := range r[name] {
		if slices.Equal(s.labels, labels) {
			return s
		}
	}
	s := &sample{labels: labels}
	r[name] = append(r[name], s)
	return s
}

// families are the results in the order of an exposition.
func (r results) families() []*dto.MetricFamily {
	families := make([]*dto.MetricFamily, 0, len(r))
	for _, name := range slices.Sorted(maps.Keys(r)) {
		family := &dto.MetricFamily{Name: proto.String(name), Help: proto.String(metrics[name].help), Type: dto.MetricType_GAUGE.Enum()}
		for _, s := range r[name] {
			m := &dto.Metric{Gauge: &dto.Gauge{Value: proto.Float64(s.value)}}
			for _, l := range s.labels {
				m.Label = append(m.Label, &dto.LabelPair{Name: proto.String(l.name), Value: proto.String(l.value)})
			}
			slices.SortFunc(m.Label, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
			family.Metric = append(family.Metric, m)
		}
		slices.SortFunc(family.Metric, func(a, b *dto.Metric) int {
			return slices.CompareFunc(a.GetLabel(), b.GetLabel(), func(x, y *dto.LabelPair) int { return strings.Compare(x.GetValue(), y.GetValue()) })
		})
		families = append(families, family)
	}
	return families
}
