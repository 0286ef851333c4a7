// URLs of upstream endpoints.
//
// Invariant: a text gives a URL or an `HTTPURLError`, nothing else. A URL that was read, written and read
// again, is the same; its host and target hold nothing that could end a line of a request. What is appended
// lies behind its path.

import Upstream

func fuzzURLs(_ input: FuzzInput) throws {
  let parts = input.rest.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
  let text = String(decoding: parts[0], as: UTF8.self)
  guard let url = try? HTTPURL(text) else { return }
  try check(url)
  guard parts.count > 1, let longer = try? url.appending(String(decoding: parts[1], as: UTF8.self)) else {
    return
  }
  try check(longer)
  try require(longer.origin == url.origin, "\(longer) leads elsewhere than \(url)")
}

private func check(_ url: HTTPURL) throws {
  try requireEqual(try HTTPURL(url.description), url, "written again it is something else")
  try require(url.target.hasPrefix("/"), "a target of \(url.target.shown)")
  try require((url.host + url.target).utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "\(url.description.shown)")
}
