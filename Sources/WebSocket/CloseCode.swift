/// Why a WebSocket connection ends: the two bytes at the head of a Close frame (RFC 6455 §7.4).
///
/// | range | meaning | in a Close frame |
/// |---|---|---|
/// | 0–999 | unused (§7.4.2) | refused |
/// | 1000–1003, 1007–1014 | RFC 6455 §7.4.1 and the IANA registry | accepted |
/// | 1004 | reserved, without a meaning | refused |
/// | 1005, 1006, 1015 | what an API says when there was no Close frame; never sent | refused |
/// | 1016–2999 | for later revisions of the protocol | refused |
/// | 3000–3999 | registered with IANA by libraries and frameworks | accepted |
/// | 4000–4999 | private: WalletPush's own, below | accepted |
///
/// WalletPush's own codes tell a client what to do next: after **4000–4099** do not come back unchanged
/// (the same request would fail the same way), after **4100–4199** come back.
public struct CloseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt16

  public init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  // RFC 6455 §7.4.1 and the IANA registry "WebSocket Close Code Number"

  public static let normal = CloseCode(rawValue: 1000)
  public static let goingAway = CloseCode(rawValue: 1001)
  public static let protocolError = CloseCode(rawValue: 1002)
  /// A kind of message this end does not take, such as binary where text is spoken.
  public static let unsupportedData = CloseCode(rawValue: 1003)
  /// Text that is not UTF-8, or data that contradicts its type.
  public static let invalidPayload = CloseCode(rawValue: 1007)
  public static let policyViolation = CloseCode(rawValue: 1008)
  public static let messageTooBig = CloseCode(rawValue: 1009)
  /// From a client: the server left out an extension it needs.
  public static let mandatoryExtension = CloseCode(rawValue: 1010)
  public static let internalError = CloseCode(rawValue: 1011)
  public static let serviceRestart = CloseCode(rawValue: 1012)
  public static let tryAgainLater = CloseCode(rawValue: 1013)
  public static let badGateway = CloseCode(rawValue: 1014)

  // 4000–4099: do not come back unchanged

  public static let unauthorized = CloseCode(rawValue: 4001)
  public static let forbidden = CloseCode(rawValue: 4002)
  public static let abuse = CloseCode(rawValue: 4003)

  // 4100–4199: come back

  /// The server is being drained; another one, or the next one, will answer.
  public static let drain = CloseCode(rawValue: 4100)
  public static let tokenExpired = CloseCode(rawValue: 4101)
  /// The client took nothing for too long.
  public static let slow = CloseCode(rawValue: 4108)
  /// A ping stayed unanswered.
  public static let noPong = CloseCode(rawValue: 4109)
  public static let tooManyConnections = CloseCode(rawValue: 4111)

  /// Whether the code may stand in a Close frame (RFC 6455 §7.4, IANA registry).
  public var mayBeSent: Bool {
    switch rawValue {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }

  public var description: String { String(rawValue) }
}
