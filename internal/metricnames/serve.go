package metricnames

// Metrics of upheld serve.
const (
	ServeReloadOK       = "upheld_config_last_reload_successful"                // gauge: 1 if the last load of the specification succeeded, else 0
	ServeReloadTime     = "upheld_config_last_reload_success_timestamp_seconds" // gauge: when a load last succeeded
	ServeWriteOK        = "upheld_storage_last_write_successful"                // gauge: 1 if the last samples could be stored, else 0
	ServeReportsFailing = "upheld_reports_failing"                              // gauge: closed periods without a report because making it failed; it is tried again
)
