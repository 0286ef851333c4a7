/// Times in the one form that HTTP sends: IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
///
/// A server formats once a second and shares the text.
public enum HTTPDate {
  private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
  private static let secondsPerDay: Int64 = 86_400
  /// The last second of the year 9999: the form has four digits for the year.
  private static let latest: Int64 = 253_402_300_799

  /// - Parameter unixSeconds: since 1970-01-01T00:00:00Z; values before it and beyond the year 9999 are
  ///   clamped.
  public static func format(unixSeconds: Int64) -> String {
    let seconds = min(max(unixSeconds, 0), latest)
    let day = seconds / secondsPerDay
    let time = seconds % secondsPerDay
    let date = civil(day)
    let clock = "\(pad(time / 3600)):\(pad(time / 60 % 60)):\(pad(time % 60))"
    let weekday = days[Int((day + 4) % 7)]  // 1970-01-01 was a Thursday.
    return "\(weekday), \(pad(date.day)) \(months[Int(date.month - 1)]) \(pad(date.year, 4)) \(clock) GMT"
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
      let second = number(clock[2], 2), hour < 24, minute < 60, second <= 60, year >= 1970
    else { return nil }
    let dayNumber = Self.dayNumber(year: year, month: Int64(month) + 1, day: day)
    let back = civil(dayNumber)
    guard back.day == day, back.month == Int64(month) + 1 else { return nil }  // 31 Feb and the like
    return dayNumber * secondsPerDay + hour * 3600 + minute * 60 + second
  }

  private static func number(_ text: Substring, _ digits: Int) -> Int64? {
    text.utf8.count == digits ? Grammar.decimal(text.utf8).map(Int64.init) : nil
  }

  private static func pad(_ number: Int64, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(width - digits.count, 0)) + digits
  }

  /// Days from 1970-01-01 to `day`.`month`.`year` in the Gregorian calendar. The year is counted from
  /// March, so that the leap day is its last.
  private static func dayNumber(year: Int64, month: Int64, day: Int64) -> Int64 {
    let marchYear = month > 2 ? year : year - 1
    let marchMonth = month > 2 ? month - 3 : month + 9
    let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
    let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
    return marchYear * 365 + leapDays + dayOfYear - epoch
  }

  /// Days from 1 March of year 0 to 1970-01-01.
  private static let epoch: Int64 = 719_468

  private static func civil(_ dayNumber: Int64) -> (year: Int64, month: Int64, day: Int64) {
    // Late by as many days as there were leap days: up to the year 9999 that is six years at most.
    var year = 1970 + dayNumber / 365
    while Self.dayNumber(year: year, month: 1, day: 1) > dayNumber { year -= 1 }
    var month: Int64 = 12
    while month > 1, Self.dayNumber(year: year, month: month, day: 1) > dayNumber { month -= 1 }
    return (year, month, dayNumber - Self.dayNumber(year: year, month: month, day: 1) + 1)
  }
}
