// The messages of pomona/web/live/protocol.py, seen from the page.

export const SUBPROTOCOL = "pomona-live";
const VERSION = 1;
const FRAME = 1;
const RESULT = 2;
const FRAME_HEADER_BYTES = 16;
const RESULT_HEADER_BYTES = 8;

/** A frame as one message: the header, then the JPEG. */
export function packFrame(number, timeS, jpeg) {
  const message = new Uint8Array(FRAME_HEADER_BYTES + jpeg.byteLength);
  const header = new DataView(message.buffer);
  header.setUint8(0, FRAME);
  header.setUint8(1, VERSION);
  header.setUint32(4, number, true);
  header.setFloat64(8, timeS, true);
  message.set(new Uint8Array(jpeg), FRAME_HEADER_BYTES);
  return message;
}

/** A result: the JSON facts, in which each array of a person is {data, rows, columns}. */
export function unpackResult(buffer) {
  const header = new DataView(buffer);
  if (header.getUint8(0) !== RESULT || header.getUint8(1) !== VERSION) {
    throw new Error("the server speaks another version: load the page again");
  }
  const textBytes = header.getUint32(4, true);
  const start = RESULT_HEADER_BYTES + textBytes;
  const result = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, RESULT_HEADER_BYTES, textBytes)));
  for (const person of result.people) {
    for (const [name, place] of Object.entries(person)) {
      if (!Array.isArray(place)) continue;
      const [offset, rows, columns] = place;
      const Kind = name === "mask" ? Uint8Array : Float32Array;
      person[name] = { data: new Kind(buffer, start + offset, rows * columns), rows, columns };
    }
  }
  return result;
}
