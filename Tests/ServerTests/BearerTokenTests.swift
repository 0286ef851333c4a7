import HTTP1
import Testing

@testable import Server

@Suite struct BearerTokenTests {
  @Test(
    arguments: [
      ([:], []), (["Authorization": "Bearer abc"], ["abc"]), (["authorization": "bearer abc"], ["abc"]),
      (["Authorization": "BEARER   abc"], ["abc"]), (["Authorization": "Bearer"], [""]),
      (["Authorization": "Bearer a b"], ["a b"]), (["Authorization": "Bearer=abc"], []),
      (["Authorization": "Bearerabc"], []), (["Authorization": "Basic Bearer abc"], []),
      (["Authorization": "Basic YTpi"], []), (["Authorization": "abc"], []), (["Authorization": ""], []),
      (["Proxy-Authorization": "Bearer abc"], []), (["X-Token": "abc"], []),
      (["Authorization": "Bearer a", "Accept": "*/*", "AUTHORIZATION": "Bearer b"], ["a", "b"]),
      (["Authorization": "Basic YTpi", "authorization": "Bearer b"], ["b"]),
    ] as [(HTTPHeaders, [String])])
  func headers(_ headers: HTTPHeaders, _ tokens: [String]) {
    #expect(BearerToken.all(in: headers) == tokens)
  }

  @Test(
    arguments: [
      ([], []), (["walletpush.v1"], []), (["walletpush.v1", "bearer.a.b.c"], ["a.b.c"]),
      (["bearer."], [""]), (["Bearer.a"], []), (["bearer"], []), (["xbearer.a"], []),
      (["bearer.a", "bearer.b"], ["a", "b"]),
    ] as [([String], [String])])
  func subprotocols(_ offered: [String], _ tokens: [String]) {
    #expect(BearerToken.all(inSubprotocols: offered) == tokens)
  }
}
