package blackbox

import (
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// metric is one metric of /probe. All are gauges.
type metric struct {
	name, help string
	labels     []string // by name; those of probe_expect_info are the module's
}

var revocationLabels = []string{"fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber", "chain_pos", "crl_url"}

var certificateLabels = []string{"fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber"}

// metrics is the table of all metrics of /probe, with blackbox_exporter's help
// texts.
var metrics = []metric{
	{"probe_success", "Displays whether or not the probe was a success", nil},
	{"probe_duration_seconds", "Returns how long the probe took to complete in seconds", nil},
	{"probe_timeout_seconds", "Returns how long the probe timeout is in seconds", nil},

	{"probe_dns_lookup_time_seconds", "Returns the time taken for probe dns lookup in seconds", nil},
	{"probe_ip_protocol", "Specifies whether probe ip protocol is IP4 or IP6", nil},
	{"probe_ip_addr_hash", "Specifies the hash of IP address. It's useful to detect if the IP address changes.", nil},

	{"probe_failed_due_to_regex", "Indicates if probe failed due to regex", nil},
	{"probe_failed_due_to_bytes", "Indicates if probe failed due to bytes", nil},
	{"probe_failed_due_to_cel", "Indicates if probe failed due to CEL expression not matching", nil},
	{"probe_expect_info", "Explicit content matched", nil},

	{"probe_ssl_earliest_cert_expiry", "Returns last SSL chain expiry in unixtime", nil},
	{"probe_ssl_last_chain_expiry_timestamp_seconds", "Returns last SSL chain expiry in timestamp", nil},
	{"probe_ssl_last_chain_info", "Contains SSL leaf certificate information", certificateLabels},
	{"probe_tls_version_info", "Returns the TLS version used or NaN when unknown", []string{"version"}},
	{"probe_tls_cipher_info", "Returns the TLS cipher negotiated during handshake", []string{"cipher"}},

	{"probe_ssl_crl_revoked", "Whether the certificate appears on its CRL (0/1)", revocationLabels},
	{"probe_ssl_crl_available", "Whether the cert has CRL distribution points and the CRL was fetchable (0/1)", revocationLabels},
	{"probe_ssl_crl_stale", "Whether the CRL is past its nextUpdate (0/1)", revocationLabels},
	{"probe_ssl_crl_next_update_timestamp_seconds", "CRL nextUpdate as a Unix timestamp in seconds", revocationLabels},
	{"probe_ssl_crl_fetch_time_seconds", "Total time spent fetching CRLs in seconds", nil},

	{"probe_http_duration_seconds", "Duration of http request by phase, summed over all redirects", []string{"phase"}},
	{"probe_http_content_length", "Length of http content response", nil},
	{"probe_http_uncompressed_body_length", "Length of uncompressed response body", nil},
	{"probe_http_redirects", "The number of redirects", nil},
	{"probe_http_ssl", "Indicates if SSL was used for the final redirect", nil},
	{"probe_http_status_code", "Response HTTP status code", nil},
	{"probe_http_version", "Returns the version of HTTP of the probe response", nil},
	{"probe_http_last_modified_timestamp_seconds", "Returns the Last-Modified HTTP response header in unixtime", nil},

	{"probe_icmp_duration_seconds", "Duration of icmp request by phase", []string{"phase"}},
	{"probe_icmp_reply_hop_limit", "Replied packet hop limit (TTL for ipv4)", nil},

	{"probe_dns_duration_seconds", "Duration of DNS request by phase", []string{"phase"}},
	{"probe_dns_answer_rrs", "Returns number of entries in the answer resource record list", nil},
	{"probe_dns_authority_rrs", "Returns number of entries in the authority resource record list", nil},
	{"probe_dns_additional_rrs", "Returns number of entries in the additional resource record list", nil},
	{"probe_dns_query_succeeded", "Displays whether or not the query was executed successfully", nil},
	{"probe_dns_serial", "Returns the serial number of the zone", nil},

	{"probe_grpc_duration_seconds", "Duration of gRPC request by phase", []string{"phase"}},
	{"probe_grpc_ssl", "Indicates if SSL was used for the connection", nil},
	{"probe_grpc_status_code", "Response gRPC status code", nil},
	{"probe_grpc_healthcheck_response", "Response HealthCheck response", []string{"serving_status"}},

	{"probe_websocket_duration_seconds", "Duration of websocket request by phase", []string{"phase"}},
	{"probe_websocket_status_code", "Response HTTP status code", nil},
	{"probe_websocket_connection_upgraded", "Indicates if the websocket connection was successfully upgraded", nil},
	{"probe_websocket_failed_due_to_regex", "Indicates if probe failed due to regex", nil},
}

// metricNames are the names of all metrics of /probe.
func metricNames() []string {
	names := make([]string, len(metrics))
	for i, m := range metrics {
		names[i] = m.name
	}
	return names
}

// metricOf is the metric of that name, which must be in the table.
func metricOf(name string) *metric {
	i := slices.IndexFunc(metrics, func(m metric) bool { return m.name == name })
	return &metrics[i]
}

// sample is one series and its value.
type sample struct {
	labels []label
	value  float64
}

type label struct{ name, value string }

// results are the series of a probe, by metric.
type results map[string][]*sample

// set sets the series of a metric with these label values.
func (r results) set(name string, value float64, labels ...string) {
	r.find(name, labels).value = value
}

// add adds to a series, which begins at 0.
func (r results) add(name string, value float64, labels ...string) {
	r.find(name, labels).value += value
}

// info makes the series with these label values the only one of a metric, with the
// value 1.
func (r results) info(name string, labels ...string) {
	delete(r, name)
	r.set(name, 1, labels...)
}

func (r results) find(name string, values []string) *sample {
	names := metricOf(name).labels
	labels := make([]label, len(names))
	for i, n := range names {
		labels[i] = label{n, strings.ToValidUTF8(values[i], "\uFFFD")}
	}
	return r.series(name, labels)
}

// series is the series of a metric with these labels. It makes one if there is none.
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

// families are the results, sorted as in an exposition.
func (r results) families() []*dto.MetricFamily {
	families := make([]*dto.MetricFamily, 0, len(r))
	for _, name := range slices.Sorted(maps.Keys(r)) {
		family := &dto.MetricFamily{Name: proto.String(name), Help: proto.String(metricOf(name).help), Type: dto.MetricType_GAUGE.Enum()}
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
