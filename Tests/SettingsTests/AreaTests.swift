import Picture
import Settings
import Station
import Testing

private let fraction = "a fraction from 0 to 1, such as 0.25"
private let rectangle = "{x: X, y: Y, width: W, height: H} in fractions of the upright picture, not empty and inside it"
private let masks = "a list of up to 100 masks, each with a rectangle or a polygon"
private let mask = "one of rectangle: {x: X, y: Y, width: W, height: H} or polygon: [[X, Y], ...]"
private let polygon = "a list of 3 to 100 corners [X, Y] in fractions of the upright picture"

@Suite struct AreaTests {
  @Test(arguments: [
    ("0.5", ["crop: found \"0.5\"; accepted: \(rectangle)"]),
    ("", ["crop: found nothing; accepted: \(rectangle)"]),
    ("[0, 0, 1, 1]", ["crop: found a list; accepted: \(rectangle)"]),
    (
      "{x: 0, y: 0, width: 1}", ["crop.height: found nothing; accepted: \(fraction)"]
    ),
    (
      "{x: -0.1, y: nan, width: 1.5, height: 10%}",
      [
        "crop.x: found \"-0.1\"; accepted: \(fraction)", "crop.y: found \"nan\"; accepted: \(fraction)",
        "crop.width: found \"1.5\"; accepted: \(fraction)", "crop.height: found \"10%\"; accepted: \(fraction)",
      ]
    ),
    (
      "{x: 0.5, y: 0, width: 0.6, height: 1}",
      ["crop: found {x: 0.5, y: 0.0, width: 0.6, height: 1.0}; accepted: \(rectangle)"]
    ),
    (
      "{x: 0, y: 0, width: 0, height: 1}",
      ["crop: found {x: 0.0, y: 0.0, width: 0.0, height: 1.0}; accepted: \(rectangle)"]
    ),
    (
      "{x: 0, y: 0, witdh: 1, height: 1}",
      [
        "crop.witdh: unknown key; did you mean width?; accepted here: x, y, width, height",
        "crop.width: found nothing; accepted: \(fraction)",
      ]
    ),
  ])
  func crop(written: String, messages: [String]) {
    #expect(problems(desk("crop: \(written)")) == messages.map { "q.yaml:4: cameras.desk.\($0)" })
  }

  @Test func masksThatAreNone() throws {
    #expect(try load(desk("masks: []")).camera("desk").picture.masks.isEmpty)
    #expect(problems(desk("masks:")) == ["q.yaml:4: cameras.desk.masks: found nothing; accepted: \(masks)"])
    #expect(problems(desk("masks: all")) == [#"q.yaml:4: cameras.desk.masks: found "all"; accepted: \#(masks)"#])
    #expect(
      problems(desk("masks: {rectangle: {x: 0, y: 0, width: 1, height: 1}}")) == [
        "q.yaml:4: cameras.desk.masks: found a mapping; accepted: \(masks)"
      ])
  }

  @Test func everyMaskThatIsWrongIsTold() {
    let yaml = desk(
      "masks:",
      "  - rectangle: {x: 0, y: 0, width: 1, height: 1}",
      "  - circle: [0.5, 0.5]",
      "  - left",
      "  - {}",
      "  - rectangle: {x: 0, y: 0, width: 1, height: 2}",
      "    polygon: []",
      "  - polygon: [[0, 0], [1, 1]]",
      "  - polygon: [[0, 0], [1, 1.1], [1]]",
      "  - rectangle:",
      "      x: 0",
      "      y: 0",
      "      width: 2",
      "      height: 1")
    #expect(
      problems(yaml) == [
        "q.yaml:6: cameras.desk.masks[1].circle: unknown key; accepted here: rectangle, polygon",
        "q.yaml:7: cameras.desk.masks[2]: found \"left\"; accepted: \(mask)",
        "q.yaml:8: cameras.desk.masks[3]: found a mapping of nothing; accepted: \(mask)",
        "q.yaml:9: cameras.desk.masks[4]: found a mapping of rectangle and polygon; accepted: \(mask)",
        "q.yaml:11: cameras.desk.masks[5].polygon: found a list of 2; accepted: \(polygon)",
        "q.yaml:12: cameras.desk.masks[6].polygon[1]: found \"1.1\"; accepted: \(fraction)",
        "q.yaml:12: cameras.desk.masks[6].polygon[2]: found a list; accepted: [X, Y], such as [0.5, 0.25]",
        "q.yaml:16: cameras.desk.masks[7].rectangle.width: found \"2\"; accepted: \(fraction)",
      ])
  }
}
