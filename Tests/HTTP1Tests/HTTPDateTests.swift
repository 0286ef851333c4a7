import HTTP1
import Testing

@Suite struct HTTPDateTests {
  @Test(
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"),
      (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"), (1_763_850_000, "Sat, 22 Nov 2025 22:20:00 GMT"),
      (1_704_067_199, "Sun, 31 Dec 2023 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
      (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] as [(Int64, String)])
  func bothWays(_ seconds: Int64, _ text: String) {
    #expect(HTTPDate.format(unixSeconds: seconds) == text)
    #expect(HTTPDate.parse(text) == seconds)
  }

  @Test func clamped() {
    #expect(HTTPDate.format(unixSeconds: .min) == "Thu, 01 Jan 1970 00:00:00 GMT")
    #expect(HTTPDate.format(unixSeconds: .max) == "Fri, 31 Dec 9999 23:59:59 GMT")
  }

  /// The calendar's whole cycle of 400 years, day by day around the leap days and in steps elsewhere.
  @Test func manyDays() {
    let days = Array(0..<1_500 as Range<Int64>) + Array(stride(from: 1_500, to: 146_097, by: 11))
    for day in days {
      let seconds = day * 86_400 + day % 86_400
      #expect(HTTPDate.parse(HTTPDate.format(unixSeconds: seconds)) == seconds)
    }
  }

  @Test(arguments: [
    "", "Sun, 06 Nov 1994 08:49:37", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Xxx, 06 Nov 1994 08:49:37 GMT",
    "Sun, 30 Feb 1994 08:49:37 GMT", "Sun, 29 Feb 1900 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 1994  08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, +6 Nov 1994 08:49:37 GMT",
  ])
  func refused(_ text: String) {
    #expect(HTTPDate.parse(text) == nil)
  }

  @Test(arguments: [
    (101, "Switching Protocols"), (200, "OK"), (431, "Request Header Fields Too Large"),
    (505, "HTTP Version Not Supported"), (299, ""), (599, ""), (-1, ""),
  ])
  func reasons(_ status: Int, _ reason: String) {
    #expect(HTTPStatus.reason(status) == reason)
  }
}
