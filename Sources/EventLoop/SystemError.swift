import CLinux
import Glibc

/// A system call that failed: which one, and the `errno` it left.
///
/// Always about this machine or its kernel; what a peer did wrong arrives as a ``CloseReason``.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The calls an event loop makes.
  public enum Call: UInt8, Sendable {
    case epollCreate, epollControl, epollWait, eventfd, signalfd, threadCreate
    case socket, bind, listen, accept, connect, receive, send, socketOption, socketName, shutdown
    case open, getaddrinfo
  }

  public let call: Call
  /// As in errno.h.
  public let code: Int32

  public init(_ call: Call, code: Int32) {
    self.call = call
    self.code = code
  }

  /// Takes the calling thread's `errno`: make it the first thing after the call.
  static func last(_ call: Call) -> SystemError { SystemError(call, code: errno) }

  /// For example `connect: Connection refused (111)`.
  public var description: String {
    "\(call): \(strerror(code).map { String(cString: $0) } ?? "unknown error") (\(code))"
  }
}

/// The calls on the way of every byte, as values, so that a test can make the N-th one fail.
struct SystemCalls: Sendable {
  typealias Accept =
    @Sendable (_ descriptor: Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
  var accept: Accept
  var receive: @Sendable (_ descriptor: Int32, UnsafeMutableRawPointer, Int) -> Int
  var send: @Sendable (_ descriptor: Int32, UnsafeRawPointer, Int) -> Int
  var sendMany: @Sendable (_ descriptor: Int32, UnsafeMutablePointer<iovec>, Int) -> Int

  static let kernel = SystemCalls(
    accept: { clinux_accept($0, $1, $2) },
    receive: { recv($0, $1, $2, Int32(MSG_DONTWAIT)) },
    send: { clinux_send($0, $1, $2) },
    sendMany: { descriptor, vectors, count in
      // writev(2) has no flags, and a SIGPIPE is not ours to raise in a program that embeds a loop.
      var message = msghdr()
      message.msg_iov = vectors
      message.msg_iovlen = count
      return sendmsg(descriptor, &message, sendFlags)
    })

  private static let sendFlags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
}
