// The fuzzers are one program: `FUZZ_TARGET` names the target, the arguments are libFuzzer's. One program
// costs one link, and what belongs to other targets is not reached and so not in the way.

import Glibc

/// libFuzzer's loop, which takes its options off the arguments.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ argumentCount: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The program's `main`, by the name that SwiftPM gives it.
@_cdecl("fuzz_main")
public func fuzzMain(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
  var count = count
  var arguments = arguments
  _ = chosen
  return runDriver(&count, &arguments, testOneInput)
}

private func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: bytes, count: count))
  do {
    try chosen.run(FuzzInput(input))
  } catch {
    // libFuzzer takes an abort for a find, keeps the input and says where it is.
    say("\(chosen.name): \(error)\n")
    abort()
  }
  return 0
}

private let chosen: FuzzTarget = {
  let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = FuzzTarget.named(name) else {
    let names = FuzzTarget.all.map(\.name).joined(separator: ", ")
    say("FUZZ_TARGET names one of \(names)\n")
    exit(2)
  }
  return target
}()

/// To standard error, at once.
private func say(_ text: String) {
  var text = text
  text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
