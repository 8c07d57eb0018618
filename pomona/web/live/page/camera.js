// Where pictures come from: a camera or a video file, shown in the <video> of the page.

/** Why there are no pictures, in words for the person before the screen. */
export class NoCamera extends Error {
  constructor(title, text) {
    super(text);
    this.title = title;
  }
}

const WORDS = {
  NotAllowedError: [
    "The camera is not allowed",
    "The browser keeps the camera from this page. Click the sign beside the address, allow the camera, " +
      "and try again.",
  ],
  NotFoundError: ["No camera found", "Connect a camera and try again, or open a video."],
  NotReadableError: [
    "The camera is in use",
    "Another program has it, or it does not answer. Close that program and try again.",
  ],
};

/** Shows a camera in `video`; throws NoCamera. `ended` is called when it is unplugged. */
export async function openCamera(video, deviceId, ended) {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new NoCamera(
      "This address may not use a camera",
      "Browsers open cameras only over https or on the same machine. Open this page at localhost there, " +
        "or start the server with --certificate.",
    );
  }
  closeCamera(video);
  const wanted = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  if (deviceId) wanted.deviceId = { exact: deviceId };
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  } catch (error) {
    const [title, text] = WORDS[error.name] ?? ["The camera does not open", error.message || error.name];
    throw new NoCamera(title, text);
  }
  const [track] = stream.getVideoTracks();
  track.addEventListener("ended", ended);
  video.srcObject = stream;
  await video.play();
  return track.getSettings();
}

/** Plays a file in `video`, again and again; throws NoCamera. */
export async function openFile(video, file) {
  closeCamera(video);
  video.src = URL.createObjectURL(file);
  video.loop = true;
  try {
    await video.play();
  } catch {
    closeCamera(video);
    throw new NoCamera("This video does not play", "The browser does not know its format. Try an MP4 or WebM file.");
  }
}

/** Lets the camera or the file go. */
export function closeCamera(video) {
  video.pause();
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
  if (video.src) {
    URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
    video.load();
  }
}

/** The cameras of this device: [{id, label}]. Labels are known once a camera was allowed. */
export async function listCameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return devices
    .filter((device) => device.kind === "videoinput")
    .map((device, index) => ({ id: device.deviceId, label: device.label || `Camera ${index + 1}` }));
}

/** Calls `each(timeMs)` at every new frame of `video`, for ever. */
export function watch(video, each) {
  if (video.requestVideoFrameCallback) {
    const seen = (now, { captureTime }) => {
      each(captureTime ?? now);
      video.requestVideoFrameCallback(seen);
    };
    video.requestVideoFrameCallback(seen);
    return;
  }
  let last = -1;
  const look = (now) => {
    if (video.currentTime !== last) {
      last = video.currentTime;
      each(now);
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

const canvas = document.createElement("canvas");
const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });

/** The picture that `video` shows as a JPEG whose longer side is at most `side`: an ArrayBuffer. */
export async function grab(video, side) {
  const scale = Math.min(1, side / Math.max(video.videoWidth, video.videoHeight));
  const width = Math.max(1, Math.round(video.videoWidth * scale));
  const height = Math.max(1, Math.round(video.videoHeight * scale));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.drawImage(video, 0, 0, width, height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
  return blob.arrayBuffer();
}
