import Synchronization

/// What other threads hand to a loop: a call, or a job of an actor that is bound to it.
enum MailboxMessage {
  case call(@Sendable () -> Void)
  case job(UnownedJob)
  /// The place of one that has run.
  case done
}

/// Many producers, one consumer, no lock.
///
/// Producers push onto a stack by compare-and-swap; the consumer takes the whole stack by one exchange and
/// turns it round, which gives each producer's messages back in order. Only the consumer takes, and takes
/// everything, so the ABA problem does not arise.
///
/// `isSleeping` is the other half: the loop sets it before it looks at the mailbox for the last time and goes
/// to wait; a producer that finds it set clears it and writes the eventfd. So a loop that is awake is never
/// written to, and one that sleeps is written to once. Both sides store first and look second, which needs
/// sequential consistency: otherwise each could miss the other.
final class Mailbox: Sendable {
  private struct Node {
    var next: UnsafeMutablePointer<Node>?
    var message: MailboxMessage
  }

  private let top = Atomic<UInt>(0)
  private let isSleeping = Atomic<Bool>(false)
  /// In place of a node once the loop has ended. No pointer is 1.
  private static let closedMark: UInt = 1

  /// What a producer has to do next.
  enum Outcome { case delivered, wakeLoop, closed }

  func push(_ message: MailboxMessage) -> Outcome {
    let node = UnsafeMutablePointer<Node>.allocate(capacity: 1)
    node.initialize(to: Node(next: nil, message: message))
    var seen = top.load(ordering: .relaxed)
    while true {
      if seen == Self.closedMark {
        node.deinitialize(count: 1)
        node.deallocate()
        return .closed
      }
      node.pointee.next = UnsafeMutablePointer(bitPattern: seen)
      let (exchanged, original) = top.compareExchange(
        expected: seen, desired: UInt(bitPattern: node), ordering: .sequentiallyConsistent)
      if exchanged { break }
      seen = original
    }
    guard isSleeping.load(ordering: .sequentiallyConsistent),
      isSleeping.exchange(false, ordering: .sequentiallyConsistent)
    else { return .delivered }
    return .wakeLoop
  }

  /// Moves all messages, oldest first, to the end of `messages`. Only the loop calls this.
  func take(into messages: inout ContiguousArray<MailboxMessage>) {
    guard top.load(ordering: .relaxed) > Self.closedMark else { return }
    drain(top.exchange(0, ordering: .acquiring), into: &messages)
  }

  /// Like ``take(into:)``; from now on nothing is accepted.
  func close(into messages: inout ContiguousArray<MailboxMessage>) {
    drain(top.exchange(Self.closedMark, ordering: .acquiringAndReleasing), into: &messages)
  }

  /// The loop wants to wait. False when a message has come: then it must not.
  func prepareToSleep() -> Bool {
    isSleeping.store(true, ordering: .sequentiallyConsistent)
    if top.load(ordering: .sequentiallyConsistent) == 0 { return true }
    wokeUp()
    return false
  }

  func wokeUp() { isSleeping.store(false, ordering: .sequentiallyConsistent) }

  private func drain(_ bits: UInt, into messages: inout ContiguousArray<MailboxMessage>) {
    guard bits > Self.closedMark else { return }
    var node = UnsafeMutablePointer<Node>(bitPattern: bits)
    let begin = messages.endIndex
    while let current = node {
      let content = current.move()
      current.deallocate()
      messages.append(content.message)
      node = content.next
    }
    messages[begin...].reverse()
  }

  deinit {
    var rest: ContiguousArray<MailboxMessage> = []
    close(into: &rest)
  }
}
