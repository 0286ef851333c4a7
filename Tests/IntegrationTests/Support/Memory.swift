import Glibc
import TestSupport

@testable import EventLoop
@testable import Push
@testable import Server

extension Scene {
  /// Bytes that the server's connections hold now: what clients have not taken, and pieces of their messages.
  func heldBytes() async throws -> Int {
    var bytes = 0
    for shard in try server.services.shards {
      bytes += try await shard.loop.perform {
        var bytes = 0
        for connection in shard.loop.connections.all where !connection.isOutgoing {
          bytes += connection.unsentBytes
        }
        for client in shard.clients.all { bytes += (client as? WebSocketClient)?.machine.heldBytes ?? 0 }
        return bytes
      }
    }
    return bytes
  }

  /// What the limits on connections count now.
  var budget: ConnectionBudget { get throws { try server.loops.loops[0].configuration.budget } }

  func untilOpen(_ count: Int) async throws {
    try await eventually("\(count) connections") { try budget.open == count }
  }
}

/// Runs `attack` and expects that the process, which holds the attackers too, does not grow by more than that.
///
/// Under a sanitizer, which keeps what is freed, it only runs, however the sanitizer was asked for.
func expectMemory(below bytes: Int, _ attack: () async throws -> Void) async throws {
  let before = residentBytes()
  try await attack()
  if isSanitized { return }
  let grown = residentBytes() - before
  if grown > bytes { throw NothingCame(description: "memory grew by \(grown) bytes, more than \(bytes)") }
}

private let isSanitized =
  getenv("ASAN_OPTIONS") != nil || getenv("TSAN_OPTIONS") != nil
  || dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil

private func residentBytes() -> Int {
  guard let bytes = try? SmallFile.read("/proc/self/statm", limit: 4_096) else { return 0 }
  let pages = String(decoding: bytes, as: UTF8.self).split(separator: " ").dropFirst().first.flatMap {
    Int($0)
  }
  return (pages ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}
