extension String {
  /// Byte for byte. `==` would take canonically equivalent texts for the same, and for that the square of the length of a
  /// run of combining marks: a stranger's text is not compared so.
  func isSame(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
