import Testing

@testable import EventLoop

@Suite struct MailboxTests {
  @Test func onlyTheFirstPushWakesASleeper() {
    let mailbox = Mailbox()
    #expect(mailbox.push(.call {}) == .delivered, "awake")
    #expect(!mailbox.prepareToSleep(), "not with a message waiting")
    var messages: ContiguousArray<MailboxMessage> = []
    mailbox.take(into: &messages)
    #expect(mailbox.prepareToSleep())
    #expect(mailbox.push(.call {}) == .wakeLoop)
    #expect(mailbox.push(.call {}) == .delivered)
    mailbox.wokeUp()
    #expect(mailbox.push(.call {}) == .delivered)
    mailbox.take(into: &messages)
    #expect(messages.count == 4)
    #expect(mailbox.prepareToSleep())
    mailbox.wokeUp()
    #expect(mailbox.push(.call {}) == .delivered)
  }

  @Test func aClosedMailboxRefusesAndGivesWhatItHeld() {
    let mailbox = Mailbox()
    _ = mailbox.push(.call {})
    var messages: ContiguousArray<MailboxMessage> = []
    mailbox.close(into: &messages)
    #expect(messages.count == 1)
    #expect(mailbox.push(.call {}) == .closed)
    mailbox.take(into: &messages)
    #expect(messages.count == 1)
  }

  @Test func letsGoOfWhatNobodyTook() {
    final class Witness: Sendable {}
    weak var gone: Witness?
    do {
      let witness = Witness()
      gone = witness
      let mailbox = Mailbox()
      _ = mailbox.push(.call { _ = witness })
    }
    #expect(gone == nil)
  }
}
