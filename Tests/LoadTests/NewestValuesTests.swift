import Testing

@testable import Load

@Suite struct NewestValuesTests {
  private func values(_ messages: [String], isPaced: Bool = false) -> NewestValues {
    var values = NewestValues(isPaced: isPaced)
    for message in messages { Array(message.utf8).withUnsafeBytes { values.take($0) } }
    return values
  }

  private static func snapshot(_ revision: Int, _ row: Int) -> String {
    #"{"type":"snapshot","wallet":"W","epoch":"e","rev":\#(revision),"part":1,"parts":1,"state":"fresh","tokens":[{"token":"T","rev":\#(row)},{"token":"U","rev":2}]}"#
  }
  private static func heartbeat(_ revision: Int) -> String {
    #"{"type":"heartbeat","epoch":"e","rev":\#(revision)}"#
  }
  private static func price(_ token: String, _ revision: Int) -> String {
    #"{"type":"price","token":"\#(token)","rev":\#(revision)}"#
  }
  private static func balance(_ revision: Int) -> String {
    #"{"type":"balance","wallet":"W","token":"T","rev":\#(revision)}"#
  }
  private static let begun = [snapshot(5, 4), heartbeat(5)]
  private static let lag = #"{"type":"lag","rev":5}"#

  /// What the slow one was told beside its beginning, against a witness whose row of T is of revision 20.
  static let cases: [([String], Bool, NewestValues.Verdict)] = [
    ([], false, .behind),
    ([price("T", 20)], false, .newest),
    ([balance(20)], false, .newest),
    ([price("T", 25)], false, .newest),
    ([snapshot(20, 20)], false, .newest),
    ([price("T", 19)], false, .behind),
    ([#"{"type":"batch","frames":[\#(price("U", 8)),\#(price("T", 20))]}"#], false, .newest),
    // Told that everything is there.
    ([price("T", 19), heartbeat(20)], false, .missing(["W T"])),
    ([heartbeat(19)], false, .behind),
    // A live client misses nothing below what it gets; one that is conflated for may.
    ([price("U", 21)], false, .missing(["W T"])),
    ([lag, price("U", 21)], false, .behind),
    ([lag, price("U", 21), heartbeat(22)], false, .missing(["W T"])),
    ([lag, price("U", 21), price("T", 30), heartbeat(30)], false, .newest),
    ([price("U", 21)], true, .behind),
    ([price("U", 21), heartbeat(21)], true, .missing(["W T"])),
  ]

  @Test(arguments: cases) func aWitnessJudges(
    _ messages: [String], _ isPaced: Bool, _ verdict: NewestValues.Verdict
  ) {
    let witness = values([Self.snapshot(20, 20), Self.heartbeat(20)], isPaced: true)
    #expect(witness.isComplete)
    #expect(values(Self.begun + messages, isPaced: isPaced).compare(to: witness) == verdict)
  }

  @Test func tokensAreJudgedByTheirPrices() {
    let witness = values([Self.price("T", 20), Self.price("U", 3), Self.heartbeat(20)])
    #expect(
      values([Self.price("T", 20), Self.price("U", 3), Self.heartbeat(20)]).compare(to: witness) == .newest)
    #expect(
      values([Self.price("T", 7), Self.price("U", 3), Self.heartbeat(20)]).compare(to: witness)
        == .missing(["T"]))
  }

  @Test func lagsAreCounted() { #expect(values([Self.lag, Self.heartbeat(9), Self.lag]).lags == 2) }
}
