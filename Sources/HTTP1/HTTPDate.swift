/// Times in the one form that HTTP sends: IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
///
/// A server formats once a second and shares the text.
public enum HTTPDate {
  private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
  /// The last second of the year 9999: the form has four digits for the year.
  private static let latest: Int64 = 253_402_300_799

  /// - Parameter unixSeconds: since 1970-01-01T00:00:00Z; values before it and beyond the year 9999 are
  ///   clamped.
  public static func format(unixSeconds: Int64) -> String {
    let time = CivilTime(unixSeconds: min(max(unixSeconds, 0), latest))
    let weekday = days[Int((time.dayNumber + 4) % 7)]  // 1970-01-01 was a Thursday.
    let month = months[Int(time.month - 1)]
    return "\(weekday), \(CivilTime.pad(time.day)) \(month) \(CivilTime.pad(time.year, 4)) \(time.clock) GMT"
  }

  /// Seconds since 1970, or nil if `text` is not an IMF-fixdate from 1970 on. The two obsolete forms are
  /// not read; the day's name must be one, but need not fit the date.
  public static func parse(_ text: String) -> Int64? {
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 6, parts[0].hasSuffix(","), days.contains(String(parts[0].dropLast())),
      parts[5] == "GMT", let day = number(parts[1], 2),
      let month = months.firstIndex(of: String(parts[2])), let year = number(parts[3], 4)
    else { return nil }
    let clock = parts[4].split(separator: ":", omittingEmptySubsequences: false)
    guard clock.count == 3, let hour = number(clock[0], 2), let minute = number(clock[1], 2),
      let second = number(clock[2], 2)
    else { return nil }
    return CivilTime(
      year: year, month: Int64(month) + 1, day: day, hour: hour, minute: minute, second: second)?.unixSeconds
  }

  private static func number(_ text: Substring, _ digits: Int) -> Int64? {
    text.utf8.count == digits ? Grammar.decimal(text.utf8).map(Int64.init) : nil
  }
}
