// Short texts that strangers write: token names, quantities, addresses, the keys of wallets and tokens, chain
// codes, prices, URLs of ours apart.
//
// Invariant: a text gives a value or a typed error, nothing else. What was read, written and read again, is
// the same, and written it is canonical: written again nothing changes. A cleaned name is not longer than its
// limit, clean already, and holds nothing that cannot be seen.

import Ethereum
import Ledger

func fuzzTexts(_ input: FuzzInput) throws {
  let bytes = Array(input.rest)
  let text = String(decoding: bytes, as: UTF8.self)
  try checkName(bytes)
  try checkQuantities(text)
  try checkDecimals(text)
  if let address = try? Address(parsing: text) {
    try requireEqual(try Address(parsing: address.lowercase), address, "an address")
    try requireEqual(try Address(parsing: address.checksummed), address, "a checksummed address")
  }
  try checkRoundTrip(text) { try WalletKey(parsing: $0) }
  try checkRoundTrip(text) { try TokenKey(parsing: $0) }
  try checkRoundTrip(text) { try ChainCode(parsing: $0) }
  if let data = try? Hex.decode(text) { try requireEqual(try Hex.decode(Hex.encode(data)), data, "data") }
}

private func checkRoundTrip<Key: Hashable & CustomStringConvertible>(
  _ text: String, _ parse: (String) throws -> Key
) throws {
  guard let key = try? parse(text) else { return }
  try requireEqual(try parse(key.description), key, "written again it is something else")
  try require(key.description.utf8.count <= 80, "a key of \(key.description)")
}

func checkName(_ bytes: [UInt8]) throws {
  for limit in [TokenText.symbolLimit, TokenText.nameLimit] {
    let clean = TokenText.clean(bytes[...], limit: limit)
    try requireClean(clean, limit: limit)
  }
}

func requireClean(_ text: String?, limit: Int) throws {
  guard let text else { return }
  try require(!text.isEmpty && text.unicodeScalars.count <= limit, "not within \(limit): \(text.shown)")
  try require(TokenText.clean(text, limit: limit) == text, "not clean yet: \(text.shown)")
  try require(text.unicodeScalars.first != " " && text.unicodeScalars.last != " ", "blanks: \(text.shown)")
  for scalar in text.unicodeScalars {
    let isHidden = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    let isDirection = (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
    try require(!isHidden && !isDirection, "not to be shown: \(text.shown)")
  }
}

private func checkQuantities(_ text: String) throws {
  if let value = try? UInt256(decimal: text) { try requireEqual(value.decimal, text, "a decimal") }
  if let value = try? UInt256(quantity: text) {
    try requireEqual(value.quantity, text.lowercased(), "a quantity")
    try requireEqual(try UInt256(decimal: value.decimal), value, "a quantity as a decimal")
  }
  if let value = try? Bytes32(parsing: text) {
    try requireEqual(try Bytes32(parsing: value.description), value, "32 bytes")
  }
}

private func checkDecimals(_ text: String) throws {
  guard let number = ExactDecimal(parsing: text) else { return }
  let plain = number.plainText
  guard let again = ExactDecimal(parsing: plain) else {
    throw Violation(description: "\(plain.prefix(200)) does not read itself")
  }
  try requireEqual(again, number, "a number")
  try requireEqual(again.plainText, plain, "its text")
  if let rounded = number.roundedToHundredths() { _ = rounded.description }
}
