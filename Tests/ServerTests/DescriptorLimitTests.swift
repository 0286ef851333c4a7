import Glibc
import Testing

@testable import Server

@Suite struct DescriptorLimitTests {
  private func limits() -> rlimit {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return limit
  }

  @Test func raisedAsFarAsNeeded() {
    let before = limits()
    #expect(DescriptorLimit.raise(for: 1) == nil)
    #expect(limits().rlim_cur == max(before.rlim_cur, rlim_t(1 + DescriptorLimit.reserve)))
    #expect(limits().rlim_max == before.rlim_max)
  }

  @Test func whatTheSystemDoesNotAllowIsSaid() throws {
    let hard = limits().rlim_max
    let connections = 100_000_000
    let warning = DescriptorLimit.raise(for: connections)
    #expect((warning == nil) == (hard >= rlim_t(connections)))
    if let warning { #expect(warning.contains("limits.connections") && warning.contains("\(hard)")) }
    #expect(limits().rlim_cur <= hard)
  }
}
