// Draws what was found over the picture. Left is warm, right is cool, as the person has them.

const LEFT = "#f2a154";
const RIGHT = "#5cc7da";
const MIDDLE = "#e7eaed";
const FACE = "#58c6a3";
const MASK = [88, 198, 163];
const FAINTEST = 0.12;
const FACE_OF_POSE = 10; // rows 0 to 10 of the pose are the head
const HANDS_OF_POSE = new Set([17, 18, 19, 20, 21, 22]);

const small = document.createElement("canvas");

/** Draws `result` on `context`, whose canvas lies over a picture of the result's shape. */
export function draw(context, result, skeleton, view) {
  const { canvas } = context;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.setTransform(canvas.width / result.width, 0, 0, canvas.height / result.height, 0, 0);
  context.lineCap = "round";
  const unit = Math.hypot(result.width, result.height) / 320;
  for (const person of result.people) {
    if (person.mask) drawMask(context, person.mask, result);
    if (person.face) drawFace(context, person.face, skeleton.face, unit, view.mesh);
    if (person.pose) drawPose(context, person, skeleton.pose, unit);
    if (person.left_hand) drawHand(context, person.left_hand, skeleton.hand, unit, LEFT);
    if (person.right_hand) drawHand(context, person.right_hand, skeleton.hand, unit, RIGHT);
  }
  context.globalAlpha = 1;
}

function drawMask(context, mask, { width, height }) {
  Object.assign(small, { width: mask.columns, height: mask.rows });
  const pixels = new ImageData(mask.columns, mask.rows);
  for (let i = 0; i < mask.data.length; i += 1) {
    pixels.data[4 * i] = MASK[0];
    pixels.data[4 * i + 1] = MASK[1];
    pixels.data[4 * i + 2] = MASK[2];
    pixels.data[4 * i + 3] = mask.data[i] * 0.3;
  }
  small.getContext("2d").putImageData(pixels, 0, 0);
  context.globalAlpha = 1;
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, width, height);
}

function drawPose(context, person, { names, edges }, unit) {
  const { data, columns } = person.pose;
  // where hands and face are known better, the pose's own few points of them are left out
  const isShown = (row) =>
    !(person.face && row <= FACE_OF_POSE) &&
    !(HANDS_OF_POSE.has(row) && (names[row].startsWith("left") ? person.left_hand : person.right_hand));
  const confidence = (row) => data[row * columns + 3];
  context.lineWidth = 1.6 * unit;
  for (const [from, to] of edges) {
    if (!isShown(from) || !isShown(to)) continue;
    const side = names[from].split("_")[0] === names[to].split("_")[0] ? names[from] : "middle";
    line(context, data, columns, from, to, colour(side), Math.min(confidence(from), confidence(to)));
  }
  for (let row = 0; row < names.length; row += 1) {
    if (isShown(row)) dot(context, data, columns, row, 1.5 * unit, colour(names[row]), confidence(row));
  }
}

function drawHand(context, { data, columns }, { edges }, unit, stroke) {
  const confidence = (row) => data[row * columns + 3];
  context.lineWidth = unit;
  for (const [from, to] of edges) {
    line(context, data, columns, from, to, stroke, Math.min(confidence(from), confidence(to)));
  }
  for (let row = 0; row * columns < data.length; row += 1) {
    dot(context, data, columns, row, 0.9 * unit, MIDDLE, confidence(row));
  }
}

function drawFace(context, { data, columns }, { contours, mesh }, unit, withMesh) {
  const trace = (edges) => {
    context.beginPath();
    for (const [from, to] of edges) {
      if (Number.isNaN(data[from * columns])) continue;
      context.moveTo(data[from * columns], data[from * columns + 1]);
      context.lineTo(data[to * columns], data[to * columns + 1]);
    }
    context.stroke();
  };
  if (withMesh) {
    context.strokeStyle = FACE;
    context.lineWidth = 0.22 * unit;
    context.globalAlpha = 0.42;
    trace(mesh);
  }
  context.globalAlpha = 0.95;
  context.lineWidth = 0.65 * unit;
  for (const [name, edges] of Object.entries(contours)) {
    context.strokeStyle = name === "oval" || name === "lips" ? FACE : colour(name);
    trace(edges);
  }
}

function colour(name) {
  if (name.startsWith("left") || name.endsWith("left")) return LEFT;
  return name.startsWith("right") || name.endsWith("right") ? RIGHT : MIDDLE;
}

function line(context, data, columns, from, to, stroke, confidence) {
  context.globalAlpha = strength(confidence);
  context.strokeStyle = stroke;
  context.beginPath();
  context.moveTo(data[from * columns], data[from * columns + 1]);
  context.lineTo(data[to * columns], data[to * columns + 1]);
  context.stroke();
}

function dot(context, data, columns, row, radius, fill, confidence) {
  context.globalAlpha = strength(confidence);
  context.fillStyle = fill;
  context.beginPath();
  context.arc(data[row * columns], data[row * columns + 1], radius, 0, 2 * Math.PI);
  context.fill();
}

/** Hidden and doubtful points are faint. */
function strength(confidence) {
  return Math.min(1, Math.max(FAINTEST, 1.4 * confidence - 0.2));
}
