// Scanning with the camera. Without this file a photo or typing leads to the same pages.
(() => {
  "use strict";
  const box = document.querySelector("[data-scanner]");
  if (!box || !navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) return;
  const form = document.getElementById(box.dataset.scanner);
  const again = "again" in box.dataset;
  const video = box.querySelector("video");
  const status = box.querySelector("[data-status]");
  const start = box.querySelector("[data-start]");
  const stop = box.querySelector("[data-stop]");
  const PAUSE_MS = 120;
  const LONGEST_SIDE = 1280;
  let stream = null;

  // Some readers know few kinds of code; then our own one is used.
  const NATIVE = ["qr_code", "data_matrix", "ean_13", "ean_8", "upc_a", "code_128", "itf"];
  const OWN = ["QRCode", "DataMatrix", "Code128", "EAN13", "EAN8", "UPCA", "ITF", "DataBarOmni", "DataBarLtd",
    "DataBarStk", "DataBarStkOmni", "DataBarExp", "DataBarExpStk"];

  const nativeReader = async () => {
    if (!("BarcodeDetector" in window)) return null;
    const known = await BarcodeDetector.getSupportedFormats();
    if (!NATIVE.every((format) => known.includes(format))) return null;
    const detector = new BarcodeDetector({ formats: NATIVE });
    return async () => (await detector.detect(video)).map((found) => found.rawValue);
  };

  const loadScript = (address, hash) => new Promise((done, failed) => {
    const script = document.createElement("script");
    const policy = window.trustedTypes && trustedTypes.createPolicy("lotseal-scan", {
      createScriptURL: (url) => {
        if (!url.startsWith("/static/")) throw new TypeError("a script from elsewhere");
        return url;
      },
    });
    script.integrity = hash;
    script.onload = done;
    script.onerror = failed;
    script.src = policy ? policy.createScriptURL(address) : address;
    document.head.append(script);
  });

  const ownReader = async () => {
    const { reader, readerIntegrity, wasm, wasmIntegrity } = box.dataset;
    const [answer] = await Promise.all([
      fetch(wasm, { integrity: wasmIntegrity, credentials: "same-origin" }),
      window.ZXingWASM || loadScript(reader, readerIntegrity),
    ]);
    if (!answer.ok) throw new Error(answer.statusText);
    const binary = await answer.arrayBuffer();
    await ZXingWASM.prepareZXingModule({ overrides: { wasmBinary: binary }, fireImmediately: true });
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    return async () => {
      const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
      canvas.width = Math.round(video.videoWidth * scale);
      canvas.height = Math.round(video.videoHeight * scale);
      pen.drawImage(video, 0, 0, canvas.width, canvas.height);
      const image = pen.getImageData(0, 0, canvas.width, canvas.height);
      const found = await ZXingWASM.readBarcodes(image, { formats: OWN, textMode: "Plain", maxNumberOfSymbols: 2 });
      return found.filter((one) => one.isValid).map((one) => one.symbologyIdentifier + one.text);
    };
  };

  const say = (word) => { status.textContent = word ? box.dataset[word] : ""; };

  const end = () => {
    if (stream) for (const track of stream.getTracks()) track.stop();
    stream = null;
    video.srcObject = null;
    video.hidden = stop.hidden = true;
    start.hidden = false;
  };

  const take = (code) => {
    end();
    say("found");
    if (again) sessionStorage.setItem("scanned", code);
    form.elements.code.value = code;
    form.requestSubmit();
  };

  const look = async (read) => {
    // The label that was just read may still lie before the camera.
    const last = again ? sessionStorage.getItem("scanned") : null;
    while (stream) {
      const codes = video.readyState >= 2 && video.videoWidth ? await read() : [];
      const fresh = codes.find((code) => code && code !== last);
      if (fresh && stream) return take(fresh);
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
  };

  const begin = async () => {
    start.hidden = true;
    stop.hidden = false;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1080 } },
      });
    } catch (error) {
      end();
      say(error.name === "NotFoundError" ? "missing" : "refused");
      return;
    }
    try {
      video.srcObject = stream;
      video.hidden = false;
      await video.play();
      say("looking");
      await look((await nativeReader()) || (await ownReader()));
    } catch {
      if (!stream) return;
      end();
      say("broken");
    }
  };

  box.hidden = false;
  start.addEventListener("click", () => {
    if (again) sessionStorage.setItem("scanning", location.pathname);
    begin();
  });
  stop.addEventListener("click", () => {
    sessionStorage.removeItem("scanning");
    sessionStorage.removeItem("scanned");
    end();
    say("");
  });
  // A sample of several labels is scanned with one press of the button.
  if (again && sessionStorage.getItem("scanning") === location.pathname) begin();
})();
