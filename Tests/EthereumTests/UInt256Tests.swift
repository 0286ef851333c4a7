import Ethereum
import Testing

private let maximum = "115792089237316195423570985008687907853269984665640564039457584007913129639935"

/// Computed with Python's integers.
struct Arithmetic: Sendable {
  let x, y, high, low: String
  let divisor: UInt64
  let quotient: String
  let remainder: UInt64
}

private let arithmetic = [
  Arithmetic(
    x: "1318646054361378463367548629681450728334325506519392066162148", y: "6745769884264228881", high: "76",
    low: "95084059478807210098584109343424705912852763147291617383754224991736477961252",
    divisor: 1_069_891_289_537_943_645, quotient: "1232504710764460095327726543947780512978645",
    remainder: 39_184_284_967_701_123),
  Arithmetic(
    x: "691672907343361484", y: "30868039493881670288703672103824348315", high: "0",
    low: "21350586620722839451393017376354994106235132017771299460", divisor: 7_830_996_856_503_103_183,
    quotient: "0", remainder: 691_672_907_343_361_484),
  Arithmetic(
    x: "67506429243987412016211740941819660089200208167337702961925118818889994376367",
    y: "64457391606651164041073100483542547371695752301342877567008949365534791369935",
    high: "37578459585683853046087170580622490019866452929602899279997648263287706429080",
    low: "38506786872022125336679024434544929644924737286598390292118082835661198587265",
    divisor: 2_456_641_775_679_608_523,
    quotient: "27479150567368474830168448049665769959059099531026975986327",
    remainder: 1_145_985_240_833_711_346),
  Arithmetic(
    x: "899561919963409139429520341844872906514958740311074516283970", y: "1901042282212365707", high: "14",
    low: "89015995996150034114064534729778234322158164615036710718109052289084486857686",
    divisor: 10_536_861_175_493_410_705, quotient: "85372854874049838558137093876703400672696",
    remainder: 3_967_331_462_108_673_290),
  Arithmetic(
    x: "35838207154197716131293245670330968879400714492917109742001112068460845036035",
    y: "67803431227447592222878936677910174583762294828815882467131653211690896786724",
    high: "20985487265148736853671025846601602350482852982716244657360680185576887993583",
    low: "87052673965389458487417841478170575756677893587756598475860577086441221068652",
    divisor: 8_359_776_232_105_486_215,
    quotient: "4286981631943937260301174606433452226178430916665500425318",
    remainder: 3_780_565_737_159_044_665),
  Arithmetic(
    x: "394075377511026181180276286781986723894066793466286418266029",
    y: "51971449102988854651998367626262753078858834804261751061446015722024403300015",
    high: "176874504639779245892599675256299905166857354831494473941474",
    low: "27081225294196079325944377956327167028622037163082891954046411533793412584771",
    divisor: 11_233_311_162_323_323_401, quotient: "35080963379057841217325201463504439834894",
    remainder: 4_153_313_440_611_711_535),
]

@Suite struct UInt256Tests {
  @Test(arguments: [
    "0", "1", "9", "10", "18446744073709551615", "18446744073709551616", "9999999999999999999",
    "10000000000000000000", "10000000000000000001", "100000000000000000000000000000000000000",
    "340282366920938463463374607431768211455", "340282366920938463463374607431768211456",
    "100000000000000000000000000000000000000000000000000000000000000000000000000000", maximum,
  ])
  func decimalTextBothWays(text: String) throws {
    let value = try UInt256(decimal: text)
    #expect(value.decimal == text)
    #expect(value.description == text)
    var bytes: [UInt8] = []
    value.appendDecimal(to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == text)
    #expect(try UInt256(quantity: value.quantity) == value)
    #expect(UInt256(bigEndian: value.bigEndianBytes.span) == value)
  }

  @Test(
    arguments: [
      ("", .empty), ("00", .leadingZero), ("01", .leadingZero), ("-1", .invalidDigit(offset: 0)),
      ("1.5", .invalidDigit(offset: 1)), ("1 ", .invalidDigit(offset: 1)), ("0x1", .leadingZero),
      ("١", .invalidDigit(offset: 0)), ("10000000000000000000a", .invalidDigit(offset: 20)),
      ("115792089237316195423570985008687907853269984665640564039457584007913129639936", .overflow),
      ("200000000000000000000000000000000000000000000000000000000000000000000000000000", .overflow),
      (String(repeating: "9", count: 200), .overflow),
    ] as [(String, QuantityError)])
  func whatIsNoDecimal(text: String, error: QuantityError) {
    #expect(throws: error) { try UInt256(decimal: text) }
  }

