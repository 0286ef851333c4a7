/// A second of the proleptic Gregorian calendar, UTC. As text it is `2026-11-22 10:21:00`.
public struct CivilTime: Equatable, Sendable, CustomStringConvertible {
  let year: Int64
  /// 1 to 12.
  let month: Int64
  /// 1 to 31.
  let day: Int64
  let hour: Int64
  let minute: Int64
  /// 0 to 59; 60 where a leap second was written.
  let second: Int64

  private static let secondsPerDay: Int64 = 86_400

  /// - Parameter unixSeconds: since 1970-01-01T00:00:00Z, within some millions of years.
  public init(unixSeconds: Int64) {
    let (days, time) = Self.divide(unixSeconds, by: Self.secondsPerDay)
    (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60)
    let (era, dayOfEra) = Self.divide(days + Self.epoch, by: Self.daysPerEra)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// nil for what no calendar has, like the 31st of February, and outside the years 1970 to 9999.
  init?(year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64) {
    guard (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day),
      (0..<24).contains(hour), (0..<60).contains(minute), (0...60).contains(second)
    else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
    (self.hour, self.minute, self.second) = (hour, minute, second)
    let back = CivilTime(unixSeconds: dayNumber * Self.secondsPerDay)
    guard back.month == month, back.day == day else { return nil }
  }

  /// nil for what is not `2026-11-22 10:21:00`, from 1970 on.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 19,
      zip(bytes, "dddd-dd-dd dd:dd:dd".utf8).allSatisfy({ byte, form in
        form == UInt8(ascii: "d") ? Grammar.isDigit(byte) : byte == form
      })
    else { return nil }
    let number: (Range<Int>) -> Int64 = { bytes[$0].reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) } }
    self.init(
      year: number(0..<4), month: number(5..<7), day: number(8..<10),
      hour: number(11..<13), minute: number(14..<16), second: number(17..<19))
  }

  public var description: String {
    let date = "\(Self.pad(year, 4))-\(Self.pad(month))-\(Self.pad(day))"
    return "\(date) \(clock)"
  }

  /// `10:21:00`
  var clock: String { "\(Self.pad(hour)):\(Self.pad(minute)):\(Self.pad(second))" }

  public var unixSeconds: Int64 { dayNumber * Self.secondsPerDay + hour * 3_600 + minute * 60 + second }

  /// Days from 1970-01-01. The year is counted from March, so that the leap day is its last.
  var dayNumber: Int64 {
    let (marchYear, marchMonth) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
    let (era, yearOfEra) = Self.divide(marchYear, by: 400)
    let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
    return era * Self.daysPerEra + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - Self.epoch
  }

  /// Days from 1 March of year 0 to 1970-01-01.
  private static let epoch: Int64 = 719_468
  /// The calendar repeats itself every 400 years.
  private static let daysPerEra: Int64 = 146_097

  /// Rounds down, so that the rest is never negative.
  private static func divide(_ number: Int64, by divisor: Int64) -> (quotient: Int64, rest: Int64) {
    let (quotient, rest) = number.quotientAndRemainder(dividingBy: divisor)
    return rest < 0 ? (quotient - 1, rest + divisor) : (quotient, rest)
  }

  static func pad(_ number: Int64, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(width - digits.count, 0)) + digits
  }
}
