"use strict";

// Sends the camera to the server and shows the matted video. Offers again after SILENCE_MS without a frame.
const SILENCE_MS = 2000;
const CONNECT_MS = 8000;
const RETRY_MS = 2000;
const CAMERA_FAULTS = {
  NotAllowedError: "Allow the camera for this page, then start it again.",
  NotFoundError: "No camera was found. Connect one, then start it.",
  NotReadableError: "Another program uses the camera. Close it, then start the camera again.",
};

const byId = (id) => document.getElementById(id);
const query = new URLSearchParams(location.hash.slice(1)); // never sent to the server
let camera = null;
let connection = null;
let timer = 0;
let frames = -1;
let changedMs = 0;
let connectedMs = 0;

byId("token").value = query.get("token") || "";

function headers() {
  const token = byId("token").value;
  return token ? { Authorization: `Bearer ${token}` } : {};
}

function tell(text) {
  byId("state").textContent = text;
}

async function loadBackgrounds() {
  const answer = await fetch("backgrounds", { headers: headers() });
  if (!answer.ok) return;
  const list = byId("background");
  const chosen = query.get("background") || list.value;
  list.replaceChildren(...(await answer.json()).map((name) => new Option(name, name, false, name === chosen)));
}

async function iceServers() {
  const answer = await fetch("ice", { headers: headers() });
  return answer.ok ? answer.json() : [];
}

async function offer() {
  const own = new RTCPeerConnection({ iceServers: await iceServers() });
  connection = own;
  frames = -1;
  connectedMs = changedMs = performance.now();
  own.ontrack = (event) => {
    byId("matted").srcObject = event.streams[0] || new MediaStream([event.track]);
  };
  const transceiver = own.addTransceiver(camera.getVideoTracks()[0], { direction: "sendrecv" });
  const codecs = RTCRtpReceiver.getCapabilities("video").codecs;
  transceiver.setCodecPreferences(codecs.filter((codec) => ["video/VP8", "video/rtx"].includes(codec.mimeType)));
  await own.setLocalDescription(await own.createOffer());
  await new Promise((resolve) => {
    if (own.iceGatheringState === "complete") resolve();
    own.onicegatheringstatechange = () => own.iceGatheringState === "complete" && resolve();
    setTimeout(resolve, 1500);
  });
  const answer = await fetch("offer", {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers() },
    body: JSON.stringify({ type: "offer", sdp: own.localDescription.sdp, background: byId("background").value }),
  });
  if (!answer.ok) {
    const wait = Number(answer.headers.get("Retry-After")) * 1000;
    throw Object.assign(new Error(await answer.text()), { waitMs: wait || RETRY_MS, final: answer.status < 429 });
  }
  await own.setRemoteDescription(await answer.json());
}

function hangUp() {
  if (connection) connection.close();
  connection = null;
}

async function connect() {
  hangUp();
  tell("Connecting…");
  try {
    await offer();
    watch();
  } catch (error) {
    hangUp();
    byId("matted").srcObject = null;
    tell(error instanceof TypeError ? "The server does not answer. Trying again…" : error.message); // fetch's own is vague
    if (camera && !error.final) timer = setTimeout(connect, error.waitMs || RETRY_MS);
  }
}

async function watch() {
  const own = connection;
  if (!own || !camera) return;
  let roundTrip = null;
  let received = frames;
  for (const report of (await own.getStats()).values()) {
    if (report.type === "inbound-rtp" && report.kind === "video") received = report.framesDecoded || 0;
    if (report.type === "candidate-pair" && report.nominated) roundTrip = report.currentRoundTripTime;
  }
  if (own !== connection) return;
  const nowMs = performance.now();
  if (received > frames && received > 0) {
    frames = received;
    changedMs = nowMs;
    const trip = roundTrip == null ? "" : `, round trip of the network ${Math.round(roundTrip * 1000)} ms`;
    tell(`Matted on the server${trip}.`);
  }
  const limit = frames < 0 ? CONNECT_MS : SILENCE_MS;
  if (nowMs - changedMs > limit) connect();
  else timer = setTimeout(watch, 500);
}

function stop() {
  clearTimeout(timer);
  hangUp();
  if (camera) camera.getTracks().forEach((track) => track.stop());
  camera = null;
  byId("matted").srcObject = byId("camera").srcObject = null;
  byId("start").disabled = false;
  byId("stop").disabled = true;
  tell("Stopped.");
}

async function start() {
  if (!navigator.mediaDevices) {
    tell("Browsers give a camera only to pages over HTTPS, or on this computer.");
    return;
  }
  byId("start").disabled = true;
  byId("stop").disabled = false;
  try {
    const wanted = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 30, max: 30 } };
    camera = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  } catch (error) {
    stop();
    tell(CAMERA_FAULTS[error.name] || "The camera cannot be used. Choose another one in the browser.");
    return;
  }
  byId("camera").srcObject = camera;
  await connect();
}

byId("controls").addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
byId("stop").addEventListener("click", stop);
byId("token").addEventListener("change", loadBackgrounds);
byId("background").addEventListener("change", () => camera && connect());
addEventListener("pagehide", hangUp);
loadBackgrounds().then(() => query.has("start") && start());