  @Test(arguments: [
    ("0x0", UInt256.zero), ("0x1b4", 436), ("0xABCDEF", 0xABCDEF), ("0xffffffffffffffff", UInt256(.max)),
    ("0x10000000000000000", UInt256(0, 0, 1, 0)),
    ("0x" + String(repeating: "f", count: 64), UInt256.max),
  ])
  func quantities(text: String, value: UInt256) throws {
    #expect(try UInt256(quantity: text) == value)
    #expect(value.quantity == text.lowercased())
    guard text.utf8.count < 66 else { return }
    #expect(throws: QuantityError.self) { try UInt256(quantity: "0x0" + text.dropFirst(2)) }
    #expect(try UInt256(quantity: "0x0" + text.dropFirst(2), leadingZeros: true) == value)
  }

  @Test(
    arguments: [
      ("", .missingPrefix), ("1", .missingPrefix), ("0x", .empty), ("0x00", .leadingZero),
      ("0x0400", .leadingZero),
      ("0xg", .invalidDigit(offset: 2)), ("0x1 ", .invalidDigit(offset: 3)),
      ("0x1" + String(repeating: "0", count: 64), .overflow),
    ] as [(String, QuantityError)])
  func whatIsNoQuantity(text: String, error: QuantityError) {
    #expect(throws: error) { try UInt256(quantity: text) }
  }

  @Test(arguments: arithmetic) func multiplicationAndDivision(_ sample: Arithmetic) throws {
    let x = try UInt256(decimal: sample.x)
    let y = try UInt256(decimal: sample.y)
    for product in [x.multipliedFullWidth(by: y), y.multipliedFullWidth(by: x)] {
      #expect(product.high.decimal == sample.high)
      #expect(product.low.decimal == sample.low)
    }
    if let small = y.uint64 {
      let product = x.multipliedFullWidth(by: small)
      #expect(String(product.high) == sample.high)
      #expect(product.low.decimal == sample.low)
    }
    let (quotient, remainder) = x.quotientAndRemainder(dividingBy: sample.divisor)
    #expect(quotient.decimal == sample.quotient)
    #expect(remainder == sample.remainder)
    // x = quotient · divisor + remainder, and sums and differences undo each other.
    let back = quotient.multipliedFullWidth(by: sample.divisor).low.addingReportingOverflow(
      UInt256(remainder))
    #expect(back.partialValue == x && !back.overflow)
    let sum = x.addingReportingOverflow(y)
    #expect(sum.overflow == (sum.partialValue < x))
    let difference = sum.partialValue.subtractingReportingOverflow(y)
    #expect(difference.partialValue == x && difference.overflow == sum.overflow)
  }

  @Test func theEnds() {
    #expect(UInt256.max.addingReportingOverflow(1).partialValue == .zero)
    #expect(UInt256.max.addingReportingOverflow(1).overflow)
    #expect(UInt256.zero.subtractingReportingOverflow(1).partialValue == .max)
    #expect(UInt256.zero.subtractingReportingOverflow(1).overflow)
    let square = UInt256.max.multipliedFullWidth(by: UInt256.max)
    #expect(square.high == UInt256(.max, .max, .max, .max - 1))
    #expect(square.low == 1)
    let most = UInt256.max.multipliedFullWidth(by: UInt64.max)
    #expect(most.high == UInt64.max - 1)
    #expect(most.low == UInt256(.max, .max, .max, 1))
    #expect(UInt256.max.quotientAndRemainder(dividingBy: 1).quotient == .max)
    #expect(UInt256.max.quotientAndRemainder(dividingBy: .max).remainder == 0)
  }

  @Test func orderAndNarrowing() {
    let ascending = [
      UInt256.zero, 1, UInt256(.max), UInt256(0, 0, 1, 0), UInt256(0, 0, .max, .max), UInt256(0, 1, 0, 0),
      UInt256(1, 0, 0, 0), .max,
    ]
    #expect(ascending.reversed().sorted() == ascending)
    #expect(UInt256(.max).uint64 == .max)
    #expect(UInt256(0, 0, 1, 0).uint64 == nil)
    #expect(UInt256(0, 0, .max, .max).uint128 == .max)
    #expect(UInt256(0, 1, 0, 0).uint128 == nil)
    #expect(UInt256(0, 0, 1, 0).double == 0x1p64)
    #expect(UInt256(1, 0, 0, 0).double == 0x1p192)
  }

  @Test func wordsNeedThirtyTwoBytes() {
    let bytes = [UInt8](0..<40)
    #expect(UInt256(bigEndian: bytes.span, at: 8)?.byte(0) == 8)
    #expect(UInt256(bigEndian: bytes.span, at: 8)?.byte(31) == 39)
    for offset in [9, 40, 41, -1, Int.max, Int.min] {
      #expect(UInt256(bigEndian: bytes.span, at: offset) == nil)
    }
  }

  @Test func bytes32() throws {
    let text = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    #expect(try Bytes32(parsing: text).description == text)
    #expect(Bytes32.zero.description == "0x" + String(repeating: "0", count: 64))
    #expect(throws: QuantityError.self) { try Bytes32(parsing: String(text.dropLast())) }
    #expect(throws: QuantityError.self) { try Bytes32(parsing: text + "0") }
  }
}
