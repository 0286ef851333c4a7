/// The languages that a refresh's `message` comes in; errors are English.
enum Language: Sendable {
  case english
  case chinese

  /// Chinese where `Accept-Language` (RFC 9110 §12.5.4) ranks some `zh` above every `en` and `*`.
  init(acceptLanguage: String?) {
    var chinese = 0.0
    var other = 0.0
    for entry in (acceptLanguage ?? "").split(separator: ",").prefix(32) {
      let parts = entry.split(separator: ";").map(\.trimmingBlanks)
      guard let tag = parts.first?.lowercased() else { continue }
      let quality =
        parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
      if tag == "zh" || tag.hasPrefix("zh-") {
        chinese = max(chinese, quality)
      } else if tag == "en" || tag.hasPrefix("en-") || tag == "*" {
        other = max(other, quality)
      }
    }
    self = chinese > 0 && chinese > other ? .chinese : .english
  }
}
