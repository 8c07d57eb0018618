// The page: camera → server → drawing, and the controls around them.

import { NoCamera, closeCamera, grab, listCameras, openCamera, openFile, watch } from "./camera.js";
import { Connection } from "./connection.js";
import { draw } from "./drawing.js";
import { Meter, readSettings, showLimits, showNumbers, showSettings } from "./panel.js";

const byId = (id) => document.getElementById(id);
const video = byId("video");
const overlay = byId("overlay");
const settingsForm = byId("settings");
const viewForm = byId("view");

const ANSWER_MS = 10_000; // after so long without an answer the next frame is sent all the same

/** What the page knows; exported for whoever wants to look at it from the console. */
export const live = { result: null, settings: null, state: "waiting", source: null, sent: null, number: 0, drawn: 0 };

const meter = new Meter();
let skeleton = null;
let chosen = null; // settings that were changed here: a new connection is told of them
let recording = null;
let seenFrame = -1;
let sentFrame = -1;
let isGrabbing = false;

const connection = new Connection({
  state(name, words) {
    live.state = name;
    live.sent = null;
    byId("status").textContent = name === "live" && live.source ? "Live" : words;
    byId("status").dataset.state = { live: "live", waiting: "waiting", asleep: "waiting" }[name] ?? "wrong";
    byId("record").disabled = name !== "live" || !live.source;
    settingsForm.inert = name !== "live" && name !== "asleep";
    if (name === "token") askForToken(words);
    if (name !== "live" && recording?.on) showRecording({ ...recording, on: false });
    if (name === "busy") note(words);
    else if (name === "live") note("");
  },
  facts(facts) {
    showLimits(settingsForm, viewForm, facts.limits);
    showSettings(settingsForm, chosen ?? live.settings ?? facts.settings);
    if (byId("token-form").hidden === false) welcome();
  },
  result(result) {
    const now = performance.now();
    live.result = result;
    if (live.sent?.number === result.frame) {
      meter.add(result, now - live.sent.capturedAt, now);
      live.sent = null;
    }
    if (recording?.on) showRecording({ ...recording, frames: result.recorded });
    send();
  },
  notice(notice) {
    if (notice.type === "ready" && chosen) connection.send({ type: "settings", settings: chosen });
    if (notice.type === "settings") {
      live.settings = notice.settings;
      if (!chosen) showSettings(settingsForm, notice.settings);
      settingsForm.removeAttribute("aria-busy");
    }
    if (notice.type === "recording") showRecording(notice);
    if (notice.type === "error") {
      note(notice.message);
      if (notice.frame !== undefined) live.sent = null;
      else if (live.settings) {
        // what was wished cannot be had: the controls show what there is
        chosen = null;
        showSettings(settingsForm, live.settings);
      }
    }
  },
});

/** Sends the newest picture when the last one was answered. */
async function send() {
  if (live.state === "asleep" && live.source) connection.wake();
  const isAnswered = !live.sent || performance.now() - live.sent.capturedAt > ANSWER_MS;
  if (!connection.isOpen || live.state !== "live" || !live.source || isGrabbing || !isAnswered) return;
  if (seenFrame === sentFrame || !video.videoWidth) return;
  isGrabbing = true;
  try {
    const capturedAt = seenFrame;
    const jpeg = await grab(video, Number(viewForm.elements.side.value) || 640);
    if (!connection.isOpen) return;
    live.number += 1;
    live.sent = { number: live.number, capturedAt };
    sentFrame = capturedAt;
    connection.sendFrame(live.number, capturedAt / 1000, jpeg);
  } finally {
    isGrabbing = false;
  }
}

/** Draws the newest landmarks over the picture that is shown now. */
function paint() {
  fit();
  const context = overlay.getContext("2d");
  if (!live.result || !skeleton || !live.source) {
    context.clearRect(0, 0, overlay.width, overlay.height);
    return;
  }
  draw(context, live.result, skeleton, { mesh: viewForm.elements.mesh.checked });
  live.drawn += 1;
}

/** Lays the canvas exactly over the picture, at the screen's own pixels. */
function fit() {
  if (!video.videoWidth) return;
  const scale = Math.min(video.clientWidth / video.videoWidth, video.clientHeight / video.videoHeight);
  const [width, height] = [video.videoWidth * scale, video.videoHeight * scale];
  const ratio = Math.min(2, devicePixelRatio || 1);
  const size = [Math.round(width * ratio), Math.round(height * ratio)];
  if (overlay.width === size[0] && overlay.height === size[1]) return;
  [overlay.width, overlay.height] = size;
  overlay.style.width = `${width}px`;
  overlay.style.height = `${height}px`;
}

