import Metrics

/// What the database reports.
struct StorageMetrics: Sendable {
  /// Rows the writer wrote, of all tables.
  let rowsWritten = Counter(label: "walletpush_storage_rows_written_total")
  /// The writer's transactions that failed; each is tried again.
  let failures = Counter(label: "walletpush_storage_write_failures_total")
  /// How long the writer's transactions took, waiting for the queue included.
  let transactionDuration = Timer(label: "walletpush_storage_transaction_seconds")
  /// Stored values that made no sense at a start.
  let valuesRejected = Counter(label: "walletpush_storage_values_rejected_total")
}
