// Reads the number that a picture shows (see numbered.py).
const COLUMNS = 8, ROWS = 6, CELL = 4, MIDDLE = 125, MARGIN = 25;
const canvas = document.createElement("canvas");
canvas.width = COLUMNS * CELL;
canvas.height = ROWS * CELL;
const context = canvas.getContext("2d", { willReadFrequently: true });

// -2 where nothing is shown, -1 where it is no number.
function readNumber(source) {
  if (!source || !(source.videoWidth ?? source.width)) return -2;
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const bits = [];
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      let sum = 0;
      for (const y of [1, 2]) {
        for (const x of [1, 2]) sum += data[4 * ((row * CELL + y) * canvas.width + column * CELL + x) + 1];
      }
      if (Math.abs(sum / 4 - MIDDLE) < MARGIN) return -1;
      bits.push(sum / 4 > MIDDLE ? 1 : 0);
    }
  }
  let value = 0;
  for (let place = 0; place < 16; place++) {
    if (bits[place] === bits[16 + place] || bits[place] !== bits[32 + place]) return -1;
    value = value * 2 + bits[place];
  }
  return value;
}
