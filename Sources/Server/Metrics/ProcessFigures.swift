import Glibc

/// What `/proc` says of this process, under the names every Prometheus client library uses.
enum ProcessFigures {
  static func render(to out: inout String) {
    out += "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total \(cpuSeconds)\n"
    if let bytes = residentBytes {
      out += "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes \(bytes)\n"
    }
    if let count = openDescriptors() {
      out += "# TYPE process_open_fds gauge\nprocess_open_fds \(count)\n"
    }
  }

  static var cpuSeconds: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
  }

  static var residentBytes: Int? {
    guard let bytes = try? SmallFile.read("/proc/self/statm", limit: 4_096) else { return nil }
    let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  private static func openDescriptors() -> Int? {
    guard let stream = opendir("/proc/self/fd") else { return nil }
    defer { closedir(stream) }
    var count = 0
    while readdir(stream) != nil { count += 1 }
    // `.`, `..`, and the descriptor of this very look.
    return max(0, count - 3)
  }
}
