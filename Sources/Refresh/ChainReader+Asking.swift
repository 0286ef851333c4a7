import Ethereum
import JSON
import Ledger

extension ChainReader {
  /// One question that concerns no wallet in particular: asks one endpoint after the other until one has a result.
  ///
  /// - Throws: what the last of them said.
  func ask(_ request: JSONRPC.Request) async throws(RefreshError) -> JSONValue {
    var last = RefreshError.noEndpoint(settings.chain.code)
    for index in order() {
      do {
        return try await send(request, to: settings.endpoints[index])
      } catch {
        callFailures.increment()
        if error.isOurs { throw error }
        last = error
      }
    }
    throw last
  }

  /// Those of the tokens that use up all gas they are given.
  func burners(among tokens: [TokenID]) -> [TokenID] { tokens.filter { bad.isBurner($0) } }
}
