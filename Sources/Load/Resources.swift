import EventLoop
import Glibc

/// What the machine lets one process have.
enum Resources {
  /// Beside the connections: the loops, the standard streams, witnesses of slow clients.
  static let descriptorReserve = 256

  /// Raises the limit on open descriptors as far as it may go.
  ///
  /// - Throws: `.tooFewDescriptors` when that is too little.
  static func raiseDescriptors(for connections: Int) throws(LoadOptionError) {
    let wanted = connections + descriptorReserve
    guard let allowed = EventLoopGroup.raiseDescriptorLimit(to: .max), allowed < UInt64(wanted) else {
      return
    }
    throw .tooFewDescriptors(wanted: wanted, allowed: Int(clamping: allowed))
  }

  /// How many connections one address can have to one port of another: net.ipv4.ip_local_port_range, which is 28,232
  /// ports where nobody changed it.
  static var portsPerSource: Int {
    let descriptor = open("/proc/sys/net/ipv4/ip_local_port_range", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return portsByDefault }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = read(descriptor, &bytes, bytes.count)
    return ports(in: String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)) ?? portsByDefault
  }

  static let portsByDefault = 28_232

  /// `32768	60999`
  static func ports(in text: String) -> Int? {
    let ends = text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    guard ends.count == 2, ends[0] <= ends[1] else { return nil }
    return ends[1] - ends[0] + 1
  }

  static func checkPorts(for plan: LoadPlan) throws(LoadOptionError) {
    let sources = max(1, plan.sources.addresses.count)
    let perSource = portsPerSource
    guard plan.connections > perSource * sources else { return }
    throw .tooFewPorts(connections: plan.connections, perSource: perSource, sources: sources)
  }

  /// The CPU time of this process so far, of all its threads.
  static var cpuTime: Duration {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let times = [usage.ru_utime, usage.ru_stime]
    return times.reduce(.zero) { $0 + .seconds($1.tv_sec) + .microseconds($1.tv_usec) }
  }
}
