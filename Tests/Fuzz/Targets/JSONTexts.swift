// JSON texts (RFC 8259).
//
// Invariant: bytes give a value or a `JSONError` whose offset lies in the text, nothing else. A value that
// was read, written by our writer and read again, is the same to the last byte, in both of our writers. Limits
// hold: no number is longer, nothing is deeper.

import JSON

func fuzzJSON(_ input: FuzzInput) throws {
  var input = input
  let choice = Int(input.choice())
  let limits = JSONLimits(depth: 1 << (choice & 7), numberBytes: 8 << (choice >> 5))
  let value: JSONValue
  do throws(JSONError) {
    value = try JSONParser.parse(input.rest, limits: limits)
  } catch {
    try require((0...input.rest.count).contains(error.offset), "an error at \(error.offset)")
    try require(!error.description.isEmpty && error.description.utf8.count < 200, "\(error.description)")
    return
  }
  try check(value, depth: limits.depth, limits)
  let text = value.encoded()
  let again = try JSONParser.parse(text, limits: limits)
  try requireEqual(again, value, "written again it is something else")
  try requireEqual(again.encoded(), text, "written twice it is something else")
}

private func check(_ value: JSONValue, depth: Int, _ limits: JSONLimits) throws {
  switch value {
  case .null, .bool: break
  case .number(let number):
    try require(number.text.utf8.count <= limits.numberBytes, "a number of \(number.text)")
    try require(JSONNumber(text: number.text) == number, "a number that is none: \(number.text)")
    if let integer = number.int64 { try require(Double(integer) == number.double, number.text) }
    if let integer = number.uint64 { try require(Double(integer) == number.double, number.text) }
  case .string(let text):
    // The writer of the frames' hot path.
    var bytes: [UInt8] = []
    bytes.append(json: text)
    try requireEqual(bytes, value.encoded(), "two writers differ")
  case .array(let elements):
    try require(depth > 0, "deeper than allowed")
    for element in elements { try check(element, depth: depth - 1, limits) }
  case .object(let object):
    try require(depth > 0, "deeper than allowed")
    for member in object {
      try require(object[member.key] == member.value, "a member that is not found")
      try check(member.value, depth: depth - 1, limits)
    }
  }
}
