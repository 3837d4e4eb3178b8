// One answer a part, asked for before the part is there: for where something on the way holds growing answers back.

/**
 * Reads a segment part by part.
 * @param {number} from The part to begin with.
 * @param {number} parts How many are there.
 * @param {number} most How many there will be, normally.
 * @param {(index: number) => Promise<Uint8Array>} get
 * @param {(bytes: Uint8Array) => void} take
 * @param {() => Promise<void>} room
 * @returns {Promise<boolean>} Whether the segment came to its usual end.
 */
export async function readParts(from, parts, most, get, take, room) {
  const there = [];
  for (let index = from; index < parts; index++) there.push(get(index));
  for (const each of there) each.catch(() => {});
  for (const each of there) take(await each);
  try {
    for (let index = Math.max(from, parts); index < most; index++) {
      take(await get(index));
      await room();
    }
    return true;
  } catch (error) {
    // A segment that ends early has no such part.
    if (error.status === 404) return false;
    throw error;
  }
}
