import Testing

@testable import Origin

@Suite struct ScriptTextTests {
  @Test func commentLinesAreLeftOutAndCodeStays() {
    let text = """
      // What it is.

      /** One line. */
      const url = "https://example.org"; // behind code
      /**
       * A block
       * @param {string} a
       */
      const css = `
      a { color: red; }
      `;
        // indented
        call(); /* stays */

      """
    #expect(
      ScriptText.withoutCommentLines(text) == """

        const url = "https://example.org"; // behind code
        const css = `
        a { color: red; }
        `;
          call(); /* stays */

        """)
  }

  @Test func aTextWithoutCommentsStaysAsItIs() {
    for text in ["", "a", "a\n\nb\n", "const a = 1 / 2;\n", "x = `\n* y\n`"] {
      #expect(ScriptText.withoutCommentLines(text) == text)
    }
  }
}
