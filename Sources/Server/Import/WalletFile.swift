// A list of wallets, as people keep them: one a line, in whichever of the usual forms.
//
//   ETH:0x5065…                      a wallet
//   ETH:0x5065… savings              behind a blank, a tab, a comma or a semicolon: for people, not looked at
//   ETH,0x5065…,savings              chain and address in columns of their own
//   "ETH:0x5065…","savings, mostly"  quoted
//   # a comment                      and blank lines
//   chain,address,label              a first line that holds no wallet names the columns

import Ethereum

/// What a file of wallets holds. It is good as a whole or not at all: a line that can't be read is a fault.
public struct WalletFile: Sendable {
  /// In their order, each once.
  public private(set) var wallets: [WalletKey] = []
  /// Lines whose wallet had come before.
  public private(set) var repeated = 0
  /// What is wrong, `line 7: …`: the first ``faultsTold``.
  public private(set) var faults: [String] = []
  public private(set) var faultCount = 0

  public static let faultsTold = 20

  /// - Parameter bytes: UTF-8, with or without a byte order mark; lines may end in CR LF.
  public init(parsing bytes: [UInt8]) {
    var known: Set<WalletKey> = []
    var mayBeHeader = true
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let text = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
    let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      var fields = Fields(line)
      guard let first = fields.next(), first.first != UInt8(ascii: "#") else { continue }
      let text = Self.key(first, &fields)
      do throws(KeyError) {
        let key = try WalletKey(parsing: text)
        if known.insert(key).inserted { wallets.append(key) } else { repeated += 1 }
      } catch {
        if !mayBeHeader || text.contains(":") || Self.isAddress(first) {
          add("line \(index + 1): \(Excerpt.quoted(text)): \(error)")
        }
      }
      mayBeHeader = false
    }
  }

  private mutating func add(_ fault: String) {
    faultCount += 1
    if faults.count < Self.faultsTold { faults.append(fault) }
  }

  /// The wallet's key, from one field or two.
  private static func key(_ first: ArraySlice<UInt8>, _ fields: inout Fields) -> String {
    let text = String(decoding: first, as: UTF8.self)
    guard !first.contains(UInt8(ascii: ":")), let second = fields.next(), isAddress(second) else {
      return text
    }
    return "\(text):\(String(decoding: second, as: UTF8.self))"
  }

  private static func isAddress(_ field: ArraySlice<UInt8>) -> Bool {
    field.starts(with: Array("0x".utf8)) || field.starts(with: Array("0X".utf8))
  }
}

/// The fields of a line, from the left. What is quoted ends with its quotation mark.
private struct Fields {
  private var rest: ArraySlice<UInt8>

  init(_ line: ArraySlice<UInt8>) { rest = line }

  private static func separates(_ byte: UInt8) -> Bool {
    [9, 13, 32, UInt8(ascii: ","), UInt8(ascii: ";")].contains(byte)
  }

  /// Nil at the end of the line.
  mutating func next() -> ArraySlice<UInt8>? {
    rest = rest.drop(while: Self.separates)
    guard let first = rest.first else { return nil }
    let isQuoted = first == UInt8(ascii: "\"")
    if isQuoted { rest = rest.dropFirst() }
    let field = rest.prefix { isQuoted ? $0 != UInt8(ascii: "\"") : !Self.separates($0) }
    rest = rest[field.endIndex...]
    if isQuoted { rest = rest.dropFirst() }
    return field
  }
}
