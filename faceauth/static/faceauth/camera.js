const CONSTRAINTS = {
  width: { ideal: 1280 },
  height: { ideal: 960 },
};

const PROBLEMS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

// What a browser reports when the chosen camera is no longer there.
const GONE = ["NotFoundError", "OverconstrainedError"];

// How long a camera that is on may show nothing: then another program has it.
const FIRST_FRAME_MS = 6000;
const SILENCE_MS = 3000;

// Where the choice of a camera is kept, in localStorage.
const CHOICE = "faceauth-camera";

/** The camera could not be turned on; `problem` completes a message's name: problem-refused, ... */
export class CameraError extends Error {
  /** @param {string} problem */
  constructor(problem) {
    super(problem);
    this.problem = problem;
  }
}

/**
 * Return the problem that rules out any camera on this page, however often one tries.
 * @returns {"unsupported" | "insecure" | null}
 */
export function lastingProblem() {
  if (navigator.mediaDevices?.getUserMedia) return null;
  return window.isSecureContext ? "unsupported" : "insecure";
}

/**
 * Return whether the visitor allows this site to use the camera already.
 * @returns {Promise<PermissionState>} "prompt" if the browser does not say
 */
export async function permissionState() {
  try {
    return (await navigator.permissions.query({ name: "camera" })).state;
  } catch {
    return "prompt";
  }
}

/**
 * Call back each time the visitor allows this site to use the camera after all.
 * @param {() => void} onGranted
 */
export async function watchPermission(onGranted) {
  try {
    const permission = await navigator.permissions.query({ name: "camera" });
    permission.addEventListener("change", () => permission.state === "granted" && onGranted());
  } catch {
    // The browser does not say: the visitor presses the button.
  }
}

/** @returns {string} the id of the camera that the visitor chose before; "" if none */
export function chosenCamera() {
  try {
    return localStorage.getItem(CHOICE) ?? "";
  } catch {
    return "";
  }
}

/**
 * Use this camera from now on, also on other pages.
 * @param {string} id
 */
export function chooseCamera(id) {
  try {
    localStorage.setItem(CHOICE, id);
  } catch {
    // Without storage the choice cannot be kept, and the browser's own settings decide.
  }
}

/** The visitor's camera, shown in a video element. */
export class Camera {
  #video;
  #onGone;
  #stream = null;
  // Counts the calls of start and stop, so that a late answer to an earlier one is recognised.
  #latest = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {(problem: string) => void} onGone called when the camera is taken away while it is on
   */
  constructor(video, onGone) {
    this.#video = video;
    this.#onGone = onGone;
  }

  /** @returns {boolean} */
  get on() {
    return this.#stream !== null;
  }

  /** The id of the camera that is on; "" if none is. */
  get id() {
    return this.#stream?.getVideoTracks()[0]?.getSettings().deviceId ?? "";
  }

  /**
   * Turn the camera on.
   * @returns {Promise<boolean>} false if `stop` was called in the meantime
   * @throws {CameraError}
   */
  async start() {
    this.stop();
    const call = this.#latest;
    const problem = lastingProblem();
    if (problem) throw new CameraError(problem);
    try {
      const stream = await open(chosenCamera());
      if (call !== this.#latest) {
        release(stream);
        return false;
      }
      this.#stream = stream;
      this.#watch(stream);
      this.#video.srcObject = stream;
      await within(FIRST_FRAME_MS, this.#video.play());
      return call === this.#latest;
    } catch (error) {
      if (call !== this.#latest) return false;
      this.stop();
      throw new CameraError(PROBLEMS[error.name] ?? "unknown");
    }
  }

  /** Turn the camera off, and its light with it. */
  stop() {
    this.#latest += 1;
    if (this.#stream) release(this.#stream);
    this.#stream = null;
    this.#video.srcObject = null;
  }

  /** Notice when the camera is disconnected, or shows nothing for longer than a hiccup. */
  #watch(stream) {
    const [track] = stream.getVideoTracks();
    const lose = (problem) => this.#stream === stream && this.#onGone(problem);
    let timer = 0;
    track.addEventListener("ended", () => lose("gone"));
    track.addEventListener("unmute", () => clearTimeout(timer));
    track.addEventListener("mute", () => {
      clearTimeout(timer);
      timer = setTimeout(() => track.muted && lose("busy"), SILENCE_MS);
    });
  }
}

/** Open a camera: the chosen one, or the one for the visitor's face if that is gone. */
async function open(id) {
  const ask = (which) =>
    navigator.mediaDevices.getUserMedia({ audio: false, video: { ...CONSTRAINTS, ...which } });
  if (!id) return ask({ facingMode: "user" });
  try {
    return await ask({ deviceId: { exact: id } });
  } catch (error) {
    if (!GONE.includes(error.name)) throw error;
    return ask({ facingMode: "user" });
  }
}

/** Wait for a promise, or fail as a camera does that another program uses. */
function within(milliseconds, promise) {
  let timer = 0;
  const late = new Promise((_, fail) => {
    const error = new DOMException("The camera shows nothing.", "NotReadableError");
    timer = setTimeout(() => fail(error), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}
