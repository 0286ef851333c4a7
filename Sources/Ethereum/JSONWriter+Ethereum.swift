public import JSON

// None of these texts needs escaping: they go straight into the buffer.
extension JSONWriter {
  /// The canonical text of a wallet key as a string.
  public mutating func string(_ key: WalletKey) { string { key.append(to: &$0) } }

  /// The canonical text of a token key as a string.
  public mutating func string(_ key: TokenKey) { string { key.append(to: &$0) } }

  /// `0x…` in lower case as a string.
  public mutating func string(_ address: Address) { string { address.append(to: &$0) } }

  /// The decimal digits as a string: no reader may take them for a float.
  public mutating func string(_ value: UInt256) { string { value.appendDecimal(to: &$0) } }
}
