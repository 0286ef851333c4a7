import HTTP1
import Testing

@Suite struct CivilTimeTests {
  // As `date -u -d @SECONDS '+%F %T'` has them.
  @Test(
    arguments: [
      (0, "1970-01-01 00:00:00"), (-1, "1969-12-31 23:59:59"), (-86_400, "1969-12-31 00:00:00"),
      (-86_401, "1969-12-30 23:59:59"), (951_782_399, "2000-02-28 23:59:59"),
      (951_782_400, "2000-02-29 00:00:00"),
      (951_868_800, "2000-03-01 00:00:00"), (1_078_012_800, "2004-02-29 00:00:00"),
      (1_709_164_799, "2024-02-28 23:59:59"), (1_709_251_199, "2024-02-29 23:59:59"),
      (1_735_689_599, "2024-12-31 23:59:59"), (1_735_689_600, "2025-01-01 00:00:00"),
      (1_795_342_860, "2026-11-22 10:21:00"), (4_107_542_399, "2100-02-28 23:59:59"),
      (4_107_542_400, "2100-03-01 00:00:00"), (253_402_300_799, "9999-12-31 23:59:59"),
      (-2_203_891_200, "1900-03-01 00:00:00"), (-11_676_096_000, "1600-01-01 00:00:00"),
    ] as [(Int64, String)])
  func knownDates(_ seconds: Int64, _ text: String) {
    #expect(CivilTime(unixSeconds: seconds).description == text)
    #expect(CivilTime(unixSeconds: seconds).unixSeconds == seconds)
  }

  /// Day for day against a calendar that is counted up.
  @Test func everyDayOfFourCenturies() {
    var (year, month, day) = (1970, 1, 1)
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    var wrong: [String] = []
    for number in 0..<146_097 {
      let pad: (Int) -> String = { $0 < 10 ? "0\($0)" : "\($0)" }
      let time = CivilTime(unixSeconds: Int64(number) * 86_400)
      if time.description != "\(year)-\(pad(month))-\(pad(day)) 00:00:00"
        || CivilTime(time.description) != time
      {
        wrong.append(time.description)
      }
      day += 1
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      if day > lengths[month - 1] + (month == 2 && isLeap ? 1 : 0) {
        day = 1
        month += 1
        if month > 12 { (year, month) = (year + 1, 1) }
      }
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(3))")
  }

  @Test(
    arguments: [
      ("1970-01-01 00:00:00", 0), ("2000-02-29 23:59:59", 951_868_799),
      ("2026-11-22 10:21:00", 1_795_342_860),
      ("9999-12-31 23:59:60", 253_402_300_800), ("2024-03-01 00:00:00", 1_709_251_200),
      ("1969-12-31 23:59:59", nil), ("2026-13-01 00:00:00", nil), ("2026-00-01 00:00:00", nil),
      ("2026-01-32 00:00:00", nil), ("2026-01-00 00:00:00", nil), ("2026-02-29 00:00:00", nil),
      ("2026-01-01 24:00:00", nil),
      ("2026-01-01T00:00:00", nil), ("2026-01-01 00:00", nil), ("", nil), ("+026-01-01 00:00:00", nil),
      ("２０26-01-01 00:00:0", nil),
    ] as [(String, Int64?)]) func read(_ text: String, _ expected: Int64?)
  {
    #expect(CivilTime(text)?.unixSeconds == expected)
  }
}