async function start(open) {
  byId("start").disabled = true;
  try {
    await open();
    live.source = video.srcObject ? "camera" : "file";
    live.result = null;
    meter.reset();
    byId("message").hidden = true;
    byId("stop").hidden = false;
    byId("record").disabled = live.state !== "live";
    viewForm.elements.mirror.checked = live.source === "camera";
    showView();
    if (live.state === "live") byId("status").textContent = "Live";
    await showCameras();
  } catch (error) {
    stop();
    say(error instanceof NoCamera ? error.title : "Something went wrong", error.message, "Try again");
  } finally {
    byId("start").disabled = false;
  }
}

function stop() {
  if (recording?.on) connection.send({ type: "record", on: false });
  closeCamera(video);
  Object.assign(live, { source: null, result: null });
  byId("stop").hidden = true;
  byId("cameras").hidden = true;
  byId("record").disabled = true;
  if (live.state === "live") byId("status").textContent = "Connected";
  showNumbers(null);
  paint();
  welcome();
}

function welcome() {
  say(
    "See yourself in landmarks",
    "Pose, hands and face are found on the machine that serves this page. Nothing leaves it, " +
      "and nothing is kept unless you record.",
    "Start the camera",
  );
}

function say(title, text, button) {
  byId("message-title").textContent = title;
  byId("message-text").textContent = text;
  byId("start").textContent = button;
  byId("token-form").hidden = true;
  byId("choices").hidden = false;
  byId("message").hidden = false;
}

function askForToken(words) {
  say(words, "The server is not on this machine alone, so it asks for the token that `pomona live` printed.", "");
  byId("token-form").hidden = false;
  byId("choices").hidden = true;
  byId("token").focus();
}

function note(text) {
  byId("note").textContent = text;
  byId("note").hidden = !text;
}

async function showCameras() {
  const cameras = await listCameras();
  const current = video.srcObject?.getVideoTracks()[0]?.getSettings().deviceId;
  byId("cameras").replaceChildren(...cameras.map(({ id, label }) => new Option(label, id, false, id === current)));
  byId("cameras").hidden = cameras.length < 2 || live.source !== "camera";
}

function showView() {
  byId("picture").classList.toggle("mirrored", viewForm.elements.mirror.checked);
  byId("picture").classList.toggle("bare", !viewForm.elements.picture.checked);
}

function showRecording(state) {
  recording = state;
  byId("picture").classList.toggle("recording", state.on);
  byId("record").setAttribute("aria-pressed", state.on);
  byId("record-text").textContent = state.on ? `End recording · ${state.frames} frames` : "Record";
  const link = byId("download");
  link.hidden = state.on || !state.key || !state.frames;
  link.textContent = `Download ${state.frames} frames (Parquet)`;
  if (state.key) link.href = `recordings/${state.key}`;
  if (state.is_full) note("The recording is as long as one may be, and was ended.");
}

byId("start").addEventListener("click", () => start(() => openCamera(video, "", unplugged)));
byId("cameras").addEventListener("change", ({ target }) => start(() => openCamera(video, target.value, unplugged)));
byId("file").addEventListener("change", ({ target }) => {
  const [file] = target.files;
  target.value = ""; // so that the same file can be chosen again
  if (file) start(() => openFile(video, file));
});
byId("stop").addEventListener("click", stop);
byId("enlarge").addEventListener("click", () => byId("picture").requestFullscreen?.());
byId("record").addEventListener("click", () => connection.send({ type: "record", on: !recording?.on }));
byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  connection.open(byId("token").value.trim());
});
settingsForm.addEventListener("change", () => {
  chosen = readSettings(settingsForm);
  showSettings(settingsForm, chosen);
  settingsForm.setAttribute("aria-busy", "true");
  connection.send({ type: "settings", settings: chosen });
});
viewForm.addEventListener("change", showView);
addEventListener("resize", paint);
document.addEventListener("fullscreenchange", paint);

function unplugged() {
  stop();
  say("The camera is gone", "It was unplugged or switched off. Connect it and try again.", "Try again");
}

watch(video, (time) => {
  seenFrame = time;
  paint();
  send();
});
setInterval(() => live.source && showNumbers(meter.read(performance.now())), 250);
fetch("skeleton").then(async (reply) => (skeleton = await reply.json()));
connection.open();
