import ArgumentParser
import Testing
import WalletPushClient

@testable import walletpush

@Suite struct WatchCourseTests {
  private static let refusal = ServerRefusal(code: "chain_unsupported", message: "no\u{7} such chain")

  private func course(_ digits: Int...) throws -> WatchCourse {
    WatchCourse(wallets: try digits.map { try walletKey($0) })
  }

  @Test func itGoesOn() throws {
    var course = try course(1)
    let busy = ServerRefusal(code: "rate_limited", message: "", retry: .seconds(1))
    let changes: [Change] = [
      .wallet(try walletKey()), .row(try walletKey(), try tokenKey()), .status, .connection(.connecting),
      .connection(.waiting(code: 1_006, reason: "", retry: .seconds(1))), .notice(.problem(busy)),
      .notice(.access(.accepted)), .notice(.access(.expired)), .notice(.access(.refused(busy))),
      .notice(.refused(.token(try tokenKey()), Self.refusal)), .notice(.deleted(try walletKey(2))),
    ]
    for change in changes { #expect(course.take(change) == nil, "\(change)") }
  }

  @Test func itEndsAsAsked() throws {
    var course = try course(1)
    #expect(course.take(.connection(.idle)) == .closed)
  }

  @Test func itFailsWhereNoTokenIsGood() throws {
    var course = try course(1)
    #expect(
      course.take(.connection(.ended(code: 4_001, reason: "unauthorized")))
        == .failed("the server ended the connection: 4001 unauthorized"))
    let refusal = ServerRefusal(code: "unauthorized", message: "the token has ended")
    #expect(
      course.take(.notice(.access(.refused(refusal))))
        == .failed("the access token is refused: unauthorized: the token has ended"))
  }

  /// Of several wallets the others are watched on.
  @Test func itFailsWithTheLastWallet() throws {
    var course = try course(1, 2)
    #expect(course.take(.notice(.refused(.wallet(try walletKey(1)), Self.refusal))) == nil)
    #expect(course.take(.notice(.refused(.wallet(try walletKey(1)), Self.refusal))) == nil)
    #expect(
      course.take(.notice(.deleted(try walletKey(2))))
        == .failed("no wallet is left to watch: \(try walletKey(2)) was deleted on the server"))
    course = try self.course(1)
    #expect(
      course.take(.notice(.refused(.wallet(try walletKey(1)), Self.refusal)))
        == .failed(
          "no wallet is left to watch: \(try walletKey(1)) is refused: chain_unsupported: no such chain"))
  }

  @Test(arguments: [
    ["watch"], ["watch", "ETH:0x12"], ["watch", "nonsense"],
    ["watch", "ETH:0x0000000000000000000000000000000000000001", "--url", "http://a/ws"],
  ])
  func wrongUsageIsTold(_ arguments: [String]) async throws {
    do {
      var command = try WalletPush.parseAsRoot(arguments) as? any AsyncParsableCommand
      try await command?.run()
      Issue.record("it was taken")
    } catch {
      #expect(WalletPush.exitCode(for: error) == .validationFailure)
    }
  }
}
